//! The function: an event in, an answer out, one log line.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::Client as DynamoDb;
use client::Http;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;

use super::{
    cache::{Cache, CacheError, Granted},
    request::{Event, Malformed, TokenRequest},
    table::Table,
    upstream::{Upstream, UpstreamError},
};
use crate::{
    clock::instant,
    config::TokenConfig,
    log::{Line, Log, Outcome},
};

/// How long API Gateway waits for an answer.
const LONGEST: Duration = Duration::from_secs(29);
/// The time that is kept for the answer.
const ANSWERING: Duration = Duration::from_millis(300);

/// The function: an event of API Gateway in, the answer of a token endpoint out.
#[derive(Clone, Debug)]
pub struct TokenFunction {
    cache: Cache,
    clock: fn() -> SystemTime,
    log: Log,
}

/// Why an invocation failed. Holds nothing of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error_message}")]
pub struct Failure {
    /// The label of the failure.
    pub error_type: &'static str,
    /// A fixed message.
    pub error_message: &'static str,
}

impl TokenFunction {
    /// The function with these settings; calls nothing yet.
    pub fn new(
        config: TokenConfig,
        dynamodb: DynamoDb,
        http: Http,
        clock: fn() -> SystemTime,
        log: Log,
    ) -> Self {
        let table = Table::new(dynamodb, config.table);
        let upstream = Upstream::new(http, config.token_url, clock);
        Self { cache: Cache::new(table, upstream, clock), clock, log }
    }

    /// Handles one event and returns the function's answer as JSON, before `deadline`.
    ///
    /// # Errors
    /// If the event is not a request.
    pub async fn handle(
        &self,
        event: &[u8],
        request_id: &str,
        deadline: SystemTime,
    ) -> Result<Vec<u8>, Failure> {
        let began = (self.clock)();
        let mut line = Line::new(request_id.to_owned());
        // The message of a JSON error can quote the event, so it is dropped.
        let answer = if let Ok(event) = serde_json::from_slice::<Event>(event) {
            Ok(self.answer(&event, began, deadline, &mut line).await)
        } else {
            (line.outcome, line.reason) = (Outcome::Fault, Some("bad_event"));
            Err(Failure { error_type: "bad_event", error_message: "the event is not a request" })
        };
        line.status = answer.as_ref().ok().map(|answer| answer.status_code);
        line.took((self.clock)().duration_since(began).unwrap_or_default());
        self.log.record(&line);
        serde_json::to_vec(&answer?)
            .map_err(|_| Failure { error_type: "answer", error_message: "the answer could not be written" })
    }

    async fn answer(
        &self,
        event: &Event,
        began: SystemTime,
        deadline: SystemTime,
        line: &mut Line,
    ) -> Answer {
        if let Some(id) = &event.request_context.request_id {
            line.request_id.clone_from(id);
        }
        line.route = Some("POST /token");
        let asked = match TokenRequest::parse(event) {
            Ok(asked) => asked,
            Err(malformed) => {
                line.reason = Some(malformed.code());
                if malformed == Malformed::InvalidClient {
                    line.outcome = Outcome::Refused;
                }
                return Answer::error(400, malformed.code());
            }
        };
        line.client_id = Some(asked.client_id.clone());
        // A deadline in the past is ignored: `cargo lambda watch` sends one in 1970.
        let left = deadline.duration_since(began).unwrap_or(LONGEST).saturating_sub(ANSWERING);
        // On the heap: the futures of the SDK are large.
        match Box::pin(self.cache.token(&asked, instant() + left)).await {
            Ok(granted) => {
                line.cache = Some(granted.origin.label());
                line.detail.clone_from(&granted.trouble);
                Answer::token(&granted)
            }
            Err(CacheError::Upstream(UpstreamError::Refused { status, code })) => {
                (line.outcome, line.reason) = (Outcome::Refused, Some(code));
                Answer::error(status, code)
            }
            Err(error) => {
                (line.outcome, line.detail) = (Outcome::Fault, Some(error.to_string()));
                let (label, retry_after) = match &error {
                    CacheError::Upstream(error) => (error.label(), error.retry_after()),
                    CacheError::Busy => ("busy", None),
                    CacheError::Seal(_) => ("cryptography", None),
                };
                line.reason = Some(label);
                let seconds = retry_after.map_or(1, |after| after.as_secs().max(1));
                Answer::error(503, "temporarily_unavailable").with("Retry-After", seconds.to_string())
            }
        }
    }
}

/// The answer of a proxy integration.
// SPEC: AWS, "Lambda proxy integrations in API Gateway", output format
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    headers: BTreeMap<&'static str, String>,
    body: String,
    is_base64_encoded: bool,
}

impl Answer {
    fn token(granted: &Granted) -> Self {
        let mut body = json!({
            "access_token": granted.token.expose_secret(),
            "expires_in": granted.expires_in,
            "token_type": granted.token_type,
        });
        if let (Some(scope), Some(members)) = (&granted.scope, body.as_object_mut()) {
            members.insert("scope".to_owned(), scope.clone().into());
        }
        Self::new(200, body.to_string())
    }

    // SPEC: RFC 6749 section 5.2
    fn error(status: u16, code: &str) -> Self {
        Self::new(status, json!({ "error": code }).to_string())
    }

    // SPEC: RFC 6749 section 5.1
    fn new(status_code: u16, body: String) -> Self {
        let headers =
            [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Self { status_code, headers, body, is_base64_encoded: false }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.insert(name, value);
        self
    }
}

#[cfg(test)]
mod tests;
