//! The credentials of a client, and where they are read from: fixed values and the environment here, AWS Secrets
//! Manager and a clients file in the modules below.

mod clients_file;
#[cfg(feature = "aws")]
mod secrets_manager;

use std::{fmt, pin::Pin};

use secrecy::SecretString;
use serde::Deserialize;

use crate::url::{ServiceUrl, UrlError};
pub use clients_file::{ClientsFile, ClientsFileError};
#[cfg(feature = "aws")]
pub use secrets_manager::SecretsManager;

/// A client's id and secret, and the addresses they are for.
#[derive(Clone)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
    /// Where tokens come from.
    pub token_url: ServiceUrl,
    /// The API to call, for an [`ApiClient`](crate::ApiClient).
    pub api_url: Option<ServiceUrl>,
}

impl Credentials {
    /// Reads `CLIENT_ID`, `CLIENT_SECRET`, `TOKEN_URL` and, if it is set, `API_URL`; `vars` is a look-up by name.
    /// An empty value counts as none.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, CredentialsError> {
        let unverified = Unverified {
            client_id: vars("CLIENT_ID"),
            client_secret: vars("CLIENT_SECRET"),
            token_url: vars("TOKEN_URL"),
            api_url: vars("API_URL"),
        };
        unverified.parse(["CLIENT_ID", "CLIENT_SECRET", "TOKEN_URL", "API_URL"])
    }

    /// Reads a JSON object of `client_id`, `client_secret`, `token_url` and, if there is one, `api_url`: the
    /// form of the secret in AWS Secrets Manager. Other members are ignored.
    pub fn from_json(text: &str) -> Result<Self, CredentialsError> {
        // The parser's own message may repeat a value.
        let unverified: Unverified = serde_json::from_str(text).map_err(|_| CredentialsError::NotJson)?;
        unverified.parse(["client_id", "client_secret", "token_url", "api_url"])
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("token_url", &self.token_url)
            .field("api_url", &self.api_url)
            .finish_non_exhaustive()
    }
}

/// The future credentials that a [`CredentialsSource`] returns.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Credentials, CredentialsError>> + Send + 'a>>;

/// Where credentials are read from: on first use, and again if the token endpoint refuses them, since they may have
/// been rotated.
pub trait CredentialsSource: Send + Sync + 'static {
    /// Reads the credentials as they are now. Failures are not remembered.
    fn read(&self) -> Reading<'_>;
}

/// Credentials that never change.
impl CredentialsSource for Credentials {
    fn read(&self) -> Reading<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

/// Why there are no credentials. Contains names and paths, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// Values that are missing or wrong, all of them.
    #[error("{}", .0.iter().map(Problem::to_string).collect::<Vec<_>>().join(", "))]
    Invalid(Vec<Problem>),
    /// They could not be read in time.
    #[error("the credentials could not be read in time")]
    TimedOut,
    /// Not a JSON object of strings.
    #[error("the credentials are not a JSON object of strings")]
    NotJson,
    /// The secret could not be read from Secrets Manager.
    #[error("the secret `{secret_id}` could not be read from Secrets Manager: {reason}")]
    SecretsManager {
        /// Its name or ARN.
        secret_id: String,
        /// The service's error code, or where the request failed.
        reason: String,
        /// Whether reading it may succeed a little later.
        is_transient: bool,
    },
    /// The clients file could not be read.
    #[error(transparent)]
    ClientsFile(#[from] ClientsFileError),
    /// Why your own [`CredentialsSource`] has none.
    #[error("{reason}")]
    Other {
        /// The reason, without a value.
        reason: String,
        /// Whether reading them may succeed a little later.
        is_transient: bool,
    },
}

impl CredentialsError {
    /// Whether reading them may succeed a little later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::SecretsManager { is_transient, .. } | Self::Other { is_transient, .. } => *is_transient,
            Self::Invalid(_) | Self::NotJson | Self::ClientsFile(_) => false,
        }
    }
}

/// A value that is missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is missing or empty.
    #[error("`{0}` is not set")]
    Missing(&'static str),
    /// It is not an address to which a secret may be sent.
    #[error("`{0}` {1}")]
    Url(&'static str, UrlError),
}

/// Credentials as they were read.
#[derive(Deserialize)]
struct Unverified {
    client_id: Option<String>,
    client_secret: Option<String>,
    token_url: Option<String>,
    api_url: Option<String>,
}

impl Unverified {
    /// Parses each value and reports all problems together, by the names that the values have at their source.
    fn parse(self, names: [&'static str; 4]) -> Result<Credentials, CredentialsError> {
        let [id_name, secret_name, token_url_name, api_url_name] = names;
        let mut problems = Vec::new();
        let client_id = required(id_name, self.client_id, &mut problems);
        let client_secret = required(secret_name, self.client_secret, &mut problems);
        let token_url = required(token_url_name, self.token_url, &mut problems)
            .and_then(|text| url(token_url_name, &text, &mut problems));
        let api_url = self
            .api_url
            .filter(|text| !text.is_empty())
            .and_then(|text| url(api_url_name, &text, &mut problems));
        match (client_id, client_secret, token_url) {
            (Some(client_id), Some(secret), Some(token_url)) if problems.is_empty() => {
                Ok(Credentials { client_id, client_secret: SecretString::from(secret), token_url, api_url })
            }
            _ => Err(CredentialsError::Invalid(problems)),
        }
    }
}

fn required(name: &'static str, value: Option<String>, problems: &mut Vec<Problem>) -> Option<String> {
    let value = value.filter(|text| !text.is_empty());
    if value.is_none() {
        problems.push(Problem::Missing(name));
    }
    value
}

fn url(name: &'static str, text: &str, problems: &mut Vec<Problem>) -> Option<ServiceUrl> {
    text.parse().map_err(|error| problems.push(Problem::Url(name, error))).ok()
}

#[cfg(test)]
mod tests;
