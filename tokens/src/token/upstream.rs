//! The issuer's token endpoint: one request for a token, what its answers mean, and the retry of failures that may
//! pass by themselves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::{ExchangeError, Http, Request, Response, ServiceUrl, StatusCode};
use http::header::{self, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::request::TokenRequest;
use crate::clock::instant;

/// A request takes a fraction of a second; one that takes this long is better sent again.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(2);
/// The longest wait before a second attempt; before each further one it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const ATTEMPTS: u32 = 3;
const MAX_ANSWER: usize = 64 * 1024;
/// API Gateway takes headers of 10,240 bytes together, so a longer token could not be used.
const MAX_TOKEN: usize = 10_240;

/// The endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    http: Http,
    url: ServiceUrl,
    clock: fn() -> SystemTime,
}

/// A token as the endpoint issued it.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: SecretString,
    pub(crate) token_type: String,
    pub(crate) scope: Option<String>,
    /// When it was requested, in seconds. Its life is counted from then, so that it never expires earlier than we think.
    pub(crate) asked: u64,
    pub(crate) expires: u64,
}

/// Why the endpoint returned no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// The endpoint says no, in these words of RFC 6749 section 5.2.
    #[error("the token endpoint refused: `{code}`")]
    Refused { status: u16, code: &'static str },
    /// It throttles.
    #[error("the token endpoint takes no more requests for now")]
    Throttled { retry_after: Option<Duration> },
    /// It failed.
    #[error("the token endpoint failed with status {status}")]
    Unavailable { status: u16, retry_after: Option<Duration> },
    /// No connection, or one that broke.
    #[error("the connection to the token endpoint failed: {0}")]
    Connection(String),
    /// No answer in time.
    #[error("the token endpoint did not answer in time")]
    TimedOut,
    /// A status that the protocol doesn't have.
    #[error("the token endpoint answered with status {0}")]
    Unexpected(u16),
    /// An answer that is not a token.
    #[error("the token endpoint's answer is not a token: {0}")]
    Malformed(&'static str),
}

impl UpstreamError {
    /// The label of log lines. It never changes.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::Connection(_) => "connection",
            Self::TimedOut => "timed_out",
            Self::Unexpected(_) => "unexpected_status",
            Self::Malformed(_) => "malformed_answer",
        }
    }

    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Refused { .. }
            | Self::Connection(_)
            | Self::TimedOut
            | Self::Unexpected(_)
            | Self::Malformed(_) => None,
        }
    }

    const fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Unavailable { .. } | Self::Connection(_) | Self::TimedOut => true,
            Self::Refused { .. } | Self::Unexpected(_) | Self::Malformed(_) => false,
        }
    }
}

impl Upstream {
    pub(crate) const fn new(http: Http, url: ServiceUrl, clock: fn() -> SystemTime) -> Self {
        Self { http, url, clock }
    }

    /// Asks for a token until `until`, a few times where that may help.
    pub(crate) async fn token(&self, asked: &TokenRequest, until: Instant) -> Result<Issued, UpstreamError> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let error = match self.attempt(asked, until).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => error,
                outcome => return outcome,
            };
            // What the endpoint asks for, and a random part of the doubling time on top: those who are told the same
            // do not come back together.
            let pause = error.retry_after().unwrap_or_default() + wait.mul_f64(fastrand::f64());
            if instant() + pause >= until {
                return Err(error);
            }
            sleep(pause).await;
            wait *= 2;
        }
        Err(UpstreamError::TimedOut)
    }

    async fn attempt(&self, asked: &TokenRequest, until: Instant) -> Result<Issued, UpstreamError> {
        let now = seconds((self.clock)());
        let mut request = Request::post(self.url.to_string())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if let Some(authorization) = &asked.header {
            // As received.
            let mut value = HeaderValue::from_str(authorization.expose_secret())
                .map_err(|_| UpstreamError::Malformed("the credentials"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(form(asked).into_bytes());
        let request = request.map_err(|_| UpstreamError::Malformed("its address"))?;
        let limit = ATTEMPT_LIMIT.min(until.saturating_duration_since(instant()));
        issued(&self.http.exchange(request, MAX_ANSWER, limit).await?, now)
    }
}

/// The form of the request.
fn form(asked: &TokenRequest) -> String {
    let mut form = "grant_type=client_credentials".to_owned();
    let mut add = |name: &str, value: &str| {
        form.extend(["&", name, "="]);
        form.extend(form_encoded(value));
    };
    if asked.header.is_none() {
        add("client_id", &asked.client_id);
        add("client_secret", asked.secret());
    }
    if !asked.scopes.is_empty() {
        add("scope", &asked.scopes);
    }
    if let Some(metadata) = &asked.metadata {
        add("aws_client_metadata", metadata);
    }
    form
}

/// As `application/x-www-form-urlencoded` has it; a space becomes `%20`, which every decoder reads.
fn form_encoded(text: &str) -> impl Iterator<Item = &str> {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, ENCODED)
}

impl From<ExchangeError> for UpstreamError {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::TimedOut => Self::TimedOut,
            ExchangeError::TooLarge => Self::Malformed("it is too large"),
            ExchangeError::Connection(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                Self::Connection(cause.unwrap_or_else(|| error.to_string()))
            }
            ExchangeError::Url | _ => Self::Malformed("its address"),
        }
    }
}

#[derive(Deserialize)]
struct UnverifiedToken {
    access_token: String,
    token_type: String,
    expires_in: u64,
    scope: Option<String>,
}

/// OAuth's `error`, or the `__type` and `code` of AWS's JSON protocols.
#[derive(Default, Deserialize)]
struct UnverifiedError {
    error: Option<String>,
    #[serde(rename = "__type")]
    aws_type: Option<String>,
    code: Option<String>,
}

fn issued(answer: &Response, asked: u64) -> Result<Issued, UpstreamError> {
    if answer.status != StatusCode::OK {
        return Err(failure(answer));
    }
    let token: UnverifiedToken = serde_json::from_slice(&answer.body)
        .map_err(|_| UpstreamError::Malformed("members are missing or of another type"))?;
    let fits = (1..=MAX_TOKEN).contains(&token.access_token.len());
    if !fits || !token.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(UpstreamError::Malformed("the token fits in no header"));
    }
    let expires = asked.checked_add(token.expires_in).filter(|expires| *expires > asked);
    Ok(Issued {
        token: token.access_token.into(),
        token_type: token.token_type,
        scope: token.scope,
        asked,
        expires: expires.ok_or(UpstreamError::Malformed("it has expired"))?,
    })
}

fn failure(answer: &Response) -> UpstreamError {
    let (status, retry_after) = (answer.status.as_u16(), answer.retry_after());
    let unverified: UnverifiedError = serde_json::from_slice(&answer.body).unwrap_or_default();
    let names = [&unverified.error, &unverified.aws_type, &unverified.code];
    // Cognito also says that it is called too often with status 400.
    let mut names = names.into_iter().flatten();
    if status == 429 || names.any(|name| name.ends_with("TooManyRequestsException")) {
        return UpstreamError::Throttled { retry_after };
    }
    if answer.status.is_server_error() {
        return UpstreamError::Unavailable { status, retry_after };
    }
    let known = unverified.error.as_deref().and_then(|error| CODES.iter().find(|code| **code == error));
    match (status, known) {
        (400 | 401, Some(code)) => UpstreamError::Refused { status, code },
        (401, None) => UpstreamError::Refused { status, code: "invalid_client" },
        _ => UpstreamError::Unexpected(status),
    }
}
// SPEC: RFC 6749 section 5.2
const CODES: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
