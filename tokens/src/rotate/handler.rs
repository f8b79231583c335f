//! The function: an event in, one log line. An event is a step of a rotation, or CloudFormation's request for a first
//! value.

use std::time::{Duration, SystemTime};

use aws_lambda_events::secretsmanager::SecretsManagerSecretRotationEvent;
use client::{Http, ServiceUrl};
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    Clients, RotateError, Rotation, Secrets, Step,
    first_value::{ANSWERING, ResourceRequest},
    token_endpoint::TokenEndpoint,
};
use crate::{
    clock::instant,
    log::{Line, Log, Outcome},
    token::Failure,
};

/// The time that is kept for the log line.
const LOGGING: Duration = Duration::from_secs(1);

/// The function: one step of a rotation for each event.
#[derive(Debug)]
pub struct RotateFunction<S, C> {
    rotation: Rotation<S, C, TokenEndpoint>,
    http: Http,
    clock: fn() -> SystemTime,
    log: Log,
}

impl<S: Secrets, C: Clients> RotateFunction<S, C> {
    /// The function over these secrets and clients, with the token endpoint at `token_url`.
    pub fn new(
        secrets: S,
        clients: C,
        token_url: ServiceUrl,
        http: Http,
        clock: fn() -> SystemTime,
        log: Log,
    ) -> Self {
        let tokens = TokenEndpoint::new(http.clone(), token_url.clone(), clock);
        Self { rotation: Rotation { secrets, clients, tokens, token_url }, http, clock, log }
    }

    /// Handles one event, before `deadline`.
    ///
    /// # Errors
    /// If the step was not taken, so that Secrets Manager repeats it, or CloudFormation does not know how it went.
    pub async fn handle(&self, event: &[u8], request_id: &str, deadline: SystemTime) -> Result<(), Failure> {
        let began = (self.clock)();
        let mut line = Line::new(request_id.to_owned());
        let left = deadline.duration_since(began).unwrap_or_default().saturating_sub(LOGGING);
        let (outcome, is_answered) = match serde_json::from_slice(event) {
            Ok(Event::Step(event)) => (self.step(&event, &mut line, left).await, false),
            Ok(Event::FirstValue(request)) => {
                let outcome = self.first_value(&request, &mut line, left.saturating_sub(ANSWERING)).await;
                match request.answer(&self.http, &outcome).await {
                    Ok(()) => (outcome, true),
                    Err(error) => (outcome.and(Err(error)), false),
                }
            }
            Err(_) => (Err(RotateError::Event), false),
        };
        line.took((self.clock)().duration_since(began).unwrap_or_default());
        if let Err(error) = &outcome {
            (line.outcome, line.reason) = (Outcome::Fault, Some(error.label()));
            line.detail = Some(error.to_string());
        }
        self.log.record(&line);
        match outcome {
            Err(error) if !is_answered => {
                Err(Failure { error_type: error.label(), error_message: "the step was not taken" })
            }
            _ => Ok(()),
        }
    }

    async fn step(
        &self,
        event: &SecretsManagerSecretRotationEvent,
        line: &mut Line,
        left: Duration,
    ) -> Result<(), RotateError> {
        let step: Step = event.step.parse()?;
        line.route = Some(step.as_str());
        line.secret = Some(event.secret_id.clone());
        let (secret, version) = (&event.secret_id, &event.client_request_token);
        let step = Box::pin(self.rotation.step(step, secret, version, instant() + left));
        timeout(left, step).await.unwrap_or(Err(RotateError::TimedOut))
    }

    async fn first_value(
        &self,
        request: &ResourceRequest,
        line: &mut Line,
        left: Duration,
    ) -> Result<(), RotateError> {
        let secret = &request.resource_properties.secret;
        line.route = Some("firstValue");
        line.secret = Some(secret.clone());
        if !request.is_for_value() {
            return Ok(());
        }
        let given = Box::pin(self.rotation.first_value(secret, &request.request_id, instant() + left));
        timeout(left, given).await.unwrap_or(Err(RotateError::TimedOut))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Step(SecretsManagerSecretRotationEvent),
    FirstValue(ResourceRequest),
}

#[cfg(test)]
mod tests;
