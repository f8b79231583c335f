//! Event in, one log line.

use std::time::{Duration, SystemTime};

use aws_lambda_events::secretsmanager::SecretsManagerSecretRotationEvent;
use client::{Http, ServiceUrl};

use super::{Clients, RotateError, Rotation, Secrets, Step, token_endpoint::TokenEndpoint};
use crate::{
    clock::instant,
    log::{Line, Log, Outcome},
    token::Failure,
};

/// What is left of an invocation's time to tell how it ended.
const TELLING: Duration = Duration::from_secs(1);

/// The function: one step of a rotation for each event.
#[derive(Debug)]
pub struct RotateFunction<S, C> {
    rotation: Rotation<S, C, TokenEndpoint>,
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
        let tokens = TokenEndpoint::new(http, token_url.clone(), clock);
        Self { rotation: Rotation { secrets, clients, tokens, token_url }, clock, log }
    }

    /// Handles one event, before `deadline` is over.
    ///
    /// # Errors
    /// If the step was not taken: Secrets Manager repeats it.
    pub async fn handle(&self, event: &[u8], request_id: &str, deadline: SystemTime) -> Result<(), Failure> {
        let began = (self.clock)();
        let mut line = Line::new(request_id.to_owned());
        let left = deadline.duration_since(began).unwrap_or_default().saturating_sub(TELLING);
        let step = Box::pin(self.step(event, &mut line, instant() + left));
        let outcome = tokio::time::timeout(left, step).await.unwrap_or(Err(RotateError::TimedOut));
        line.took((self.clock)().duration_since(began).unwrap_or_default());
        if let Err(error) = &outcome {
            (line.outcome, line.reason) = (Outcome::Fault, Some(error.label()));
            line.detail = Some(error.to_string());
        }
        self.log.record(&line);
        outcome
            .map_err(|error| Failure { error_type: error.label(), error_message: "the step was not taken" })
    }

    async fn step(
        &self,
        event: &[u8],
        line: &mut Line,
        until: tokio::time::Instant,
    ) -> Result<(), RotateError> {
        let event: SecretsManagerSecretRotationEvent =
            serde_json::from_slice(event).map_err(|_| RotateError::Event)?;
        let step: Step = event.step.parse()?;
        line.route = Some(step.as_str());
        line.secret = Some(event.secret_id.clone());
        self.rotation.step(step, &event.secret_id, &event.client_request_token, until).await
    }
}
