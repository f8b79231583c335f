//! The error messages of the commands: what is wrong, and what to do about it.

use std::{io, path::Path};

use super::{Target, nearest::did_you_mean};
use crate::{
    api::ApiError,
    credentials::{ClientsFileError, CredentialsError},
    error::{OAuthError, TokenError},
    http::HttpError,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The credentials are incomplete.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// There is no HTTP client.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// There is no clients file.
    #[error(
        "no clients file `{0}` here; start `cargo run -p local` first, run this in the folder where it was started, or \
         name its file with `--clients-file`"
    )]
    NoClientsFile(String),
    /// No client is named, and there are several.
    #[error("name a client with `--client`: {0}")]
    NoClient(String),
    /// The clients file has no such client.
    #[error("no client `{client}` in `{file}`{nearest}{} it has {known}", if .nearest.is_empty() { ";" } else { "" })]
    UnknownClient {
        /// The name that was given.
        client: String,
        /// The clients file.
        file: String,
        /// The question whether another name was meant, or nothing.
        nearest: String,
        /// The names there are.
        known: String,
    },
    /// The client does not hold the scope.
    #[error("the client does not hold {missing}; it holds {held}")]
    Scope {
        /// What it does not hold.
        missing: String,
        /// What it holds.
        held: String,
    },
    /// Nothing answers on this machine.
    #[error("nothing answers at {0}; start `cargo run -p local`, or give its port with `--port`")]
    NotRunning(String),
    /// The issuer does not know the client.
    #[error(
        "the token endpoint does not know this client; was `{0}` written by the `local` that runs there?"
    )]
    StaleClientsFile(String),
    /// There is no token for another reason.
    #[error("no token")]
    Token(#[source] TokenError),
    /// There is no answer for another reason.
    #[error("no answer")]
    Api(#[source] ApiError),
    /// Not an HTTP method.
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    /// Not a path.
    #[error("the path `{0}` must start with a slash: `/{0}`")]
    Path(String),
    /// Not a header.
    #[error("the header `{0}` must be written `Name: value`")]
    Header(String),
    /// The data cannot be read.
    #[error("the data `{0}` cannot be read")]
    Data(String, #[source] io::Error),
    /// The data is too large.
    #[error("the data is larger than 10 MiB")]
    DataTooLarge,
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
}

impl CommandError {
    pub(super) fn of_token(error: TokenError, target: &Target) -> Self {
        match explained(&error, target) {
            Some(explained) => explained,
            None => Self::Token(error),
        }
    }

    pub(super) fn of_call(error: ApiError, target: &Target) -> Self {
        let explained = match &error {
            ApiError::Token(error) => explained(error, target),
            ApiError::Connection(_) => not_running(target, true),
            ApiError::NoApiUrl
            | ApiError::Path(_)
            | ApiError::Header(_)
            | ApiError::Body
            | ApiError::TimedOut
            | ApiError::TooLarge
            | ApiError::Malformed => None,
        };
        explained.unwrap_or(Self::Api(error))
    }
}

/// The failures that the user can do something about.
fn explained(error: &TokenError, target: &Target) -> Option<CommandError> {
    match error {
        TokenError::Credentials(CredentialsError::ClientsFile(error)) => clients_file(error),
        TokenError::Connection(_) => not_running(target, false),
        TokenError::Refused(OAuthError::InvalidScope) => scope(target),
        TokenError::Refused(OAuthError::InvalidClient) => {
            let file = target.file.as_ref()?;
            Some(CommandError::StaleClientsFile(shown(&file.path)))
        }
        TokenError::Credentials(_)
        | TokenError::Refused(_)
        | TokenError::Throttled { .. }
        | TokenError::Unavailable { .. }
        | TokenError::TimedOut
        | TokenError::Unexpected { .. }
        | TokenError::Request
        | TokenError::Malformed(_)
        | TokenError::Expired
        | TokenError::Interrupted => None,
    }
}

fn clients_file(error: &ClientsFileError) -> Option<CommandError> {
    match error {
        ClientsFileError::Unreadable { path, kind: io::ErrorKind::NotFound } => {
            Some(CommandError::NoClientsFile(shown(path)))
        }
        ClientsFileError::Unnamed { clients, .. } => Some(CommandError::NoClient(clients.join(", "))),
        ClientsFileError::Unknown { path, client, clients } => Some(CommandError::UnknownClient {
            client: client.clone(),
            file: shown(path),
            nearest: did_you_mean(client, clients.iter().map(String::as_str)),
            known: clients.join(", "),
        }),
        ClientsFileError::Unreadable { .. }
        | ClientsFileError::NotPrivate { .. }
        | ClientsFileError::Malformed { .. } => None,
    }
}

fn scope(target: &Target) -> Option<CommandError> {
    let held = target.file.as_ref()?.scopes().ok()??;
    let is_held = |scope: &&str| held.iter().any(|held| held == scope);
    let missing: Vec<&str> = target.scope.split_whitespace().filter(|scope| !is_held(scope)).collect();
    let missing = missing.join(", ");
    (!missing.is_empty()).then(|| CommandError::Scope { missing, held: held.join(", ") })
}

/// Nothing answers on this machine: the token endpoint, or the API.
fn not_running(target: &Target, is_api: bool) -> Option<CommandError> {
    let file = target.file.as_ref()?;
    let url = if is_api { file.api_url.as_ref()? } else { &file.token_url };
    url.is_loopback().then(|| CommandError::NotRunning(url.to_string()))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionError, cli::Caller};

    #[test]
    fn only_on_this_machine_a_local_is_to_be_started() {
        let caller = Caller { client: None, scope: String::new(), clients_file: None, port: None };
        let error = ConnectionError::new(reqwest::Proxy::all("").unwrap_err());
        for (url, is_told) in [("http://127.0.0.1:3000", true), ("https://auth.example", false)] {
            let target = caller.at(url.parse().unwrap(), url.parse().unwrap()).unwrap();
            let of_token = CommandError::of_token(TokenError::Connection(error.clone()), &target);
            let of_call = CommandError::of_call(ApiError::Connection(error.clone()), &target);
            for error in [of_token, of_call] {
                assert_eq!(matches!(error, CommandError::NotRunning(_)), is_told, "{url}: {error}");
            }
        }
    }
}
