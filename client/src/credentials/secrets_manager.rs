//! Owns reading credentials from AWS Secrets Manager. What the secret's text means is left to `Credentials`.

use std::time::Duration;

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
};

use super::{Credentials, CredentialsError, CredentialsSource, Reading};

/// A secret in AWS Secrets Manager, read when it is first needed: building this calls nothing.
#[derive(Clone, Debug)]
pub struct SecretsManager {
    client: Client,
    secret_id: String,
}

impl SecretsManager {
    /// The secret `secret_id`, a name or an ARN, a JSON text as [`Credentials::from_json`] reads it.
    pub fn new(config: &SdkConfig, secret_id: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(6))
            .build();
        let config = Builder::from(config).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), secret_id: secret_id.into() }
    }

    async fn text(&self) -> Result<String, String> {
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let answer = answer.map_err(|error| reason(&error))?;
        answer.secret_string.ok_or_else(|| "it holds no text".to_owned())
    }
}

impl CredentialsSource for SecretsManager {
    fn read(&self) -> Reading<'_> {
        Box::pin(async {
            let secret_id = self.secret_id.clone();
            let text = self.text().await;
            let text = text.map_err(|reason| CredentialsError::SecretsManager { secret_id, reason })?;
            Credentials::from_json(&text)
        })
    }
}

/// The kind of failure only: the SDK's error holds the whole answer, and so perhaps the secret.
fn reason<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let kind = match error {
        SdkError::ServiceError(_) => error.code().unwrap_or("the answer is not readable"),
        SdkError::TimeoutError(_) => "it took too long",
        SdkError::DispatchFailure(_) => "no connection, or no AWS credentials",
        SdkError::ResponseError(_) => "the answer broke off",
        SdkError::ConstructionFailure(_) | _ => "the request could not be built",
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_secretsmanager::config::{Credentials as AwsCredentials, SharedCredentialsProvider};
    use secrecy::ExposeSecret;

    use super::*;
    use crate::stub::{Reply, Stub, reply};

    fn source(stub: &Stub) -> SecretsManager {
        let aws = AwsCredentials::new("AKIDEXAMPLE", "example", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(stub.url("/"))
            .credentials_provider(SharedCredentialsProvider::new(aws))
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
            reply(200, "content-type: application/x-amz-json-1.1\r\n", &answer.to_string())
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
        let refusal = |code: &str| reply(400, "", &format!(r#"{{"__type":"{code}","message":"s3cr3t"}}"#));
        let cases: [(&str, Reply, &str); 5] = [
            (
                "no secret",
                refusal("ResourceNotFoundException"),
                "from Secrets Manager: ResourceNotFoundException",
            ),
            ("no access", refusal("AccessDeniedException"), "from Secrets Manager: AccessDeniedException"),
            (
                "bytes",
                reply(200, "", r#"{"SecretBinary":"czNjcjN0"}"#),
                "from Secrets Manager: it holds no text",
            ),
            ("no JSON", reply(200, "", r#"{"SecretString":"s3cr3t"}"#), "are not a JSON object of texts"),
            (
                "no answer",
                reply(200, "", r#"{"SecretString":"s3cr3t"#),
                "from Secrets Manager: the answer is not readable",
            ),
        ];
        for (name, answer, ending) in cases {
            let stub = Stub::new(move |_, _| answer.clone()).await;
            let error = source(&stub).read().await.unwrap_err();
            assert!(error.to_string().ends_with(ending), "{name}: {error}");
            assert!(!format!("{error:?}").contains("s3cr3t"), "{name}: {error:?}");
        }
    }
}
