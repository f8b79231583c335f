//! Owns the way of the AWS clients onto the network: [`Http`] is the HTTP client of an AWS SDK too. Retries, signatures
//! and time limits stay the SDK's.
//!
//! The SDK's own client reads and parses every certificate of the system at start, which is most of a small
//! function's cold start. This one has the roots of Mozilla ready in the binary, and a process needs no second client.

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use reqwest::Request;

use crate::http::Http;

/// More than any answer of the services that are called: `DynamoDB` sends 16 MB at most.
// SPEC: Amazon DynamoDB, BatchGetItem: up to 16 MB of data
const MAX_BODY: usize = 20 * 1024 * 1024;

/// Hand it to `aws_config`: `aws_config::defaults(…).http_client(http)`.
impl HttpClient for Http {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.clone();
        HttpConnectorFuture::new(async move { send(&http, request).await })
    }
}

async fn send(http: &Http, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) =
        request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
    let body = body.bytes().ok_or_else(|| ConnectorError::user("a body of unknown length".into()))?.to_vec();
    let request = Request::try_from(http::Request::from_parts(parts, body));
    let mut response = http.execute(request.map_err(user)?).await.map_err(failed)?;
    let mut answer = http::Response::new(());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(ConnectorError::other("the answer is too long".into(), None));
        }
        body.extend_from_slice(&chunk);
    }
    HttpResponse::try_from(answer.map(|()| body.into()))
        .map_err(|error| ConnectorError::other(error.into(), None))
}

fn user(error: reqwest::Error) -> ConnectorError {
    ConnectorError::user(error.without_url().into())
}

/// Both kinds are tried again by the SDK.
fn failed(error: reqwest::Error) -> ConnectorError {
    let is_timeout = error.is_timeout();
    let error = error.without_url().into();
    if is_timeout { ConnectorError::timeout(error) } else { ConnectorError::io(error) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
    use aws_sdk_secretsmanager::{
        Client,
        config::{Credentials, SharedCredentialsProvider},
        error::SdkError,
    };

    use super::*;
    use crate::stub::{Reply, Stub, reply};

    const LIMIT: Duration = Duration::from_millis(300);

    fn client(stub: &Stub, attempts: u32) -> Client {
        let credentials = Credentials::new("AKIDEXAMPLE", "example", None, None, "test");
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(LIMIT).build();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(stub.url("/"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(
                RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(LIMIT / 100),
            )
            .timeout_config(timeouts)
            .http_client(Http::new().unwrap())
            .build();
        Client::new(&config)
    }

    fn answer() -> Reply {
        reply(200, "x-amzn-requestid: abc\r\n", r#"{"SecretString":"text"}"#)
    }

    #[tokio::test]
    async fn a_signed_request_goes_out_and_its_answer_comes_back() {
        let stub = Stub::new(|_, _| answer()).await;
        let found = client(&stub, 1).get_secret_value().secret_id("name").send().await.unwrap();
        assert_eq!(found.secret_string(), Some("text"));
        let heard = stub.heard().pop().unwrap();
        assert!(heard.head.starts_with("POST / HTTP/1.1"), "{}", heard.head);
        assert_eq!(heard.body, r#"{"SecretId":"name"}"#);
        assert_eq!(heard.header("x-amz-target"), Some("secretsmanager.GetSecretValue"));
        assert!(heard.header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 "));
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        for (name, first) in [
            ("closed", Reply::Close),
            ("reset", Reply::Reset),
            ("cut", Reply::Bytes(b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\n{".to_vec())),
            ("silent", Reply::Hang),
            ("5xx", reply(500, "", "{}")),
        ] {
            let stub = Stub::new(move |n, _| if n == 0 { first.clone() } else { answer() }).await;
            let found = client(&stub, 2).get_secret_value().secret_id("name").send().await;
            assert_eq!(found.unwrap().secret_string(), Some("text"), "{name}");
            assert_eq!(stub.count(), 2, "{name}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let stub = Stub::new(|_, _| reply(307, "location: /elsewhere\r\n", "")).await;
        let error = client(&stub, 1).get_secret_value().secret_id("name").send().await.unwrap_err();
        assert!(matches!(error, SdkError::ServiceError(_)), "{error:?}");
        assert_eq!(stub.count(), 1);
    }

    #[tokio::test]
    async fn an_answer_without_end_is_given_up() {
        let endless =
            format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{}", MAX_BODY + 1, " ".repeat(MAX_BODY + 1));
        let stub = Stub::new(move |_, _| Reply::Bytes(endless.clone().into_bytes())).await;
        let error = client(&stub, 1).get_secret_value().secret_id("name").send().await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)), "{error:?}");
    }
}
