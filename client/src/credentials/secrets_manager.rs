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
        SdkError::ServiceError(_) => error.code().unwrap_or("the service refused"),
        SdkError::TimeoutError(_) => "it took too long",
        SdkError::DispatchFailure(_) => "no connection, or no AWS credentials",
        SdkError::ResponseError(_) => "the answer is not readable",
        SdkError::ConstructionFailure(_) | _ => "the request could not be built",
    };
    kind.to_owned()
}
