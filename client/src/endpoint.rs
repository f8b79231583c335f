//! Owns the request to `/oauth2/token`: how the client proves itself, what each answer means, and the retry of
//! failures that may pass. Keeping the token, and reading credentials, is left to `source`.

use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode, header};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    credentials::Credentials,
    error::{OAuthError, TokenError},
    http::{Answer, Http, exchange},
    pace::Pace,
    token::AccessToken,
};

/// One request takes a fraction of a second; one that takes this long is better begun anew.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(3);

/// An answer with a token of the largest size has room in it.
const MAX_ANSWER: usize = 64 * 1024;

/// API Gateway takes headers of 10,240 bytes together, so a longer token could not be used.
const MAX_TOKEN: usize = 10_240;

/// Asks for a token of `scopes`, sorted and separated by spaces (none: all that the client has), and tries again,
/// at `pace`, where that may help.
pub(crate) async fn request(
    credentials: &Credentials,
    scopes: &str,
    pace: &mut Pace,
    http: &Http,
    clock: &(dyn Fn() -> SystemTime + Send + Sync),
) -> Result<AccessToken, TokenError> {
    loop {
        // A token's life is counted from before the request, so that it never ends later than we think.
        match attempt(credentials, scopes, pace.time_left(), http, clock()).await {
            Err(error) if error.is_transient() && pace.wait(error.retry_after()).await => {}
            Ok(token) if !token.is_alive(clock()) => return Err(TokenError::Expired),
            outcome => return outcome,
        }
    }
}

async fn attempt(
    credentials: &Credentials,
    scopes: &str,
    time_left: Duration,
    http: &Http,
    now: SystemTime,
) -> Result<AccessToken, TokenError> {
    let mut form = "grant_type=client_credentials".to_owned();
    if !scopes.is_empty() {
        form.push_str("&scope=");
        form.extend(form_encoded(scopes));
    }
    let mut basic = header::HeaderValue::from_str(&basic(credentials))
        .map_err(|_| TokenError::Malformed("the credentials fit in no header"))?;
    basic.set_sensitive(true);
    let request = http
        .request(Method::POST, credentials.token_url.as_url().clone())
        .header(header::AUTHORIZATION, basic)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(form);
    let answer = exchange(request, MAX_ANSWER, ATTEMPT_LIMIT.min(time_left)).await?;
    if answer.status != StatusCode::OK {
        return Err(failure(&answer));
    }
    let unverified: UnverifiedToken = serde_json::from_slice(&answer.body)
        .map_err(|_| TokenError::Malformed("it is not what it should be"))?;
    // SPEC: RFC 6749 section 7.1: a token of a type one does not know is not used
    if !unverified.token_type.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Malformed("it is not a bearer token"));
    }
    let fits = (1..=MAX_TOKEN).contains(&unverified.access_token.len());
    if !fits || !unverified.access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Malformed("the token fits in no header"));
    }
    let seconds = unverified.expires_in.and_then(|seconds| seconds.as_f64());
    let expires_in = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    AccessToken::new(unverified.access_token, expires_in, now, credentials.api_url.clone())
        .ok_or(TokenError::Malformed("it does not say how long the token lives"))
}

/// Id and secret are form-encoded before they are put together, so that a colon in the id stays in the id.
// SPEC: RFC 6749 section 2.3.1
fn basic(credentials: &Credentials) -> String {
    let mut pair: String = form_encoded(&credentials.client_id).collect();
    pair.push(':');
    pair.extend(form_encoded(credentials.client_secret.expose_secret()));
    format!("Basic {}", STANDARD.encode(pair))
}

/// As `application/x-www-form-urlencoded` has it; a space becomes `%20`, which every decoder reads.
fn form_encoded(text: &str) -> impl Iterator<Item = &str> {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    utf8_percent_encode(text, ENCODED)
}

/// A good answer, before it is looked at.
#[derive(Deserialize)]
struct UnverifiedToken {
    access_token: String,
    token_type: String,
    expires_in: Option<serde_json::Value>,
}

/// What an answer that brings no token means.
fn failure(answer: &Answer) -> TokenError {
    let (status, retry_after) = (answer.status, answer.retry_after);
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
        // SPEC: RFC 6749 section 5.2: 401 is for a client that could not prove itself
        (StatusCode::UNAUTHORIZED, None) => TokenError::Refused(OAuthError::InvalidClient),
        _ => TokenError::Unexpected { status: status.as_u16() },
    }
}

/// A refusal, before it is looked at: OAuth's `error`, or the `__type` and `code` of AWS's JSON protocols.
#[derive(Default, Deserialize)]
struct UnverifiedError {
    error: Option<String>,
    #[serde(rename = "__type")]
    aws_type: Option<String>,
    code: Option<String>,
}

impl UnverifiedError {
    /// Cognito also says that it is called too often with status 400.
    fn is_throttling(&self) -> bool {
        let names = [&self.error, &self.aws_type, &self.code];
        names.into_iter().flatten().any(|name| name.ends_with("TooManyRequestsException"))
    }
}

#[cfg(test)]
mod tests;
