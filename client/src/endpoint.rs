//! The token request: how the client proves its identity, what each answer means, and which failures are retried.

use std::time::{Duration, SystemTime};

use ::http::{Request, StatusCode, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    credentials::Credentials,
    error::{OAuthError, TokenError},
    http::{Http, Response, sensitive},
    pace::Pace,
    token::AccessToken,
    url::ServiceUrl,
};

/// A request takes a fraction of a second; one that takes this long is retried.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(3);

/// Large enough for a response with the largest token.
const MAX_ANSWER: usize = 64 * 1024;

/// API Gateway accepts 10,240 bytes of headers in total, so a longer token could not be used.
const MAX_TOKEN: usize = 10_240;

/// How a client proves its identity to the token endpoint.
// SPEC: RFC 6749 section 2.3.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// By HTTP Basic, which every token endpoint must support (`client_secret_basic`).
    #[default]
    Basic,
    /// By `client_id` and `client_secret` in the body (`client_secret_post`), for issuers that do not support Basic.
    Body,
}

/// The parameters of a token request besides credentials and scopes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grant {
    pub(crate) authentication: ClientAuthentication,
    pub(crate) audience: Option<String>,
    pub(crate) resources: Vec<String>,
    /// Instead of the credentials' own.
    pub(crate) token_url: Option<ServiceUrl>,
}

impl Grant {
    /// The body of the request for `scopes`.
    fn form(&self, credentials: &Credentials, scopes: &str) -> String {
        let mut form = "grant_type=client_credentials".to_owned();
        let mut push = |name: &str, value: &str| {
            form.push('&');
            form.push_str(name);
            form.push('=');
            form.extend(form_encoded(value));
        };
        if !scopes.is_empty() {
            push("scope", scopes);
        }
        if let Some(audience) = &self.audience {
            push("audience", audience);
        }
        for resource in &self.resources {
            push("resource", resource);
        }
        match self.authentication {
            ClientAuthentication::Basic => {}
            ClientAuthentication::Body => {
                push("client_id", &credentials.client_id);
                push("client_secret", credentials.client_secret.expose_secret());
            }
        }
        form
    }
}

/// Requests a token of `scopes`, sorted and separated by spaces (none: all that the client has), and repeats the
/// request, at `pace`, where that may help.
pub(crate) async fn request(
    credentials: &Credentials,
    grant: &Grant,
    scopes: &str,
    mut pace: Pace,
    http: &Http,
    clock: &(dyn Fn() -> SystemTime + Send + Sync),
) -> Result<AccessToken, TokenError> {
    loop {
        // A token's life is counted from before the request, so it never ends earlier than we think.
        match attempt(credentials, grant, scopes, pace.time_left(), http, clock()).await {
            Err(error) if error.is_transient() && pace.wait(error.retry_after()).await => {
                tracing::debug!(scopes, reason = error.label(), "token request repeated");
            }
            Ok(token) if !token.is_alive(clock()) => return Err(TokenError::Expired),
            outcome => return outcome,
        }
    }
}

async fn attempt(
    credentials: &Credentials,
    grant: &Grant,
    scopes: &str,
    time_left: Duration,
    http: &Http,
    now: SystemTime,
) -> Result<AccessToken, TokenError> {
    let url = grant.token_url.as_ref().unwrap_or(&credentials.token_url);
    let mut request = Request::post(url.to_string())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json");
    if grant.authentication == ClientAuthentication::Basic {
        let basic = sensitive(&basic(credentials)).map_err(|_| TokenError::Request)?;
        request = request.header(header::AUTHORIZATION, basic);
    }
    let form = grant.form(credentials, scopes).into_bytes();
    let request = request.body(form).map_err(|_| TokenError::Request)?;
    let answer = http.exchange(request, MAX_ANSWER, ATTEMPT_LIMIT.min(time_left)).await?;
    if answer.status != StatusCode::OK {
        return Err(failure(&answer));
    }
    let unverified: UnverifiedToken = serde_json::from_slice(&answer.body)
        .map_err(|_| TokenError::Malformed("it is not the JSON of a token answer"))?;
    // SPEC: RFC 6749 section 7.1: a token of an unknown type must not be used
    if !unverified.token_type.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Malformed("it is not a bearer token"));
    }
    let fits = (1..=MAX_TOKEN).contains(&unverified.access_token.len());
    if !fits || !unverified.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Malformed("the token does not fit in a header"));
    }
    let seconds = unverified.expires_in.and_then(|seconds| seconds.as_f64());
    let expires_in = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    AccessToken::received(unverified.access_token, expires_in, now, credentials.api_url.clone())
        .ok_or(TokenError::Malformed("it does not say when the token expires"))
}

/// Id and secret are form-encoded before they are joined, since the id may contain a colon.
// SPEC: RFC 6749 section 2.3.1
fn basic(credentials: &Credentials) -> String {
    let mut pair: String = form_encoded(&credentials.client_id).collect();
    pair.push(':');
    pair.extend(form_encoded(credentials.client_secret.expose_secret()));
    format!("Basic {}", STANDARD.encode(pair))
}

/// In the form of `application/x-www-form-urlencoded`; a space becomes `%20`, which every decoder reads.
fn form_encoded(text: &str) -> impl Iterator<Item = &str> {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, ENCODED)
}

/// The answer to a request that succeeded, before it is checked.
#[derive(Deserialize)]
struct UnverifiedToken {
    access_token: String,
    token_type: String,
    expires_in: Option<serde_json::Value>,
}

/// What an answer without a token means.
fn failure(answer: &Response) -> TokenError {
    let (status, retry_after) = (answer.status, answer.retry_after());
    let unverified: UnverifiedError = serde_json::from_slice(&answer.body).unwrap_or_default();
    if status == StatusCode::TOO_MANY_REQUESTS || unverified.is_throttling() {
        return TokenError::Throttled { retry_after };
    }
    if status.is_server_error() {
        return TokenError::Unavailable { status: status.as_u16(), retry_after };
    }
    let error = unverified.error.as_deref().and_then(OAuthError::from_code);
    match (status, error) {
        (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED, Some(error)) => TokenError::Refused(error),
        // SPEC: RFC 6749 section 5.2: 401 is for a client that could not prove its identity
        (StatusCode::UNAUTHORIZED, None) => TokenError::Refused(OAuthError::InvalidClient),
        _ => TokenError::Unexpected { status: status.as_u16() },
    }
}

/// A refusal, before it is checked: OAuth's `error`, or the `__type` and `code` of AWS's JSON protocols.
#[derive(Default, Deserialize)]
struct UnverifiedError {
    error: Option<String>,
    #[serde(rename = "__type")]
    aws_type: Option<String>,
    code: Option<String>,
}

impl UnverifiedError {
    /// Cognito also answers 400 if it is called too often.
    fn is_throttling(&self) -> bool {
        let names = [&self.error, &self.aws_type, &self.code];
        names.into_iter().flatten().any(|name| name.ends_with("TooManyRequestsException"))
    }
}

#[cfg(test)]
mod tests;
