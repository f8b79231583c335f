//! What the buttons do: valid and expired tokens, the signing key, the JWKS endpoint, and explanations. A request has
//! shown the key before it gets here.

use std::sync::Arc;

use gateway::http::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{Console, error};
use crate::explain::Call;

/// A token of the largest size, and what stands around it.
const BODY_BYTES: usize = 20 * 1024;

/// The buttons by the last segment of their path.
pub(super) const NAMES: [&str; 5] = ["token", "expired", "rotate", "jwks", "explain"];

/// A button, by its name, and what it sends. Shows itself nowhere: it may hold a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Button {
    /// `seconds`: how long the token lives, if less than the client's tokens do.
    Token {
        client: String,
        seconds: Option<u64>,
    },
    Expired {
        client: String,
    },
    Rotate {},
    Jwks {
        down: bool,
    },
    Explain {
        token: String,
        call: Option<String>,
    },
}

impl Console {
    pub(super) async fn press(&self, name: &str, request: &Request) -> Response {
        let body = Some(request.body.as_slice()).filter(|body| body.len() <= BODY_BYTES);
        let body = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
        match body.map(|body| serde_json::from_value(json!({ name: body }))) {
            Some(Ok(Button::Token { client, seconds })) => self.token(&client, seconds),
            Some(Ok(Button::Expired { client })) => self.token(&client, Some(0)),
            Some(Ok(Button::Rotate {})) => self.rotate().await,
            Some(Ok(Button::Jwks { down })) => {
                self.issuer.withhold(down);
                Response::json(200, self.state())
            }
            Some(Ok(Button::Explain { token, call })) => self.explain(&token, call.as_deref()).await,
            Some(Err(_)) | None => error(400, "malformed"),
        }
    }

    /// Generating a key blocks its thread for some tenths of a second.
    async fn rotate(&self) -> Response {
        let issuer = Arc::clone(&self.issuer);
        match spawn_blocking(move || issuer.rotate()).await {
            Ok(Ok(())) => Response::json(200, self.state()),
            Ok(Err(_)) | Err(_) => error(500, "no_key"),
        }
    }

    fn token(&self, client: &str, seconds: Option<u64>) -> Response {
        let Some(client) = self.clients.iter().find(|known| known.name == client) else {
            return error(404, "no_client");
        };
        match self.issuer.token_for(&client.id, seconds, (self.clock)().into(), Uuid::new_v4()) {
            Some(Ok(token)) => Response::json(200, json!({ "token": token }).to_string()),
            Some(Err(_)) | None => error(500, "no_token"),
        }
    }

    /// As the command `explain` does.
    async fn explain(&self, token: &str, call: Option<&str>) -> Response {
        let Some(explainer) = &self.explainer else { return error(501, "no_authorizer") };
        let Ok(call) = call.map(str::parse::<Call>).transpose() else { return error(400, "call") };
        let explanation = explainer.explain(token, call.as_ref()).await;
        serde_json::to_string(&explanation)
            .map_or_else(|_| error(500, "no_explanation"), |text| Response::json(200, text))
    }
}
