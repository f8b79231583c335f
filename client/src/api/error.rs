//! The errors of a call, and which of them are transient.

use crate::{
    error::{ConnectionError, TokenError},
    http::ExchangeError,
};

/// Why a call has no answer, or none that can be read. Contains nothing that the API sent.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There is no token.
    #[error("no token to call the API with")]
    Token(#[source] TokenError),
    /// The credentials name no API.
    #[error("the credentials name no `api_url`")]
    NoApiUrl,
    /// The path does not start with a slash, is not percent-encoded, has dot segments, or is far too long.
    #[error("the path `{0}` must start with a slash, be percent-encoded and have no dot segments")]
    Path(String),
    /// A header that cannot be sent, or that the client sets itself.
    #[error("the header `{0}` cannot be set")]
    Header(String),
    /// The body could not be written as JSON.
    #[error("the body cannot be written as JSON")]
    Body,
    /// There was no connection, or it broke.
    #[error("the connection to the API failed")]
    Connection(#[source] ConnectionError),
    /// There was no answer in time.
    #[error("the API did not answer in time")]
    TimedOut,
    /// The answer is larger than 10 MiB.
    #[error("the API's answer is too large")]
    TooLarge,
    /// The answer is not the expected JSON.
    #[error("the API's answer is not the expected JSON")]
    Malformed,
}

impl ApiError {
    /// The log and metric label. Once released it never changes.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::NoApiUrl => "no_api_url",
            Self::Path(_) => "path",
            Self::Header(_) => "header",
            Self::Body => "body",
            Self::Connection(_) => "connection",
            Self::TimedOut => "timed_out",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed_answer",
        }
    }

    /// Whether the same call may succeed a little later. The API may have carried it out nevertheless.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Token(error) => error.is_transient(),
            Self::Connection(_) | Self::TimedOut => true,
            Self::NoApiUrl
            | Self::Path(_)
            | Self::Header(_)
            | Self::Body
            | Self::TooLarge
            | Self::Malformed => false,
        }
    }
}

impl From<ExchangeError> for ApiError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Url => Self::NoApiUrl,
            ExchangeError::TimedOut => Self::TimedOut,
            ExchangeError::TooLarge => Self::TooLarge,
            ExchangeError::Connection(error) => Self::Connection(error),
        }
    }
}
