//! The errors of a token request, and which of them are transient.

use std::{fmt, sync::Arc, time::Duration};

use crate::{credentials::CredentialsError, http::ExchangeError};

/// Why there is no token. Contains nothing that the token endpoint sent, except OAuth's error codes.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The client's credentials could not be read.
    #[error("the client's credentials could not be read")]
    Credentials(#[source] CredentialsError),
    /// The credentials or the token endpoint's address do not fit in a request.
    #[error("the credentials or the token endpoint's address do not fit in a request")]
    Request,
    /// The token endpoint refused.
    #[error("the token endpoint refused: `{}`", .0.code())]
    Refused(OAuthError),
    /// Too many requests, and not enough time left to wait.
    #[error("the token endpoint accepts no more requests for now")]
    Throttled {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The token endpoint failed.
    #[error("the token endpoint failed with status {status}")]
    Unavailable {
        /// A 5xx.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// There was no connection, or it broke.
    #[error("the connection to the token endpoint failed")]
    Connection(#[source] ConnectionError),
    /// There was no answer in time.
    #[error("the token endpoint did not answer in time")]
    TimedOut,
    /// A response with a status that the protocol does not have, such as a redirect.
    #[error("the token endpoint answered with status {status}")]
    Unexpected {
        /// The status.
        status: u16,
    },
    /// The answer is not a token.
    #[error("the token endpoint's answer is not a token: {0}")]
    Malformed(&'static str),
    /// The token has expired. If this repeats, one of the clocks is wrong.
    #[error("the token expired before it could be used")]
    Expired,
    /// The request ended with the task that made it.
    #[error("the token request was interrupted")]
    Interrupted,
}

/// Why a connection failed. Contains no address.
#[derive(Clone)]
pub struct ConnectionError(Arc<reqwest::Error>);

impl ConnectionError {
    pub(crate) fn new(error: reqwest::Error) -> Self {
        // The address may hold a query, and so somebody's data.
        Self(Arc::new(error.without_url()))
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl TokenError {
    /// The log and metric label. Once released it never changes.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "credentials",
            Self::Request => "request",
            Self::Refused(error) => error.code(),
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::Connection(_) => "connection",
            Self::TimedOut => "timed_out",
            Self::Unexpected { .. } => "unexpected_status",
            Self::Malformed(_) => "malformed_answer",
            Self::Expired => "expired",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether the same request may succeed a little later.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Credentials(error) => error.is_transient(),
            Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::Connection(_)
            | Self::TimedOut
            | Self::Interrupted => true,
            Self::Request
            | Self::Refused(_)
            | Self::Unexpected { .. }
            | Self::Malformed(_)
            | Self::Expired => false,
        }
    }

    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Credentials(_)
            | Self::Request
            | Self::Refused(_)
            | Self::Connection(_)
            | Self::TimedOut
            | Self::Unexpected { .. }
            | Self::Malformed(_)
            | Self::Expired
            | Self::Interrupted => None,
        }
    }
}

impl From<ExchangeError> for TokenError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Url => Self::Request,
            ExchangeError::TimedOut => Self::TimedOut,
            ExchangeError::TooLarge => Self::Malformed("it is too large"),
            ExchangeError::Connection(error) => Self::Connection(error),
        }
    }
}

/// Why a token endpoint refuses.
// SPEC: RFC 6749 section 5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OAuthError {
    /// The request is malformed.
    InvalidRequest,
    /// The client is unknown, or its secret is wrong.
    InvalidClient,
    /// The grant is invalid.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The endpoint does not support this grant.
    UnsupportedGrantType,
    /// A scope is unknown, or the client does not have it.
    InvalidScope,
}

impl OAuthError {
    const ALL: [Self; 6] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
    ];

    /// The error with this code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.code() == code)
    }

    /// The code on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }
}
