//! The four steps, each of which may be repeated, and may die anywhere.
//!
//! Cognito returns the ids of a client's secrets and never their values. So the id of each value is written down as the
//! label `cognito-<id>` of the version that holds it, the one of `AWSCURRENT` before another secret is added, and a
//! version gets the label `cognito-adding` before Cognito gets its value: of two secrets it is then known which is which,
//! whatever dies in between.

use std::{str::FromStr, time::Duration};

use client::ServiceUrl;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep};

use super::{
    CURRENT, Clients, Described, PENDING, RotateError, Secrets, Tokens,
    credentials::{self, Credentials},
};
use crate::clock::instant;

/// The label of a version that holds a secret: this prefix and the secret's id.
const LABEL: &str = "cognito-";
/// The label of the version whose value was the last one to be given to Cognito.
const ADDING: &str = "cognito-adding";
/// No label says which secret AWSCURRENT uses.
const UNKNOWN_CURRENT: &str =
    "it is not known which of them AWSCURRENT uses; delete the one that nobody uses, and rotate again";
/// The first pause before something is tried again, and the longest.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A step of a rotation, by the name that Secrets Manager calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `createSecret`: stores a new value as `AWSPENDING`.
    Create,
    /// `setSecret`: gives it to Cognito.
    Set,
    /// `testSecret`: gets a token with it.
    Test,
    /// `finishSecret`: makes it `AWSCURRENT`.
    Finish,
}

impl Step {
    /// The steps in their order.
    pub const ALL: [Self; 4] = [Self::Create, Self::Set, Self::Test, Self::Finish];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "createSecret",
            Self::Set => "setSecret",
            Self::Test => "testSecret",
            Self::Finish => "finishSecret",
        }
    }
}

impl FromStr for Step {
    type Err = RotateError;

    fn from_str(name: &str) -> Result<Self, RotateError> {
        Self::ALL.into_iter().find(|step| step.as_str() == name).ok_or(RotateError::Event)
    }
}

/// A rotation function's view of AWS.
#[derive(Clone, Debug)]
pub struct Rotation<S, C, T> {
    /// The secrets.
    pub secrets: S,
    /// The clients of the pool.
    pub clients: C,
    /// The token endpoint.
    pub tokens: T,
    /// The `token_url` of a value that has none yet.
    pub token_url: ServiceUrl,
}

/// The version that is rotated, in its secret.
struct Pending<'a> {
    secret: &'a str,
    version: &'a str,
    described: Described,
}

/// A secret of the client at Cognito.
struct Known {
    id: String,
    /// The version that holds it, and its value; none where no version has its label.
    version: Option<(String, SecretString)>,
}

impl<S: Secrets, C: Clients, T: Tokens> Rotation<S, C, T> {
    /// Runs one step for a version of a secret, by `until` at the latest. A step that was already taken changes nothing.
    ///
    /// # Errors
    /// If a call fails, or a person has to decide which secret may go. What is in use stays in use; the step can be
    /// repeated.
    pub async fn step(
        &self,
        step: Step,
        secret: &str,
        version: &str,
        until: Instant,
    ) -> Result<(), RotateError> {
        let described = self.secrets.describe(secret).await?;
        let not_pending = || RotateError::NotPending(version.to_owned());
        let labels = described.versions.get(version).ok_or_else(not_pending)?;
        if labels.contains(CURRENT) {
            return Ok(());
        }
        if !labels.contains(PENDING) {
            return Err(not_pending());
        }
        let pending = Pending { secret, version, described };
        match step {
            Step::Create => self.create(&pending).await,
            Step::Set => self.set(&pending).await,
            Step::Test => self.test(&pending, until).await,
            Step::Finish => {
                let current = pending.described.current()?;
                Ok(self.secrets.move_label(secret, CURRENT, Some(current), Some(version)).await?)
            }
        }
    }

    /// Stores the new value before Cognito gets it.
    async fn create(&self, pending: &Pending<'_>) -> Result<(), RotateError> {
        if self.secrets.value(pending.secret, pending.version).await?.is_some() {
            return Ok(());
        }
        let (version, current) = self.current(pending.secret, &pending.described).await?;
        let (client_id, _) = current.complete(&version)?;
        let value =
            current.with(client_id, &credentials::generate()?, &self.token_url, &pending.described.tags);
        Ok(self.secrets.put_pending(pending.secret, pending.version, value).await?)
    }

    /// Deletes the secret that nobody needs, if there are two, and gives Cognito the new value.
    async fn set(&self, pending: &Pending<'_>) -> Result<(), RotateError> {
        let value = self.read(pending.secret, pending.version).await?;
        let (client_id, new) = value.complete(pending.version)?;
        let known = self.known(pending, client_id).await?;
        if let Some(known) = known.iter().find(|known| known.is(&new)) {
            return self.label(pending, pending.version, &known.id).await;
        }
        let (current_version, current) = self.current(pending.secret, &pending.described).await?;
        let current = current.secret_of(client_id).ok_or_else(|| RotateError::Value {
            version: current_version.clone(),
            fault: "has no secret of the client that AWSPENDING is for",
        })?;
        let unknown = |why: String| Err(unknown(client_id, &known, why));
        match known.as_slice() {
            // It must have its label before there are two.
            [only] if only.version.is_none() && self.tokens.accepts(client_id, &current).await? => {
                self.label(pending, &current_version, &only.id).await?;
            }
            [one, other] => {
                let other = match (one.is(&current), other.is(&current)) {
                    (true, _) => other,
                    (_, true) => one,
                    // The labelled one has another value, so AWSCURRENT uses the other one, if it uses either.
                    _ => {
                        let (of_current, other) = match (&one.version, &other.version) {
                            (None, Some(_)) => (one, other),
                            (Some(_), None) => (other, one),
                            _ => return unknown(UNKNOWN_CURRENT.to_owned()),
                        };
                        if !self.tokens.accepts(client_id, &current).await? {
                            return unknown(
                                "AWSCURRENT gets no token; put a good value into the secret".to_owned(),
                            );
                        }
                        self.label(pending, &current_version, &of_current.id).await?;
                        other
                    }
                };
                match self.holder(pending, client_id, &current, &known, other).await? {
                    // An earlier attempt died before it wrote down that this one is ours.
                    Some(version) if version == pending.version => {
                        return self.label(pending, &version, &other.id).await;
                    }
                    Some(version) => {
                        self.label(pending, &version, &other.id).await?;
                        self.delete(pending, client_id, &current_version, &version, &other.id).await?;
                    }
                    None => {
                        let id = &other.id;
                        return unknown(format!(
                            "AWSCURRENT uses the other one, but no version holds {id}; delete {id} if nobody uses it, \
                             and rotate again"
                        ));
                    }
                }
            }
            _ => {}
        }
        let before = pending.described.holder(ADDING);
        if before != Some(pending.version) {
            self.secrets.move_label(pending.secret, ADDING, before, Some(pending.version)).await?;
        }
        let id = self.clients.add(client_id, &new).await?;
        self.label(pending, pending.version, &id).await
    }

    /// The version that holds the secret beside `AWSCURRENT`'s: the one with the label, or the one of a
    /// rotation that died before it could set that. That it got a token shows that Cognito has its value.
    async fn holder(
        &self,
        pending: &Pending<'_>,
        client_id: &str,
        current: &SecretString,
        known: &[Known],
        other: &Known,
    ) -> Result<Option<String>, RotateError> {
        if let Some((version, _)) = &other.version {
            return Ok(Some(version.clone()));
        }
        let Some(version) = pending.described.holder(ADDING) else { return Ok(None) };
        let added = self.read(pending.secret, version).await?.secret_of(client_id);
        // INVARIANT: if it is one of those that are known, `other` is somebody else's.
        let added =
            added.filter(|added| !is_equal(added, current) && !known.iter().any(|known| known.is(added)));
        let Some(added) = added else { return Ok(None) };
        Ok(self.tokens.accepts(client_id, &added).await?.then(|| version.to_owned()))
    }

    /// Deletes the secret of a version that is no longer current, or never was.
    async fn delete(
        &self,
        pending: &Pending<'_>,
        client_id: &str,
        current_version: &str,
        version: &str,
        id: &str,
    ) -> Result<(), RotateError> {
        // INVARIANT: what AWSCURRENT uses is never deleted. Somebody may have moved the label a moment ago.
        let described = self.secrets.describe(pending.secret).await?;
        if described.current()? != current_version {
            return Err(RotateError::NotPending(pending.version.to_owned()));
        }
        self.clients.delete(client_id, id).await?;
        let label = format!("{LABEL}{id}");
        Ok(self.secrets.move_label(pending.secret, &label, Some(version), None).await?)
    }

    /// Gets a token with the new value, which may take a moment to arrive.
    async fn test(&self, pending: &Pending<'_>, until: Instant) -> Result<(), RotateError> {
        let value = self.read(pending.secret, pending.version).await?;
        let (client_id, new) = value.complete(pending.version)?;
        let mut pause = FIRST_PAUSE;
        loop {
            let outcome = self.tokens.accepts(client_id, &new).await;
            if outcome == Ok(true) {
                return Ok(());
            }
            if instant() + pause >= until {
                outcome?;
                return Err(RotateError::NotAccepted(pending.version.to_owned()));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Labels the version that holds the secret with this id.
    async fn label(&self, pending: &Pending<'_>, version: &str, id: &str) -> Result<(), RotateError> {
        let label = format!("{LABEL}{id}");
        if pending.described.holder(&label).is_some() {
            return Ok(());
        }
        Ok(self.secrets.move_label(pending.secret, &label, None, Some(version)).await?)
    }

    /// The client's secrets at Cognito, with the versions that hold them according to the labels.
    async fn known(&self, pending: &Pending<'_>, client_id: &str) -> Result<Vec<Known>, RotateError> {
        let mut known = Vec::new();
        for id in self.clients.list(client_id).await? {
            let holder = pending.described.holder(&format!("{LABEL}{id}"));
            let version = match holder {
                None => None,
                Some(version) => {
                    let value = self.read(pending.secret, version).await?;
                    Some((version.to_owned(), value.complete(version)?.1))
                }
            };
            known.push(Known { id, version });
        }
        Ok(known)
    }

    /// The version that is `AWSCURRENT`, and its value.
    pub(super) async fn current(
        &self,
        secret: &str,
        described: &Described,
    ) -> Result<(String, Credentials), RotateError> {
        let version = described.current()?;
        Ok((version.to_owned(), self.read(secret, version).await?))
    }

    async fn read(&self, secret: &str, version: &str) -> Result<Credentials, RotateError> {
        let value = self.secrets.value(secret, version).await?;
        let missing = || RotateError::Value { version: version.to_owned(), fault: "has no value" };
        Credentials::parse(version, &value.ok_or_else(missing)?)
    }
}

impl Described {
    fn current(&self) -> Result<&str, RotateError> {
        self.holder(CURRENT).ok_or(RotateError::NoCurrent)
    }

    fn holder(&self, label: &str) -> Option<&str> {
        let mut versions = self.versions.iter();
        versions.find(|(_, labels)| labels.contains(label)).map(|(version, _)| version.as_str())
    }
}

impl Known {
    fn is(&self, secret: &SecretString) -> bool {
        self.version.as_ref().is_some_and(|(_, held)| is_equal(held, secret))
    }
}

fn is_equal(one: &SecretString, other: &SecretString) -> bool {
    let (one, other) = (one.expose_secret().as_bytes(), other.expose_secret().as_bytes());
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

fn unknown(client_id: &str, known: &[Known], why: String) -> RotateError {
    let ids: Vec<&str> = known.iter().map(|known| known.id.as_str()).collect();
    RotateError::Unknown { client_id: client_id.to_owned(), ids: ids.join(", "), why }
}

#[cfg(test)]
mod tests;
