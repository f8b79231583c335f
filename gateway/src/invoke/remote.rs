//! Owns functions that another program runs: each invocation is one request of Lambda's Invoke API, as `cargo lambda
//! watch` serves it, too.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, Url};
use serde::Deserialize;

use crate::{
    invoke::{Invoke, InvokeError},
    loopback::{self, LoopbackError},
};

/// What API Gateway waits for an integration. The function's own limit is the endpoint's business: `cargo lambda
/// watch` builds a function when it is first called.
const LIMIT: Duration = Duration::from_secs(29);
/// What a synchronous invocation may answer.
// SPEC: AWS Lambda, "Lambda quotas": 6 MB for a synchronous response
const ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// Functions behind a Lambda Invoke endpoint on loopback, known there by the names of their binaries.
#[derive(Debug)]
pub struct Remote {
    endpoint: Url,
    /// By the names under which functions are invoked here.
    binaries: BTreeMap<String, String>,
    http: Client,
}

impl Remote {
    /// # Errors
    /// If no HTTP client can be built.
    pub fn new(endpoint: Url, binaries: BTreeMap<String, String>) -> Result<Self, LoopbackError> {
        Ok(Self { endpoint, binaries, http: loopback::client(LIMIT)? })
    }

    async fn call(&self, function: &str, event: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let binary = self.binaries.get(function);
        let binary = binary.ok_or_else(|| InvokeError::Unavailable(format!("no function `{function}`")))?;
        let mut url = self.endpoint.clone();
        url.set_path(&format!("/2015-03-31/functions/{binary}/invocations"));
        let request = self.http.post(url).header("content-type", "application/json").body(event);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let is_error = response.headers().contains_key("x-amz-function-error");
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if answer.len() + chunk.len() > ANSWER_BYTES {
                return Err(InvokeError::Unavailable(format!("`{binary}` answered more than 6 MB")));
            }
            answer.extend_from_slice(&chunk);
        }
        let answer = outcome(answer, is_error)?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(InvokeError::Unavailable(format!("the endpoint answered {status} for `{binary}`")))
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

fn unreachable(error: reqwest::Error) -> InvokeError {
    if error.is_timeout() && !error.is_connect() {
        InvokeError::TimedOut
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
