use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use serde_json::json;

use super::*;
use crate::rotate::CallError;

const SECRET: &str = "scopegate/order-service";
const CLIENT: &str = "7abc";

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The process dies before it has an effect.
    DieBefore,
    /// The process dies after it has had its effect.
    DieAfter,
    /// The service turns it away.
    Throttled,
}

/// Secrets Manager, Cognito and its token endpoint, with their documented limits.
#[derive(Default)]
struct World {
    values: BTreeMap<String, SecretString>,
    labels: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    /// Ids and values; the values are only compared.
    cognito: Vec<(String, String)>,
    drawn_ids: usize,
    calls: usize,
    fate: Option<(usize, Fate)>,
    dead: bool,
    /// AWSCURRENT must get a token from now on, whatever happens.
    watched: bool,
    /// Answers of the token endpoint that a new secret has to wait for.
    lag: usize,
    deleted: Vec<String>,
}

struct Stand(Mutex<World>);

impl World {
    fn gets_token(&self, value: &SecretString) -> bool {
        let value: serde_json::Value = serde_json::from_str(value.expose_secret()).unwrap();
        value["client_id"] == CLIENT
            && self.cognito.iter().any(|(_, secret)| value["client_secret"] == *secret)
    }

    fn current(&self) -> &SecretString {
        &self.values[&self.labels[CURRENT]]
    }

    fn pend(&mut self, version: &str) {
        self.labels.insert(PENDING.to_owned(), version.to_owned());
    }
}

fn failed(operation: &'static str, reason: &str) -> CallError {
    CallError { operation, reason: reason.to_owned() }
}

impl Stand {
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
            assert!(!world.values.contains_key(version), "a version's value cannot be changed");
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

fn value(secret: &str) -> SecretString {
    json!({"client_id": CLIENT, "client_secret": secret, "token_url": "https://t.example/", "api_url": "https://a.example/"})
        .to_string()
        .into()
}

/// A secret in use, and the client that it is for.
fn in_use() -> World {
    World {
        values: BTreeMap::from([("v0".into(), value("original-secret"))]),
        labels: BTreeMap::from([(CURRENT.into(), "v0".into())]),
        cognito: vec![("original".into(), "original-secret".into())],
        watched: true,
        ..World::default()
    }
}

fn rotation(stand: &Stand) -> Rotation<&Stand, &Stand, &Stand> {
    let token_url = "https://t.example/".parse().unwrap();
    Rotation { secrets: stand, clients: stand, tokens: stand, token_url }
}

async fn step(stand: &Stand, step: Step, version: &str) -> Result<(), RotateError> {
    let until = instant() + Duration::from_mins(1);
    rotation(stand).step(step, SECRET, version, until).await
}

/// A whole rotation, each step repeated until it is through, and once more after that.
async fn rotate(stand: &Stand, version: &str) {
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

#[tokio::test(start_paused = true)]
async fn a_rotation_promotes_a_new_secret_and_keeps_the_old_one_until_the_next() {
    let stand = Stand(Mutex::new(in_use()));
    rotate(&stand, "v1").await;
    {
        let world = stand.0.lock().unwrap();
        assert_eq!(world.deleted, [""; 0]);
        assert!(world.gets_token(&world.values["v0"]), "whoever holds the old one goes on");
        let labels: Vec<_> =
            world.labels.iter().map(|(label, version)| format!("{label}={version}")).collect();
        assert_eq!(
            labels,
            ["AWSCURRENT=v1", "AWSPENDING=v1", "AWSPREVIOUS=v0", "cognito-7abc--1=v1", "cognito-original=v0"]
        );
        let new: serde_json::Value = serde_json::from_str(world.current().expose_secret()).unwrap();
        assert_eq!(
            (&new["token_url"], &new["api_url"]),
            (&json!("https://t.example/"), &json!("https://a.example/"))
        );
    }
    rotate(&stand, "v2").await;
    rotate(&stand, "v3").await;
    let world = stand.0.lock().unwrap();
    assert_eq!(world.deleted, ["original", "7abc--1"]);
    assert!(world.gets_token(&world.values["v2"]) && !world.gets_token(&world.values["v1"]));
    assert!(!world.labels.contains_key("cognito-original"));
}

#[tokio::test(start_paused = true)]
async fn death_or_throttling_at_any_call_leaves_no_gap_and_the_rotation_goes_on() {
    for fate in [Fate::DieBefore, Fate::DieAfter, Fate::Throttled] {
        for at in 0.. {
            let world = World { fate: Some((at, fate)), ..in_use() };
            let stand = Stand(Mutex::new(world));
            for version in ["v1", "v2", "v3"] {
                rotate(&stand, version).await;
            }
            let world = stand.0.lock().unwrap();
            assert_eq!(world.cognito.len(), 2, "{fate:?} at {at}");
            assert_eq!(world.deleted.len(), 2, "{fate:?} at {at}");
            if world.calls <= at {
                assert!(at > 40, "the calls of three rotations");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_was_given_up_after_any_call_makes_room_for_the_next() {
    for at in 0..30 {
        let stand = Stand(Mutex::new(World { fate: Some((at, Fate::DieAfter)), ..in_use() }));
        stand.0.lock().unwrap().pend("v1");
        for each in Step::ALL {
            if step(&stand, each, "v1").await.is_err() {
                break;
            }
        }
        {
            let mut world = stand.0.lock().unwrap();
            (world.dead, world.fate) = (false, None);
            // Where Cognito learned the value and no label tells of it, a person has to look: see the next test.
            let labelled =
                world.cognito.iter().all(|(id, _)| world.labels.contains_key(&format!("{LABEL}{id}")));
            if world.cognito.len() == 2 && !labelled {
                continue;
            }
        }
        rotate(&stand, "v2").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_no_version_holds_is_never_deleted() {
    // Somebody added one by hand before the first rotation, or after it.
    let mut world = in_use();
    world.cognito.push(("by-hand".into(), "by-hand-secret".into()));
    let stand = Stand(Mutex::new(world));
    stand.0.lock().unwrap().pend("v1");
    step(&stand, Step::Create, "v1").await.unwrap();
    let error = step(&stand, Step::Set, "v1").await.unwrap_err();
    insta::assert_snapshot!(error, @"the client 7abc has the secrets original, by-hand: it is not known which of them AWSCURRENT uses; delete the one that nobody uses, and rotate again; nothing was deleted (docs/rotate.md)");
    assert_eq!(stand.0.lock().unwrap().cognito.len(), 2);

    let stand = Stand(Mutex::new(in_use()));
    rotate(&stand, "v1").await;
    {
        let mut world = stand.0.lock().unwrap();
        world.cognito.retain(|(id, _)| id != "original");
        world.cognito.push(("by-hand".into(), "by-hand-secret".into()));
        world.pend("v2");
    }
    step(&stand, Step::Create, "v2").await.unwrap();
    let error = step(&stand, Step::Set, "v2").await.unwrap_err();
    insta::assert_snapshot!(error, @"the client 7abc has the secrets 7abc--1, by-hand: AWSCURRENT uses the other one, but no version holds by-hand; delete by-hand if nobody uses it, and rotate again; nothing was deleted (docs/rotate.md)");
    assert_eq!(stand.0.lock().unwrap().deleted, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_the_current_value_made_by_hand_keeps_its_secret() {
    let stand = Stand(Mutex::new(in_use()));
    rotate(&stand, "v1").await;
    {
        // Another api_url, the same client_secret: the label stays with v1.
        let mut world = stand.0.lock().unwrap();
        let copy = world.current().expose_secret().replace("a.example", "b.example");
        world.values.insert("by-hand".into(), copy.into());
        world.labels.insert("AWSPREVIOUS".into(), "v1".into());
        world.labels.insert(CURRENT.into(), "by-hand".into());
    }
    rotate(&stand, "v2").await;
    let world = stand.0.lock().unwrap();
    assert_eq!(world.deleted, ["original"]);
    assert!(world.current().expose_secret().contains("b.example"));
}

#[tokio::test(start_paused = true)]
async fn the_first_value_is_the_secret_that_the_client_was_made_with() {
    let tags = [("client_id", CLIENT), ("api_url", "https://a.example/dev")];
    let world = World {
        values: BTreeMap::from([("v0".into(), "{}".to_owned().into())]),
        tags: tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        watched: false,
        ..in_use()
    };
    let stand = Stand(Mutex::new(world));
    rotate(&stand, "v1").await;
    {
        let mut world = stand.0.lock().unwrap();
        let first: serde_json::Value = serde_json::from_str(world.current().expose_secret()).unwrap();
        assert_eq!(
            first,
            json!({"client_id": CLIENT, "client_secret": "original-secret", "token_url": "https://t.example/", "api_url": "https://a.example/dev"})
        );
        assert_eq!(world.cognito.len(), 1, "nothing was added");
        world.watched = true;
    }
    rotate(&stand, "v2").await;
    rotate(&stand, "v3").await;
    assert_eq!(stand.0.lock().unwrap().deleted, ["original"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_may_take_a_moment_to_arrive_and_one_that_never_does_is_not_promoted() {
    let stand = Stand(Mutex::new(in_use()));
    stand.0.lock().unwrap().pend("v1");
    for each in [Step::Create, Step::Set] {
        step(&stand, each, "v1").await.unwrap();
    }
    stand.0.lock().unwrap().lag = 5;
    step(&stand, Step::Test, "v1").await.unwrap();
    stand.0.lock().unwrap().lag = usize::MAX;
    assert_eq!(step(&stand, Step::Test, "v1").await, Err(RotateError::NotAccepted("v1".into())));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_not_pending_is_not_touched() {
    let stand = Stand(Mutex::new(in_use()));
    for each in Step::ALL {
        assert_eq!(step(&stand, each, "v9").await, Err(RotateError::NotPending("v9".into())));
        assert_eq!(step(&stand, each, "v0").await, Ok(()), "it is current already");
    }
    assert_eq!(stand.0.lock().unwrap().calls, 8);
}

#[test]
fn steps_have_the_names_of_secrets_manager() {
    let names = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    assert_eq!(names.map(str::parse), Step::ALL.map(Ok));
    assert_eq!("deleteSecret".parse::<Step>(), Err(RotateError::Event));
}
