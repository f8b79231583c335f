//! Calls of an API with the client's own token: one retry with a fresh token after a 401, and retries of transient
//! failures.

mod error;
mod request;

use std::{fmt, sync::Arc, time::Duration};

use ::http::{HeaderValue, StatusCode, header};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;

use crate::{
    error::TokenError,
    http::{Http, Response, sensitive},
    pace::Pace,
    provider::TokenProvider,
    source::TokenSource,
    token::AccessToken,
    url::ServiceUrl,
};
pub use error::ApiError;
pub use request::{ApiRequest, TIME_LEFT, segment};

/// The largest answer that is read; API Gateway sends no larger one.
const MAX_ANSWER: usize = 10 * 1024 * 1024;

/// Retries of one call that may be repeated.
const RETRIES: u32 = 2;

/// Calls an API with the client's own tokens. Clones are cheap.
#[derive(Clone)]
pub struct ApiClient {
    tokens: Arc<dyn TokenProvider>,
    http: Http,
    base_url: Option<ServiceUrl>,
    time_limit: Duration,
}

impl ApiClient {
    /// Calls the API that the client's credentials name. Each call, its token and its retries together take
    /// `time_limit` at most: choose one that leaves you time to answer your own caller.
    pub fn new(tokens: TokenSource, time_limit: Duration) -> Self {
        let http = tokens.http().clone();
        Self { tokens: Arc::new(tokens), http, base_url: None, time_limit }
    }

    /// Calls the API at `base_url` with the tokens of any provider.
    pub fn with_provider(
        tokens: impl TokenProvider,
        http: Http,
        base_url: ServiceUrl,
        time_limit: Duration,
    ) -> Self {
        Self { tokens: Arc::new(tokens), http, base_url: Some(base_url), time_limit }
    }

    /// Sends `request` with a token of `scopes` and returns the answer, whatever its status.
    ///
    /// A 401 is retried once with a fresh token. A failed connection, no answer in time, 429, 500, 502, 503 and 504
    /// are retried a few times if the request may be repeated; the last outcome is returned.
    pub async fn send(&self, request: &ApiRequest, scopes: &[&str]) -> Result<Response, ApiError> {
        let limit = request.time_limit.map_or(self.time_limit, |limit| limit.min(self.time_limit));
        let mut pace = Pace::new(limit, RETRIES, self.http.jitter);
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
            return outcome;
        }
    }

    async fn attempt(
        &self,
        request: &ApiRequest,
        token: &AccessToken,
        pace: &Pace,
    ) -> Result<Response, ApiError> {
        let api_url = self.base_url.as_ref().or(token.api_url()).ok_or(ApiError::NoApiUrl)?;
        let time_left = pace.time_left();
        let mut built = request.build(api_url)?;
        let bearer = sensitive(&format!("Bearer {}", token.secret().expose_secret()));
        let bearer = bearer.map_err(|_| ApiError::Header(header::AUTHORIZATION.to_string()))?;
        built.headers_mut().insert(header::AUTHORIZATION, bearer);
        if request.time_limit.is_some() {
            let milliseconds = u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX);
            built.headers_mut().append(TIME_LEFT, HeaderValue::from(milliseconds));
        }
        self.http.exchange(built, MAX_ANSWER, time_left).await.map_err(ApiError::from)
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

async fn within(
    pace: &Pace,
    token: impl Future<Output = Result<AccessToken, TokenError>>,
) -> Result<AccessToken, ApiError> {
    let token = tokio::time::timeout(pace.time_left(), token).await;
    token.map_err(|_| ApiError::TimedOut)?.map_err(ApiError::Token)
}

/// How long to wait at least before another attempt; `None` if none would help.
fn retry(outcome: &Result<Response, ApiError>) -> Option<Duration> {
    match outcome {
        Ok(answer) => {
            let is_transient = matches!(answer.status.as_u16(), 429 | 500 | 502 | 503 | 504);
            is_transient.then(|| answer.retry_after().unwrap_or_default())
        }
        Err(error) => error.is_transient().then_some(Duration::ZERO),
    }
}

impl Response {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        // The parser's own message may repeat a value.
        serde_json::from_slice(&self.body).map_err(|_| ApiError::Malformed)
    }
}

#[cfg(test)]
mod tests;
