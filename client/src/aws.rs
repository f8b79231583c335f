//! [`Http`] as the HTTP client of an AWS SDK, and the configuration of AWS clients in a Lambda function.
//!
//! The SDK's own client reads and parses every certificate of the system at start, which is most of a small
//! function's cold start. This one has Mozilla's root certificates in the binary, and a process needs no second client.

use std::time::Duration;

use ::aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableCredentialsProvider, timeout::TimeoutConfig,
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};

use crate::http::{ExchangeError, Http, Response};

/// Larger than any response of the services that are called: `DynamoDB` sends 16 MB at most.
// SPEC: Amazon DynamoDB, BatchGetItem: up to 16 MB of data
const MAX_BODY: usize = 20_000_000;

/// The configuration of AWS clients in a Lambda function: one attempt within `attempt`,
/// all attempts of an operation within `operation`.
///
/// Lambda gives the credentials as environment variables. If they are set, the chain of providers that look elsewhere
/// is not built at all: its parts are AWS clients themselves, and slow down a cold start.
pub async fn aws_config(
    http: Http,
    attempt: Duration,
    operation: Duration,
    vars: impl Fn(&str) -> Option<String>,
) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation);
    let loader = ::aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    let loader = loader.timeout_config(timeouts.build());
    if vars("AWS_ACCESS_KEY_ID").is_some() {
        loader.credentials_provider(EnvironmentVariableCredentialsProvider::new()).load().await
    } else {
        loader.load().await
    }
}

/// Pass it to `aws_config`: `aws_config::defaults(…).http_client(http)`.
impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let http = match settings.connect_timeout() {
            Some(limit) => self.with_connect_limit(limit),
            None => self.clone(),
        };
        SharedHttpConnector::new(Connector { http, read_limit: settings.read_timeout() })
    }
}

/// The client with the limits that a service's configuration asks for.
#[derive(Debug)]
struct Connector {
    http: Http,
    /// How long a response may take.
    read_limit: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (http, read_limit) = (self.http.clone(), self.read_limit);
        HttpConnectorFuture::new(async move { send(&http, request, read_limit).await })
    }
}

async fn send(
    http: &Http,
    request: HttpRequest,
    read_limit: Option<Duration>,
) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) =
        request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
    let body = body.bytes().ok_or_else(|| ConnectorError::user("a body of unknown length".into()))?.to_vec();
    let request = ::http::Request::from_parts(parts, body);
    let limit = read_limit.unwrap_or(Duration::MAX);
    let Response { status, headers, body } = http.exchange(request, MAX_BODY, limit).await.map_err(failed)?;
    let mut response = ::http::Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// The SDK retries a connection that failed, and a response that did not come in time.
fn failed(error: ExchangeError) -> ConnectorError {
    let kind = match error {
        ExchangeError::Url => ConnectorError::user,
        ExchangeError::Connection(_) => ConnectorError::io,
        ExchangeError::TimedOut => ConnectorError::timeout,
        ExchangeError::TooLarge => |error| ConnectorError::other(error, None),
    };
    kind(error.into())
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
    use test_support::{Reply, Stub, reply};

    use super::*;
    use crate::http::tests::unconnectable;

    const LIMIT: Duration = Duration::from_millis(300);

    fn client(stub: &Stub, attempts: u32) -> Client {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(LIMIT).build();
        client_at(&stub.url("/"), timeouts, attempts)
    }

    fn client_at(url: &str, timeouts: TimeoutConfig, attempts: u32) -> Client {
        let credentials = Credentials::new("AKIDEXAMPLE", "example", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(url)
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
    async fn a_services_own_limits_are_kept() {
        let (url, _queued, _listener) = unconnectable().await;
        let silent = Stub::always(Reply::Hang).await;
        let short = TimeoutConfig::builder().connect_timeout(LIMIT).build();
        let connecting = client_at(&url, short, 1).get_secret_value().secret_id("name").send();
        let short = TimeoutConfig::builder().read_timeout(LIMIT).build();
        let reading = client_at(&silent.url("/"), short, 1).get_secret_value().secret_id("name").send();
        // Without them a connection times out after 3 seconds, and a response never does.
        let patience = Duration::from_millis(2500);
        let connecting = tokio::time::timeout(patience, connecting).await;
        let reading = tokio::time::timeout(patience, reading).await;
        for (name, error) in [("connecting", connecting), ("reading", reading)] {
            let SdkError::DispatchFailure(failure) = error.expect(name).unwrap_err() else {
                panic!("{name}: another failure")
            };
            assert!(failure.is_timeout(), "{name}: {failure:?}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let stub = Stub::always(reply(307, "location: /elsewhere\r\n", "")).await;
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
