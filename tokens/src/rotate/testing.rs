//! What the tests of a rotation share: Secrets Manager, Cognito and its token endpoint with their documented limits, in
//! which calls fail when a test says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{CURRENT, CallError, Clients, Described, PENDING, RotateError, Rotation, Secrets, Step, Tokens};
use crate::clock::instant;

pub(super) const SECRET: &str = "scopegate/order-service";
pub(super) const CLIENT: &str = "7abc";

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The process dies before it has an effect.
    DieBefore,
    /// The process dies after it has had its effect.
    DieAfter,
    /// The service turns it away.
    Throttled,
}

/// Secrets Manager, Cognito and its token endpoint, with their documented limits.
#[derive(Default)]
pub(super) struct World {
    pub(super) values: BTreeMap<String, SecretString>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Ids and values; the values are only compared.
    pub(super) cognito: Vec<(String, String)>,
    pub(super) drawn_ids: usize,
    pub(super) calls: usize,
    pub(super) fate: Option<(usize, Fate)>,
    pub(super) dead: bool,
    /// AWSCURRENT must get a token from now on, whatever happens.
    pub(super) watched: bool,
    /// Answers of the token endpoint that a new secret has to wait for.
    pub(super) lag: usize,
    pub(super) deleted: Vec<String>,
}

pub(super) struct Stand(pub(super) Mutex<World>);

impl World {
    pub(super) fn gets_token(&self, value: &SecretString) -> bool {
        let value: serde_json::Value = serde_json::from_str(value.expose_secret()).unwrap();
        value["client_id"] == CLIENT
            && self.cognito.iter().any(|(_, secret)| value["client_secret"] == *secret)
    }

    pub(super) fn current(&self) -> &SecretString {
        &self.values[&self.labels[CURRENT]]
    }

    pub(super) fn pend(&mut self, version: &str) {
        self.labels.insert(PENDING.to_owned(), version.to_owned());
    }
}

fn failed(operation: &'static str, reason: &str) -> CallError {
    CallError { operation, reason: reason.to_owned() }
}

impl Stand {
    pub(super) fn current_gets_token(&self) -> bool {
        let world = self.0.lock().unwrap();
        world.gets_token(world.current())
    }

    fn call<R>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut World) -> Result<R, CallError>,
    ) -> Result<R, CallError> {
        let mut world = self.0.lock().unwrap();
        let number = world.calls;
        world.calls += 1;
        let fate = world.fate.filter(|(at, _)| *at == number).map(|(_, fate)| fate);
        if fate == Some(Fate::Throttled) {
            return Err(failed(operation, "ThrottlingException"));
        }
        world.dead |= fate == Some(Fate::DieBefore);
        if world.dead {
            return Err(failed(operation, "dead"));
        }
        let outcome = effect(&mut world);
        // A version without a label is deprecated, and may go at any time.
        let World { values, labels, .. } = &mut *world;
        values.retain(|version, _| labels.values().any(|labelled| labelled == version));
        if world.watched {
            assert!(
                world.gets_token(world.current()),
                "AWSCURRENT gets no token after call {number}, {operation}"
            );
        }
        world.dead |= fate == Some(Fate::DieAfter);
        if world.dead { Err(failed(operation, "dead")) } else { outcome }
    }
}

impl Secrets for &Stand {
    async fn describe(&self, _: &str) -> Result<Described, CallError> {
        self.call("DescribeSecret", |world| {
            let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (label, version) in &world.labels {
                versions.entry(version.clone()).or_default().insert(label.clone());
            }
            Ok(Described { versions, tags: world.tags.clone() })
        })
    }

    async fn value(&self, _: &str, version: &str) -> Result<Option<SecretString>, CallError> {
        self.call("GetSecretValue", |world| Ok(world.values.get(version).cloned()))
    }

    async fn put_pending(&self, _: &str, version: &str, value: SecretString) -> Result<(), CallError> {
        self.call("PutSecretValue", |world| {
            let before = world.values.get(version).map(ExposeSecret::expose_secret);
            // The same value again changes nothing.
            assert!(
                before.is_none_or(|before| before == value.expose_secret()),
                "a version's value cannot be changed"
            );
            world.values.insert(version.to_owned(), value);
            world.pend(version);
            Ok(())
        })
    }

    async fn move_label(
        &self,
        _: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), CallError> {
        self.call("UpdateSecretVersionStage", |world| {
            if world.labels.get(label).map(String::as_str) != from {
                return Err(failed("UpdateSecretVersionStage", "InvalidParameterException"));
            }
            match to {
                None => drop(world.labels.remove(label)),
                Some(to) => {
                    if label == CURRENT {
                        let old = world.labels[CURRENT].clone();
                        world.labels.insert("AWSPREVIOUS".to_owned(), old);
                    }
                    world.labels.insert(label.to_owned(), to.to_owned());
                }
            }
            Ok(())
        })
    }
}

impl Clients for &Stand {
    async fn list(&self, _: &str) -> Result<Vec<String>, CallError> {
        self.call("ListUserPoolClientSecrets", |world| {
            Ok(world.cognito.iter().map(|(id, _)| id.clone()).collect())
        })
    }

    async fn add(&self, _: &str, secret: &SecretString) -> Result<String, CallError> {
        let secret = secret.expose_secret().to_owned();
        assert!((24..=64).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric()));
        self.call("AddUserPoolClientSecret", |world| {
            if world.cognito.len() >= 2 {
                return Err(failed("AddUserPoolClientSecret", "LimitExceededException"));
            }
            world.drawn_ids += 1;
            let id = format!("{CLIENT}--{}", world.drawn_ids);
            world.cognito.push((id.clone(), secret));
            Ok(id)
        })
    }

    async fn delete(&self, _: &str, id: &str) -> Result<(), CallError> {
        self.call("DeleteUserPoolClientSecret", |world| {
            if world.cognito.len() < 2 {
                return Err(failed("DeleteUserPoolClientSecret", "InvalidParameterException"));
            }
            world.cognito.retain(|(known, _)| known != id);
            world.deleted.push(id.to_owned());
            Ok(())
        })
    }

    async fn original(&self, _: &str) -> Result<Option<SecretString>, CallError> {
        self.call("DescribeUserPoolClient", |world| {
            Ok(world.cognito.iter().find(|(id, _)| id == "original").map(|(_, secret)| secret.clone().into()))
        })
    }
}

impl Tokens for &Stand {
    async fn accepts(&self, client_id: &str, secret: &SecretString) -> Result<bool, CallError> {
        let secret = secret.expose_secret().to_owned();
        self.call("the token request", |world| {
            if world.lag > 0 {
                world.lag -= 1;
                return Ok(false);
            }
            Ok(client_id == CLIENT && world.cognito.iter().any(|(_, known)| *known == secret))
        })
    }
}

pub(super) fn value(secret: &str) -> SecretString {
    json!({"client_id": CLIENT, "client_secret": secret, "token_url": "https://t.example/", "api_url": "https://a.example/"})
        .to_string()
        .into()
}

/// A secret in use, and the client that it is for.
pub(super) fn in_use() -> World {
    World {
        values: BTreeMap::from([("v0".into(), value("original-secret"))]),
        labels: BTreeMap::from([(CURRENT.into(), "v0".into())]),
        cognito: vec![("original".into(), "original-secret".into())],
        watched: true,
        ..World::default()
    }
}

pub(super) fn rotation(stand: &Stand) -> Rotation<&Stand, &Stand, &Stand> {
    let token_url = "https://t.example/".parse().unwrap();
    Rotation { secrets: stand, clients: stand, tokens: stand, token_url }
}

pub(super) async fn step(stand: &Stand, step: Step, version: &str) -> Result<(), RotateError> {
    let until = instant() + Duration::from_mins(1);
    rotation(stand).step(step, SECRET, version, until).await
}

/// A whole rotation, each step repeated until it is through, and once more after that.
pub(super) async fn rotate(stand: &Stand, version: &str) {
    stand.0.lock().unwrap().pend(version);
    for each in Step::ALL {
        let mut tries = 0;
        while let Err(error) = step(stand, each, version).await {
            stand.0.lock().unwrap().dead = false;
            tries += 1;
            assert!(tries < 3, "{each:?}: {error}");
        }
        while let Err(error) = step(stand, each, version).await {
            stand.0.lock().unwrap().dead = false;
            tries += 1;
            assert!(tries < 3, "{each:?}, once more: {error}");
        }
    }
    let world = stand.0.lock().unwrap();
    assert_eq!(world.labels[CURRENT], version);
    assert!(world.gets_token(world.current()));
}
