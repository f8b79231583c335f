//! The function `rotate`: client secrets that change without a gap.

#[cfg(feature = "aws")]
pub mod aws;
mod credentials;
mod error;
mod first_value;
mod handler;
mod steps;
#[cfg(test)]
mod testing;
mod token_endpoint;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use secrecy::SecretString;

pub use credentials::generate as new_secret;
pub use error::{CallError, RotateError};
pub use handler::RotateFunction;
pub use steps::{Rotation, Step};

/// The label of the version that clients read.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version that a rotation is about to make current.
pub const PENDING: &str = "AWSPENDING";

/// What Secrets Manager returns about a secret, without its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The staging labels of each version, by its id.
    pub versions: BTreeMap<String, BTreeSet<String>>,
    /// The secret's tags.
    pub tags: BTreeMap<String, String>,
}

/// Secrets with versions and staging labels, as Secrets Manager keeps them.
pub trait Secrets: Send + Sync {
    /// The versions, labels and tags of a secret.
    fn describe(&self, secret: &str) -> impl Future<Output = Result<Described, CallError>> + Send;

    /// The value of a version; none where it has none yet.
    fn value(
        &self,
        secret: &str,
        version: &str,
    ) -> impl Future<Output = Result<Option<SecretString>, CallError>> + Send;

    /// Gives a version its value and the label `AWSPENDING`. A version's value cannot be changed.
    fn put_pending(
        &self,
        secret: &str,
        version: &str,
        value: SecretString,
    ) -> impl Future<Output = Result<(), CallError>> + Send;

    /// Moves a label from one version to another. The version that loses `AWSCURRENT` gets `AWSPREVIOUS`.
    fn move_label(
        &self,
        secret: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// The app clients of a pool and their one or two secrets, as Cognito keeps them.
pub trait Clients: Send + Sync {
    /// Returns the ids of a client's secrets; Cognito never returns the values.
    fn list(&self, client_id: &str) -> impl Future<Output = Result<Vec<String>, CallError>> + Send;

    /// Adds a secret and returns its id.
    fn add(
        &self,
        client_id: &str,
        secret: &SecretString,
    ) -> impl Future<Output = Result<String, CallError>> + Send;

    /// Deletes a secret.
    fn delete(&self, client_id: &str, id: &str) -> impl Future<Output = Result<(), CallError>> + Send;

    /// The secret that the client was made with.
    fn original(
        &self,
        client_id: &str,
    ) -> impl Future<Output = Result<Option<SecretString>, CallError>> + Send;
}

/// Whether a client gets a token with a secret.
pub trait Tokens: Send + Sync {
    /// Asks for a token once.
    fn accepts(
        &self,
        client_id: &str,
        secret: &SecretString,
    ) -> impl Future<Output = Result<bool, CallError>> + Send;
}
