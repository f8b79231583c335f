//! The clients' secrets: the one or two that the issuer accepts, as Cognito holds them, and the versions of the value
//! that functions read, as Secrets Manager holds them.

use std::{
    collections::BTreeMap,
    fmt,
    future::{Ready, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use client::{Credentials, CredentialsError, CredentialsSource, Reading, ServiceUrl};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokens::rotate::{CURRENT, CallError, Clients as AppClients, Described, PENDING, Secrets};
use uuid::Uuid;

use crate::{
    clients::{Client, Clients, conceal, expose},
    data::{DataError, DataFolder},
    issuer::token_url,
};

/// The file in the data folder.
const FILE: &str = "client-secrets.json";
/// The secrets that Cognito lets a client have.
const MOST: usize = 2;
/// The version that was current before.
const PREVIOUS: &str = "AWSPREVIOUS";

const NOT_FOUND: &str = "ResourceNotFoundException";

/// The saved secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file holds something else.
    #[error("`{FILE}` in the data folder does not hold clients' secrets; delete it to start with new ones")]
    Malformed,
}

/// The secrets of all clients. Each change is in the data folder, if there is one, before it takes effect.
#[derive(Default)]
pub(crate) struct ClientSecrets {
    /// The clients by name, with the secrets that they were started with.
    clients: Clients,
    /// Where this system serves.
    base: String,
    folder: Option<Arc<DataFolder>>,
    held: Mutex<Held>,
}

/// What is held for each client, by its id.
type Held = BTreeMap<String, OfClient>;

#[derive(Clone, Serialize, Deserialize)]
struct OfClient {
    /// The secrets that get a token, oldest first.
    accepted: Vec<Accepted>,
    /// The value of each version, by its id.
    values: BTreeMap<String, Hidden>,
    /// The version that has each staging label.
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Accepted {
    id: String,
    value: Hidden,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Hidden(#[serde(serialize_with = "expose", deserialize_with = "conceal")] SecretString);

impl ClientSecrets {
    /// The secrets that `folder` holds, and those of `clients` for clients that it does not know. `base` is where this
    /// system serves.
    ///
    /// # Errors
    /// If they cannot be read or saved.
    pub(crate) fn open(
        folder: Option<Arc<DataFolder>>,
        clients: Clients,
        base: String,
    ) -> Result<Self, SecretsError> {
        let saved = folder.as_ref().map_or(Ok(None), |folder| folder.read(FILE))?;
        let mut saved: Held = match saved {
            Some(saved) => serde_json::from_slice(&saved).map_err(|_| SecretsError::Malformed)?,
            None => BTreeMap::new(),
        };
        let held = |client: &Client| {
            let known = saved.remove(&client.client_id).filter(|known| known.current().is_some());
            (client.client_id.clone(), known.unwrap_or_else(|| OfClient::new(client, &base)))
        };
        let held = clients.0.values().map(held).collect();
        let secrets = Self { clients, base, folder, held: Mutex::default() };
        secrets.save(&held)?;
        *secrets.held() = held;
        Ok(secrets)
    }

    /// The clients with the secrets that are current.
    pub(crate) fn clients(&self) -> Clients {
        let mut clients = self.clients.clone();
        for client in clients.0.values_mut() {
            if let Some(secret) = self.current(&client.client_id) {
                client.client_secret = secret;
            }
        }
        clients
    }

    /// Whether this is one of the client's secrets.
    pub(crate) fn accepts(&self, client_id: &str, secret: &SecretString) -> bool {
        let secret = secret.expose_secret().as_bytes();
        let is_equal = |known: &Accepted| {
            verify_slices_are_equal(known.value.0.expose_secret().as_bytes(), secret).is_ok()
        };
        self.held().get(client_id).is_some_and(|held| held.accepted.iter().any(is_equal))
    }

    /// The ids of the client's secrets, oldest first.
    pub(crate) fn ids(&self, client_id: &str) -> Vec<String> {
        let held = self.held();
        let accepted = held.get(client_id).into_iter().flat_map(|held| &held.accepted);
        accepted.map(|accepted| accepted.id.clone()).collect()
    }

    /// What a function reads in place of Secrets Manager; `None` if there is no such client.
    pub(crate) fn source(
        self: &Arc<Self>,
        client_id: &str,
        token_url: &ServiceUrl,
        api_url: &ServiceUrl,
    ) -> Option<Source> {
        let source = Source {
            secrets: Arc::clone(self),
            client_id: client_id.to_owned(),
            token_url: token_url.clone(),
            api_url: api_url.clone(),
        };
        self.current(client_id).map(|_| source)
    }

    /// Begins a rotation as Secrets Manager does, and returns the version that is to become current: the one of a rotation
    /// that was not finished, or a new one.
    pub(crate) fn begin(&self, client_id: &str) -> Result<String, CallError> {
        self.change("RotateSecret", client_id, |held| {
            let unfinished =
                held.labels.get(PENDING).filter(|version| held.labels.get(CURRENT) != Some(version));
            let version = unfinished.cloned().unwrap_or_else(|| Uuid::new_v4().to_string());
            held.labels.insert(PENDING.to_owned(), version.clone());
            Ok(version)
        })
    }

    fn current(&self, client_id: &str) -> Option<SecretString> {
        self.held().get(client_id)?.current()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A change replaces the whole map, so it is always consistent.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, held: &Held) -> Result<(), SecretsError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let content = serde_json::to_vec(held).map_err(|_| SecretsError::Malformed)?;
        Ok(folder.write(FILE, &content)?)
    }

    /// Reads what is held for a client.
    fn read<R>(
        &self,
        operation: &'static str,
        client_id: &str,
        read: impl FnOnce(&OfClient) -> R,
    ) -> Result<R, CallError> {
        let held = self.held();
        held.get(client_id).map(read).ok_or_else(|| failed(operation, NOT_FOUND))
    }

    /// Changes what is held for a client, or nothing.
    fn change<R>(
        &self,
        operation: &'static str,
        client_id: &str,
        change: impl FnOnce(&mut OfClient) -> Result<R, &'static str>,
    ) -> Result<R, CallError> {
        let failed = |reason: &str| failed(operation, reason);
        let mut held = self.held();
        let mut changed = held.clone();
        let of_client = changed.get_mut(client_id).ok_or_else(|| failed(NOT_FOUND))?;
        let outcome = change(of_client).map_err(failed)?;
        // A version without a label is deprecated, and Secrets Manager deletes it.
        let OfClient { values, labels, .. } = of_client;
        values.retain(|version, _| labels.values().any(|labelled| labelled == version));
        self.save(&changed).map_err(|error| failed(&error.to_string()))?;
        *held = changed;
        Ok(outcome)
    }
}

impl fmt::Debug for ClientSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecrets").field("clients", &self.clients).finish_non_exhaustive()
    }
}

impl OfClient {
    fn new(Client { client_id, client_secret, .. }: &Client, base: &str) -> Self {
        let version = Uuid::new_v4().to_string();
        let value = json!({
            "client_id": client_id,
            "client_secret": client_secret.expose_secret(),
            "token_url": token_url(base),
            "api_url": base,
        });
        Self {
            accepted: vec![Accepted { id: secret_id(client_id, 1), value: Hidden(client_secret.clone()) }],
            values: [(version.clone(), Hidden(value.to_string().into()))].into(),
            labels: [(CURRENT.to_owned(), version)].into(),
        }
    }

    /// The secret in the current version.
    fn current(&self) -> Option<SecretString> {
        let value = self.values.get(self.labels.get(CURRENT)?)?;
        let value: Value = serde_json::from_str(value.0.expose_secret()).ok()?;
        value.get("client_secret")?.as_str().map(Into::into)
    }
}

/// Cognito puts the time at which the secret was made after the hyphens; a number is easier to read on a laptop.
fn secret_id(client_id: &str, number: u64) -> String {
    format!("{client_id}--{number}")
}

fn failed(operation: &'static str, reason: &str) -> CallError {
    CallError { operation, reason: reason.to_owned() }
}

/// The operations of Secrets Manager and Cognito that a rotation calls. A secret's name is the id of its client.
#[derive(Clone, Debug)]
pub(crate) struct Service(pub(crate) Arc<ClientSecrets>);

impl Secrets for Service {
    async fn describe(&self, secret: &str) -> Result<Described, CallError> {
        let base = &self.0.base;
        let tags = [("client_id", secret), ("token_url", &token_url(base)), ("api_url", base)];
        let tags = tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let versions = self.0.read("DescribeSecret", secret, |held| {
            let mut versions = BTreeMap::<_, std::collections::BTreeSet<_>>::new();
            for (label, version) in held.labels.clone() {
                versions.entry(version).or_default().insert(label);
            }
            versions
        })?;
        Ok(Described { versions, tags })
    }

    async fn value(&self, secret: &str, version: &str) -> Result<Option<SecretString>, CallError> {
        self.0.read("GetSecretValue", secret, |held| held.values.get(version).map(|value| value.0.clone()))
    }

    async fn put_pending(&self, secret: &str, version: &str, value: SecretString) -> Result<(), CallError> {
        self.0.change("PutSecretValue", secret, |held| {
            // A version's value can't be changed: the first one stays.
            held.values.entry(version.to_owned()).or_insert(Hidden(value));
            held.labels.insert(PENDING.to_owned(), version.to_owned());
            Ok(())
        })
    }

    async fn move_label(
        &self,
        secret: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), CallError> {
        self.0.change("UpdateSecretVersionStage", secret, |held| {
            let holder = held.labels.get(label).cloned();
            if holder.as_deref() != from {
                return Err("InvalidParameterException");
            }
            match to {
                None => drop(held.labels.remove(label)),
                Some(to) => drop(held.labels.insert(label.to_owned(), to.to_owned())),
            }
            if label == CURRENT {
                held.labels.extend(holder.map(|before| (PREVIOUS.to_owned(), before)));
            }
            Ok(())
        })
    }
}

impl AppClients for Service {
    async fn list(&self, client_id: &str) -> Result<Vec<String>, CallError> {
        let ids = |held: &OfClient| held.accepted.iter().map(|accepted| accepted.id.clone()).collect();
        self.0.read("ListUserPoolClientSecrets", client_id, ids)
    }

    async fn add(&self, client_id: &str, secret: &SecretString) -> Result<String, CallError> {
        self.0.change("AddUserPoolClientSecret", client_id, |held| {
            if held.accepted.len() >= MOST {
                return Err("LimitExceededException");
            }
            let number = |accepted: &Accepted| accepted.id.rsplit('-').next()?.parse::<u64>().ok();
            let last = held.accepted.iter().filter_map(number).max().unwrap_or_default();
            let id = secret_id(client_id, last.saturating_add(1));
            held.accepted.push(Accepted { id: id.clone(), value: Hidden(secret.clone()) });
            Ok(id)
        })
    }

    async fn delete(&self, client_id: &str, id: &str) -> Result<(), CallError> {
        self.0.change("DeleteUserPoolClientSecret", client_id, |held| {
            if !held.accepted.iter().any(|accepted| accepted.id == id) {
                return Err(NOT_FOUND);
            }
            if held.accepted.len() < MOST {
                return Err("InvalidParameterException");
            }
            held.accepted.retain(|accepted| accepted.id != id);
            Ok(())
        })
    }

    async fn original(&self, client_id: &str) -> Result<Option<SecretString>, CallError> {
        let first = secret_id(client_id, 1);
        self.0.read("DescribeUserPoolClient", client_id, |held| {
            let original = held.accepted.iter().find(|accepted| accepted.id == first);
            original.map(|accepted| accepted.value.0.clone())
        })
    }
}

/// The current credentials of one client, read anew each time.
pub(crate) struct Source {
    secrets: Arc<ClientSecrets>,
    client_id: String,
    token_url: ServiceUrl,
    api_url: ServiceUrl,
}

impl Source {
    fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let missing = || CredentialsError::Other { reason: "no such client".to_owned(), is_transient: false };
        Ok(Credentials {
            client_id: self.client_id.clone(),
            client_secret: self.secrets.current(&self.client_id).ok_or_else(missing)?,
            token_url: self.token_url.clone(),
            api_url: Some(self.api_url.clone()),
        })
    }
}

impl CredentialsSource for Source {
    fn read(&self) -> Reading<'_> {
        let read: Ready<_> = ready(self.credentials());
        Box::pin(read)
    }
}

#[cfg(test)]
mod tests;
