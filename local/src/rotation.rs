//! Rotates the secret of a client at once, with the code of the function `rotate`: what Secrets Manager does at the
//! times of its schedule.

use std::{path::PathBuf, sync::Arc, time::Duration};

use access::log::Log;
use client::{Http, HttpError, UrlError};
use gateway::http::Clock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokens::rotate::{CallError, RotateFunction, Step};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    access_log::milliseconds,
    clients::ClientsError,
    functions::tokens_log,
    issuer::token_url,
    secrets::{ClientSecrets, Service},
};

/// As long as the template gives the function.
const LIMIT: Duration = Duration::from_mins(2);

/// Why there is nothing to rotate secrets with.
#[derive(Debug, thiserror::Error)]
pub enum RotatorError {
    /// The address of the token endpoint.
    #[error("the address of the token endpoint")]
    Url(#[from] UrlError),
    /// No HTTP client to try new secrets with.
    #[error("the HTTP client that tries new secrets")]
    Http(#[from] HttpError),
}

/// Why a secret was not rotated. The one that was current still is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RotationError {
    /// The rotation could not begin.
    #[error(transparent)]
    Begin(#[from] CallError),
    /// A step failed.
    #[error("{0} failed: {1}")]
    Step(&'static str, &'static str),
    /// The new secret is current, but the clients file does not have it.
    #[error(transparent)]
    Clients(#[from] ClientsError),
}

/// What a rotation came to.
#[derive(Deserialize, Serialize)]
pub(crate) struct Rotated {
    /// The ids of the secrets that get a token now, oldest first.
    pub(crate) secrets: Vec<String>,
    pub(crate) latency_ms: f64,
}

/// The function `rotate` over the secrets of this process, and Secrets Manager's part in a rotation.
pub(crate) struct Rotator {
    function: RotateFunction<Service, Service>,
    secrets: Arc<ClientSecrets>,
    clients_file: PathBuf,
    clock: Clock,
    /// One rotation at a time.
    turn: Mutex<()>,
}

impl Rotator {
    /// Rotates `secrets`, tries each new one at the token endpoint of `base`, and writes it to the clients file.
    pub(crate) fn new(
        secrets: Arc<ClientSecrets>,
        base: &str,
        clients_file: PathBuf,
        clock: Clock,
        log: Log,
    ) -> Result<Self, RotatorError> {
        let service = Service(Arc::clone(&secrets));
        let token_url = token_url(base).parse()?;
        let log = tokens_log(log, clock);
        let function = RotateFunction::new(service.clone(), service, token_url, Http::new()?, clock, log);
        Ok(Self { function, secrets, clients_file, clock, turn: Mutex::default() })
    }

    /// Takes the four steps of a rotation. One that failed is taken up again where it stopped.
    pub(crate) async fn rotate(&self, client_id: &str) -> Result<Rotated, RotationError> {
        let _turn = self.turn.lock().await;
        let began = (self.clock)();
        let version = self.secrets.begin(client_id)?;
        for step in Step::ALL.map(Step::as_str) {
            let event = json!({ "Step": step, "SecretId": client_id, "ClientRequestToken": version });
            let (event, request_id) = (event.to_string(), Uuid::new_v4().to_string());
            let taken = self.function.handle(event.as_bytes(), &request_id, (self.clock)() + LIMIT).await;
            taken.map_err(|failure| RotationError::Step(step, failure.error_type))?;
        }
        self.secrets.clients().write(&self.clients_file)?;
        let latency = (self.clock)().duration_since(began).unwrap_or_default();
        Ok(Rotated { secrets: self.secrets.ids(client_id), latency_ms: milliseconds(latency) })
    }
}
