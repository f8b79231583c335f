//! Functions that another program runs: each invocation is one request of Lambda's Invoke API, as `cargo lambda watch` and
//! `sam local start-lambda` serve it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::time::timeout;

use crate::{
    invoke::{Invoke, InvokeError},
    loopback::{self, LoopbackError},
};

/// What API Gateway waits for an integration.
const LIMIT: Duration = Duration::from_secs(29);
/// What a synchronous invocation may answer.
// SPEC: AWS Lambda, "Lambda quotas": 6 MB for a synchronous response
const ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// Functions behind a Lambda Invoke endpoint on loopback.
#[derive(Debug)]
pub struct Remote {
    endpoint: Url,
    /// By the names under which functions are invoked here.
    targets: BTreeMap<String, Target>,
    http: Client,
}

/// A function at the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is called there.
    pub name: String,
    /// How long it may take; `None` leaves that to the endpoint.
    pub limit: Option<Duration>,
}

impl Remote {
    /// # Errors
    /// If no HTTP client can be built.
    pub fn new(endpoint: Url, targets: BTreeMap<String, Target>) -> Result<Self, LoopbackError> {
        Ok(Self { endpoint, targets, http: loopback::client(LIMIT)? })
    }

    async fn call(&self, function: &str, event: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let target = self.targets.get(function);
        let target = target.ok_or_else(|| InvokeError::Unavailable(format!("no function `{function}`")))?;
        let request = self.request(&target.name, event);
        match target.limit {
            Some(limit) => timeout(limit, request).await.unwrap_or(Err(InvokeError::TimedOut)),
            None => request.await,
        }
    }

    async fn request(&self, name: &str, event: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let mut url = self.endpoint.clone();
        url.set_path("");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(["2015-03-31", "functions", name, "invocations"]);
        }
        let request = self.http.post(url).header("content-type", "application/json").body(event);
        let unreachable = |error| unreachable(error, &self.endpoint);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let is_error = response.headers().contains_key("x-amz-function-error");
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if answer.len() + chunk.len() > ANSWER_BYTES {
                // As Lambda says it.
                return Err(InvokeError::Function {
                    error_type: "Function.ResponseSizeTooLarge".to_owned(),
                    error_message: "the answer is over 6 MB".to_owned(),
                });
            }
            answer.extend_from_slice(&chunk);
        }
        let answer = outcome(answer, is_error)?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(InvokeError::Unavailable(format!("the endpoint answered {status} for `{name}`")))
        }
    }
}

impl Invoke for Remote {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        self.call(function, event).boxed()
    }
}

/// How a failed function reports.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    error_type: String,
    error_message: String,
}

/// Tells an answer from a failure. Lambda marks a failure with a header; `cargo lambda watch` does not, but neither a
/// policy nor a proxy answer has both of these members.
fn outcome(answer: Vec<u8>, is_error: bool) -> Result<Vec<u8>, InvokeError> {
    match serde_json::from_slice(&answer) {
        Ok(Failed { error_message, .. }) if error_message.contains("Task timed out after") => {
            Err(InvokeError::TimedOut)
        }
        Ok(Failed { error_type, error_message }) => Err(InvokeError::Function { error_type, error_message }),
        Err(_) if is_error => Err(InvokeError::Function {
            error_type: "Unhandled".to_owned(),
            error_message: "the function failed without saying how".to_owned(),
        }),
        Err(_) => Ok(answer),
    }
}

fn unreachable(error: reqwest::Error, endpoint: &Url) -> InvokeError {
    if error.is_timeout() && !error.is_connect() {
        InvokeError::TimedOut
    } else if error.is_connect() {
        InvokeError::Unavailable(format!(
            "nothing answers at {endpoint}: is the program started that runs the functions?"
        ))
    } else {
        InvokeError::Unavailable(format!("the endpoint cannot be reached: {}", error.without_url()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_from_answers() {
        let failed = |error_type: &str, error_message: &str| {
            Err(InvokeError::Function {
                error_type: error_type.to_owned(),
                error_message: error_message.to_owned(),
            })
        };
        let unauthorized = r#"{"errorType":"expired","errorMessage":"Unauthorized","stackTrace":[]}"#;
        let timed_out = r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task timed out after 3.00 seconds"}"#;
        let cases = [
            ("an answer", r#"{"statusCode":200}"#, false, Ok(br#"{"statusCode":200}"#.to_vec())),
            ("not even JSON", "<html>", false, Ok(b"<html>".to_vec())),
            ("one member alone", r#"{"errorMessage":"x"}"#, false, Ok(br#"{"errorMessage":"x"}"#.to_vec())),
            ("marked", unauthorized, true, failed("expired", "Unauthorized")),
            ("not marked", unauthorized, false, failed("expired", "Unauthorized")),
            ("timed out", timed_out, true, Err(InvokeError::TimedOut)),
            ("marked, nothing said", "", true, failed("Unhandled", "the function failed without saying how")),
        ];
        for (name, answer, is_error, expected) in cases {
            assert_eq!(outcome(answer.as_bytes().to_vec(), is_error), expected, "{name}");
        }
    }
}
