//! Owns a call of an API with the client's own token: the bearer, one retry with a fresh token after a 401, and the
//! retry of failures that may pass. What an answer means is left to the caller.

mod request;

use std::{fmt, sync::Arc, time::Duration};

use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use crate::{
    error::TokenError,
    http::{Answer, NoAnswer, exchange},
    pace::Pace,
    source::TokenSource,
    token::AccessToken,
};
pub use request::{ApiRequest, segment};

/// The largest answer that is read; API Gateway sends no larger one.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// Retries of one call, where it may be repeated.
const RETRIES: u32 = 2;

/// Calls the API that the client's credentials name, with the client's own tokens. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct ApiClient {
    tokens: TokenSource,
    time_limit: Duration,
}

impl ApiClient {
    /// Calls with `tokens`; each call, its token and its retries together take `time_limit` at most.
    ///
    /// A function chooses a limit that leaves it time to answer its own caller.
    pub fn new(tokens: TokenSource, time_limit: Duration) -> Self {
        Self { tokens, time_limit }
    }

    /// Sends `request` with a token of `scopes` and returns the answer, whatever its status.
    ///
    /// A 401 is tried again once with a fresh token. No connection, no answer in time, 429, 500, 502, 503 and 504
    /// are tried again a few times if the request may be repeated; the last outcome is returned.
    pub async fn send(&self, request: &ApiRequest, scopes: &[&str]) -> Result<ApiResponse, ApiError> {
        let mut pace = Pace::new(self.time_limit, RETRIES, self.tokens.http().jitter);
        let mut is_replaced = false;
        loop {
            let token = within(&pace, self.tokens.token(scopes)).await?;
            let mut outcome = self.attempt(request, &token, &pace).await;
            if !is_replaced && matches!(&outcome, Ok(answer) if answer.status == StatusCode::UNAUTHORIZED) {
                is_replaced = true;
                let fresh = within(&pace, self.tokens.replacement(scopes, &token)).await?;
                if !fresh.is(&token) {
                    outcome = self.attempt(request, &fresh, &pace).await;
                }
            }
            if let Some(wait) = retry(&outcome)
                && request.may_be_repeated()
                && pace.wait(Some(wait)).await
            {
                continue;
            }
            return outcome.map(|Answer { status, body, .. }| ApiResponse { status, body });
        }
    }

    async fn attempt(
        &self,
        request: &ApiRequest,
        token: &AccessToken,
        pace: &Pace,
    ) -> Result<Answer, ApiError> {
        let api_url = token.api_url().ok_or(ApiError::NoApiUrl)?;
        let request = request.build(self.tokens.http(), api_url)?;
        // The token is visible ASCII: `endpoint` takes no other.
        let request = request.bearer_auth(token.secret().expose_secret());
        exchange(request, MAX_ANSWER, pace.time_left()).await.map_err(ApiError::from)
    }
}

async fn within(
    pace: &Pace,
    token: impl Future<Output = Result<AccessToken, TokenError>>,
) -> Result<AccessToken, ApiError> {
    let token = tokio::time::timeout(pace.time_left(), token).await;
    token.map_err(|_| ApiError::TimedOut)?.map_err(ApiError::Token)
}

/// How long to wait for another attempt at least; `None` where none would help.
fn retry(outcome: &Result<Answer, ApiError>) -> Option<Duration> {
    match outcome {
        Ok(answer) => {
            let is_transient = matches!(answer.status.as_u16(), 429 | 500 | 502 | 503 | 504);
            is_transient.then(|| answer.retry_after.unwrap_or_default())
        }
        Err(error) => error.is_transient().then_some(Duration::ZERO),
    }
}

/// An answer of the API, whatever its status.
#[derive(Clone)]
pub struct ApiResponse {
    /// The status.
    pub status: StatusCode,
    /// The whole body.
    pub body: Vec<u8>,
}

impl ApiResponse {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        // The parser's own message may repeat a value.
        serde_json::from_slice(&self.body).map_err(|_| ApiError::Malformed)
    }
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        f.debug_struct("ApiResponse")
            .field("status", &status)
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a call brought no answer, or none that can be read. Holds no text that the API sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// There is no token to call with.
    #[error("no token to call the API with")]
    Token(#[source] TokenError),
    /// The credentials name no API.
    #[error("the credentials name no `api_url`")]
    NoApiUrl,
    /// The path does not begin with a slash, is not percent-encoded, or has dot segments.
    #[error("the path `{0}` is not percent-encoded, or has dot segments")]
    Path(String),
    /// A header that cannot be sent, or that is not the caller's to set.
    #[error("the header `{0}` cannot be set")]
    Header(String),
    /// The body could not be written as JSON.
    #[error("the body cannot be written as JSON")]
    Body,
    /// No connection, or one that broke.
    #[error("the connection to the API failed")]
    Connection(#[source] Arc<reqwest::Error>),
    /// No answer in time.
    #[error("the API did not answer in time")]
    TimedOut,
    /// An answer beyond 10 MiB.
    #[error("the API's answer is too large")]
    TooLarge,
    /// An answer that is not the JSON it should be.
    #[error("the API's answer is not the JSON it should be")]
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

    /// Whether the same call may succeed a little later. It may have been carried out all the same.
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

impl From<NoAnswer> for ApiError {
    fn from(reason: NoAnswer) -> Self {
        match reason {
            NoAnswer::TimedOut => Self::TimedOut,
            NoAnswer::TooLarge => Self::TooLarge,
            NoAnswer::Connection(error) => Self::Connection(error),
        }
    }
}

#[cfg(test)]
mod tests;
