//! The first value of a secret, which CloudFormation asks for when it creates a client: a custom resource.

use std::time::Duration;

use client::{Http, Request, ServiceUrl};
use http::Uri;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    CURRENT, CallError, Clients, RotateError, Rotation, Secrets, Tokens,
    steps::{FIRST_PAUSE, LONGEST_PAUSE},
};
use crate::clock::instant;

/// How long the answer to CloudFormation may take.
pub(super) const ANSWERING: Duration = Duration::from_secs(5);
/// S3 answers an upload with nothing, or with an error of a few lines.
const MAX_ANSWER: usize = 64 * 1024;
const OPERATION: &str = "the answer to CloudFormation";

/// A request of CloudFormation. It has no Debug: whoever has its URL can answer in our place.
// SPEC: AWS CloudFormation, "Custom resource request objects"
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ResourceRequest {
    request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    pub(super) request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
    pub(super) resource_properties: Properties,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum RequestType {
    Create,
    Update,
    Delete,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Properties {
    /// The secret's ARN.
    pub(super) secret: String,
}

impl<S: Secrets, C: Clients, T: Tokens> Rotation<S, C, T> {
    /// Gives a secret its first value: the secret that Cognito made with the client that its tag `client_id` names.
    /// A secret that has a value of this client keeps it. `version` is the new version's id. Calls that fail are repeated
    /// until `until`: it takes IAM some seconds to apply the policy that CloudFormation has just created.
    ///
    /// # Errors
    /// If calls keep failing, or Cognito returns no secret of the client. It can be repeated.
    pub async fn first_value(&self, secret: &str, version: &str, until: Instant) -> Result<(), RotateError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.give(secret, version).await {
                Err(RotateError::Call(_)) if instant() + pause < until => {}
                outcome => return outcome,
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn give(&self, secret: &str, version: &str) -> Result<(), RotateError> {
        let described = self.secrets.describe(secret).await?;
        let (current_version, current) = self.current(secret, &described).await?;
        let client_id = described.tags.get("client_id");
        let client_id = client_id.ok_or_else(|| RotateError::NoClient(secret.to_owned()))?;
        if current.secret_of(client_id).is_some() {
            return Ok(());
        }
        let original = self.clients.original(client_id).await?;
        let original = original.ok_or_else(|| RotateError::NoOriginal(client_id.to_owned()))?;
        let value = current.with(client_id, &original, &self.token_url, &described.tags);
        self.secrets.put_pending(secret, version, value).await?;
        Ok(self.secrets.move_label(secret, CURRENT, Some(&current_version), Some(version)).await?)
    }
}

impl ResourceRequest {
    /// Whether a value is asked for. Nothing is done when the resource is deleted: the secret stays as it is.
    pub(super) fn is_for_value(&self) -> bool {
        self.request_type != RequestType::Delete
    }

    /// Tells CloudFormation how it went.
    // SPEC: AWS CloudFormation, "Custom resource response objects"
    pub(super) async fn answer(
        &self,
        http: &Http,
        outcome: &Result<(), RotateError>,
    ) -> Result<(), RotateError> {
        let failed = |reason: String| CallError { operation: OPERATION, reason };
        let secret = &self.resource_properties.secret;
        let answer = json!({
            "Status": if outcome.is_ok() { "SUCCESS" } else { "FAILED" },
            "Reason": outcome.as_ref().err().map(ToString::to_string).unwrap_or_default(),
            "PhysicalResourceId": self.physical_resource_id.as_ref().filter(|_| !self.is_for_value()).unwrap_or(secret),
            "StackId": self.stack_id,
            "RequestId": self.request_id,
            "LogicalResourceId": self.logical_resource_id,
        });
        let url = self.response_url.parse::<Uri>().ok().filter(is_safe);
        let url = url.ok_or_else(|| failed("its URL is not https".to_owned()))?;
        // Without a content type: the URL is signed for none.
        let request = Request::put(url).body(answer.to_string().into_bytes());
        let request = request.map_err(|error| failed(error.to_string()))?;
        let response = http.exchange(request, MAX_ANSWER, ANSWERING).await;
        let response = response.map_err(|error| failed(error.to_string()))?;
        if response.status.is_success() {
            return Ok(());
        }
        Err(failed(format!("status {}", response.status.as_u16())).into())
    }
}

/// Whether the answer may go there: https, or http on loopback.
fn is_safe(url: &Uri) -> bool {
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else { return false };
    format!("{scheme}://{authority}").parse::<ServiceUrl>().is_ok()
}

#[cfg(test)]
mod tests;
