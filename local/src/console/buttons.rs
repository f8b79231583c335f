//! What the buttons do: valid and expired tokens, the signing key, the JWKS endpoint, and explanations. A request has
//! shown the key before it gets here.

use std::sync::Arc;

use gateway::http::{Request, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{Console, error};
use crate::explain::Call;

/// A token of the largest size, and what stands around it.
const BODY_BYTES: usize = 20 * 1024;

/// The buttons by the last segment of their path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Button {
    Token,
    Expired,
    Rotate,
    Jwks,
    Explain,
}

/// What a button sends. Shows itself nowhere: it may hold a token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    client: Option<String>,
    down: Option<bool>,
    token: Option<String>,
    call: Option<String>,
    /// How long the token lives, if less than the client's tokens do.
    seconds: Option<u64>,
}

impl Button {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "expired" => Some(Self::Expired),
            "rotate" => Some(Self::Rotate),
            "jwks" => Some(Self::Jwks),
            "explain" => Some(Self::Explain),
            _ => None,
        }
    }
}

impl Console {
    pub(super) async fn press(&self, button: Button, request: &Request) -> Response {
        let body = Some(request.body.as_slice()).filter(|body| body.len() <= BODY_BYTES);
        let asked = body.and_then(|body| serde_json::from_slice(body).ok());
        match (button, asked) {
            (
                Button::Rotate,
                Some(Asked { client: None, down: None, token: None, call: None, seconds: None }),
            ) => self.rotate().await,
            (
                Button::Jwks,
                Some(Asked { client: None, down: Some(down), token: None, call: None, seconds: None }),
            ) => {
                self.issuer.withhold(down);
                Response::json(200, self.state())
            }
            (
                Button::Token | Button::Expired,
                Some(Asked { client: Some(client), down: None, token: None, call: None, seconds }),
            ) => self.token(&client, if button == Button::Expired { Some(0) } else { seconds }),
            (
                Button::Explain,
                Some(Asked { client: None, down: None, token: Some(token), call, seconds: None }),
            ) => self.explain(&token, call.as_deref()).await,
            _ => error(400, "malformed"),
        }
    }

    /// Making a key takes time that a thread of the runtime is too good for.
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
