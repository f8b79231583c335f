//! Credentials in AWS Secrets Manager.

use std::time::Duration;

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
};

use super::{Credentials, CredentialsError, CredentialsSource, Reading};

/// A secret in AWS Secrets Manager, read when it is first needed.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: Client,
    secret_id: String,
}

impl SecretsManager {
    /// The secret `secret_id`, a name or an ARN. Its value is JSON, as for [`Credentials::from_json`].
    pub fn new(config: &SdkConfig, secret_id: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(6))
            .build();
        let config = Builder::from(config).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), secret_id: secret_id.into() }
    }

    async fn value(&self) -> Result<String, Unread> {
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let answer = answer.map_err(|error| Unread::from(&error))?;
        let binary = Unread { reason: "it is binary, not a string".to_owned(), is_transient: false };
        answer.secret_string.ok_or(binary)
    }
}

impl CredentialsSource for SecretsManager {
    fn read(&self) -> Reading<'_> {
        Box::pin(async {
            let value = self.value().await.map_err(|Unread { reason, is_transient }| {
                let secret_id = self.secret_id.clone();
                CredentialsError::SecretsManager { secret_id, reason, is_transient }
            })?;
            Credentials::from_json(&value)
        })
    }
}

/// Why a secret was not read.
struct Unread {
    reason: String,
    is_transient: bool,
}

impl<E: ProvideErrorMetadata> From<&SdkError<E>> for Unread {
    /// Keeps only the kind of failure: the SDK's error contains the whole response, and perhaps the secret.
    fn from(error: &SdkError<E>) -> Self {
        let (reason, is_transient) = match error {
            SdkError::ServiceError(failure) => {
                let is_transient = matches!(failure.raw().status().as_u16(), 429 | 500..);
                let is_throttled = error.code().is_some_and(|code| code.contains("Throttl"));
                (error.code().unwrap_or("the answer is not readable"), is_transient || is_throttled)
            }
            SdkError::TimeoutError(_) => ("it took too long", true),
            SdkError::DispatchFailure(_) => ("no connection, or no AWS credentials", true),
            SdkError::ResponseError(_) => ("the answer was cut off", true),
            SdkError::ConstructionFailure(_) | _ => ("the request could not be built", false),
        };
        Self { reason: reason.to_owned(), is_transient }
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region, retry::RetryConfig};
    use aws_sdk_secretsmanager::config::{Credentials as AwsCredentials, SharedCredentialsProvider};
    use secrecy::ExposeSecret;
    use test_support::{Reply, Stub, reply};

    use super::*;
    use crate::http::Http;

    fn source(stub: &Stub) -> SecretsManager {
        let aws = AwsCredentials::new("AKIDEXAMPLE", "example", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(stub.url("/"))
            .credentials_provider(SharedCredentialsProvider::new(aws))
            .retry_config(RetryConfig::disabled())
            .http_client(Http::new().unwrap())
            .build();
        SecretsManager::new(&config, "order-service")
    }

    #[tokio::test]
    async fn a_secret_is_read_each_time_it_is_asked_for_and_not_before() {
        let stub = Stub::new(|n, _| {
            let secret = format!(
                r#"{{"client_id":"id","client_secret":"s3cr3t-{n}","token_url":"https://t.example/"}}"#
            );
            let answer = serde_json::json!({"Name": "order-service", "SecretString": secret});
            reply(200, "content-type: application/x-amz-json-1.1\r\n", answer.to_string())
        })
        .await;
        let source = source(&stub);
        assert_eq!(stub.count(), 0);
        for read in ["s3cr3t-0", "s3cr3t-1"] {
            assert_eq!(source.read().await.unwrap().client_secret.expose_secret(), read);
        }
        let heard = stub.heard().pop().unwrap();
        assert_eq!(heard.header("x-amz-target"), Some("secretsmanager.GetSecretValue"));
        assert_eq!(heard.body, r#"{"SecretId":"order-service"}"#);
        assert!(!format!("{source:?}").contains("s3cr3t"));
    }

    #[tokio::test]
    async fn an_error_says_what_went_wrong_and_nothing_of_the_secret() {
        let refusal = |code: &str| reply(400, "", format!(r#"{{"__type":"{code}","message":"s3cr3t"}}"#));
        let cases: [(&str, Reply, &str, bool); 8] = [
            (
                "no secret",
                refusal("ResourceNotFoundException"),
                "from Secrets Manager: ResourceNotFoundException",
                false,
            ),
            (
                "no access",
                refusal("AccessDeniedException"),
                "from Secrets Manager: AccessDeniedException",
                false,
            ),
            ("throttled", refusal("ThrottlingException"), "from Secrets Manager: ThrottlingException", true),
            ("too many", reply(429, "", "{}"), "from Secrets Manager: the answer is not readable", true),
            ("out of order", reply(503, "", "{}"), "from Secrets Manager: the answer is not readable", true),
            (
                "bytes",
                reply(200, "", r#"{"SecretBinary":"czNjcjN0"}"#),
                "from Secrets Manager: it is binary, not a string",
                false,
            ),
            (
                "no JSON",
                reply(200, "", r#"{"SecretString":"s3cr3t"}"#),
                "are not a JSON object of strings",
                false,
            ),
            (
                "no answer",
                reply(200, "", r#"{"SecretString":"s3cr3t"#),
                "from Secrets Manager: the answer is not readable",
                false,
            ),
        ];
        for (name, answer, ending, is_transient) in cases {
            let stub = Stub::always(answer.clone()).await;
            let error = source(&stub).read().await.unwrap_err();
            assert!(error.to_string().ends_with(ending), "{name}: {error}");
            assert_eq!(error.is_transient(), is_transient, "{name}");
            assert!(!format!("{error:?}").contains("s3cr3t"), "{name}: {error:?}");
        }
    }
}
