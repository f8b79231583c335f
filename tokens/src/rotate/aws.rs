//! Secrets Manager and Cognito as a rotation needs them.

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider as cognito;
use aws_sdk_secretsmanager::{
    self as secretsmanager,
    error::{ProvideErrorMetadata, SdkError},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::{CallError, Clients, Described, PENDING, Secrets};

/// Secrets Manager.
#[derive(Clone, Debug)]
pub struct SecretsManager(secretsmanager::Client);

impl SecretsManager {
    /// A client with these settings.
    pub fn new(aws: &SdkConfig) -> Self {
        Self(secretsmanager::Client::new(aws))
    }
}

impl Secrets for SecretsManager {
    async fn describe(&self, secret: &str) -> Result<Described, CallError> {
        let answer = self.0.describe_secret().secret_id(secret).send().await;
        let answer = answer.map_err(|error| failed("DescribeSecret", &error))?;
        let versions = answer.version_ids_to_stages.unwrap_or_default();
        let versions = versions.into_iter().map(|(id, labels)| (id, labels.into_iter().collect()));
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(Described {
            versions: versions.collect(),
            tags: tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect(),
        })
    }

    async fn value(&self, secret: &str, version: &str) -> Result<Option<SecretString>, CallError> {
        match self.0.get_secret_value().secret_id(secret).version_id(version).send().await {
            Ok(answer) => Ok(answer.secret_string.map(Into::into)),
            // The answer for a version without a value.
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(failed("GetSecretValue", &error)),
        }
    }

    async fn put_pending(&self, secret: &str, version: &str, value: SecretString) -> Result<(), CallError> {
        let request = self.0.put_secret_value().secret_id(secret).client_request_token(version);
        let request = request.secret_string(value.expose_secret()).version_stages(PENDING);
        match request.send().await {
            Ok(_) => Ok(()),
            // Another run of the same step was faster: its value is the one.
            Err(error) if code(&error) == Some("ResourceExistsException") => Ok(()),
            Err(error) => Err(failed("PutSecretValue", &error)),
        }
    }

    async fn move_label(
        &self,
        secret: &str,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), CallError> {
        let request = self.0.update_secret_version_stage().secret_id(secret).version_stage(label);
        let request = request.set_remove_from_version_id(from.map(Into::into));
        let request = request.set_move_to_version_id(to.map(Into::into));
        request.send().await.map(|_| ()).map_err(|error| failed("UpdateSecretVersionStage", &error))
    }
}

/// The app clients of one user pool.
#[derive(Clone, Debug)]
pub struct AppClients {
    cognito: cognito::Client,
    user_pool_id: String,
}

impl AppClients {
    /// The clients of this pool.
    pub fn new(aws: &SdkConfig, user_pool_id: String) -> Self {
        Self { cognito: cognito::Client::new(aws), user_pool_id }
    }
}

impl Clients for AppClients {
    async fn list(&self, client_id: &str) -> Result<Vec<String>, CallError> {
        let request = self.cognito.list_user_pool_client_secrets().user_pool_id(&self.user_pool_id);
        let answer = request.client_id(client_id).send().await;
        let answer = answer.map_err(|error| failed("ListUserPoolClientSecrets", &error))?;
        let secrets = answer.client_secrets.unwrap_or_default().into_iter();
        Ok(secrets.filter_map(|secret| secret.client_secret_id).collect())
    }

    async fn add(&self, client_id: &str, secret: &SecretString) -> Result<String, CallError> {
        const OPERATION: &str = "AddUserPoolClientSecret";
        let request = self.cognito.add_user_pool_client_secret().user_pool_id(&self.user_pool_id);
        let request = request.client_id(client_id).client_secret(secret.expose_secret());
        let answer = request.send().await.map_err(|error| failed(OPERATION, &error))?;
        let id = answer.client_secret_descriptor.and_then(|descriptor| descriptor.client_secret_id);
        id.ok_or_else(|| CallError { operation: OPERATION, reason: "the answer has no id".to_owned() })
    }

    async fn delete(&self, client_id: &str, id: &str) -> Result<(), CallError> {
        let request = self.cognito.delete_user_pool_client_secret().user_pool_id(&self.user_pool_id);
        let answer = request.client_id(client_id).client_secret_id(id).send().await;
        answer.map(|_| ()).map_err(|error| failed("DeleteUserPoolClientSecret", &error))
    }

    async fn original(&self, client_id: &str) -> Result<Option<SecretString>, CallError> {
        let request = self.cognito.describe_user_pool_client().user_pool_id(&self.user_pool_id);
        let answer = request.client_id(client_id).send().await;
        let answer = answer.map_err(|error| failed("DescribeUserPoolClient", &error))?;
        Ok(answer.user_pool_client.and_then(|client| client.client_secret).map(Into::into))
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The kind of failure only: the SDK's error holds the whole answer, and so perhaps a secret.
fn failed<E: ProvideErrorMetadata, R>(operation: &'static str, error: &SdkError<E, R>) -> CallError {
    let reason = match error {
        SdkError::ServiceError(_) => code(error).unwrap_or("the answer is not readable"),
        SdkError::TimeoutError(_) => "it took too long",
        SdkError::DispatchFailure(_) => "no connection, or no AWS credentials",
        SdkError::ResponseError(_) => "the answer broke off",
        SdkError::ConstructionFailure(_) | _ => "the request could not be built",
    };
    CallError { operation, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
