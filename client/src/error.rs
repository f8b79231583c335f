//! Owns why there is no token, and which of these reasons may pass by themselves.

use std::{sync::Arc, time::Duration};

use crate::{credentials::CredentialsError, http::NoAnswer};

/// Why there is no token. Holds no text that the token endpoint sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// The client's own credentials are not to be had.
    #[error("the client's credentials could not be read")]
    Credentials(#[source] CredentialsError),
    /// The token endpoint refused.
    #[error("the token endpoint refused: `{}`", .0.code())]
    Refused(OAuthError),
    /// Too many requests, and no more time to wait.
    #[error("the token endpoint takes no more requests for now")]
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
    /// No connection, or one that broke.
    #[error("the connection to the token endpoint failed")]
    Connection(#[source] Arc<reqwest::Error>),
    /// No answer in time.
    #[error("the token endpoint did not answer in time")]
    TimedOut,
    /// An answer of another status than the protocol has, a redirect for one.
    #[error("the token endpoint answered with status {status}")]
    Unexpected {
        /// The status.
        status: u16,
    },
    /// An answer that is no token: what is wrong with it.
    #[error("the token endpoint's answer is no token: {0}")]
    Malformed(&'static str),
    /// A token whose life is over; where that stays so, one of the clocks is wrong.
    #[error("the token has expired before it could be used")]
    Expired,
    /// The request was given up along with the task that made it.
    #[error("the token request was interrupted")]
    Interrupted,
}

impl TokenError {
    /// The log and metric label. Once released it never changes.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "credentials",
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
            Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::Connection(_)
            | Self::TimedOut
            | Self::Interrupted => true,
            Self::Credentials(_)
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

impl From<NoAnswer> for TokenError {
    fn from(reason: NoAnswer) -> Self {
        match reason {
            NoAnswer::TimedOut => Self::TimedOut,
            NoAnswer::TooLarge => Self::Malformed("it is too large"),
            NoAnswer::Connection(error) => Self::Connection(error),
        }
    }
}

/// What a token endpoint refuses with.
// SPEC: RFC 6749 section 5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// The request is not well formed.
    InvalidRequest,
    /// The client is unknown, or its secret is wrong.
    InvalidClient,
    /// The grant is not good.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The endpoint does not know this grant.
    UnsupportedGrantType,
    /// A scope is unknown, or not the client's.
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

    /// The error with this code, if it is one.
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
