//! The console at `/_local/`: which request gets which answer.
//!
//! Reading needs a request of this machine's own page; the buttons need the key as well, which `local` prints when it
//! starts: they hand out tokens, and other users of the machine can reach the port too.

mod buttons;
mod decision;
mod decisions;
mod guard;
mod page;
mod state;

use std::{fmt, sync::Arc};

use access::Table;
use authorizer::Authorizer;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use gateway::{
    http::{Clock, Request, Response},
    rest::Gateway,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokens::rotate::{RotateError, new_secret};

pub(crate) use self::decisions::Decisions;
use self::state::Known;
use crate::{clients::Clients, explain::Explainer, issuer::Issuer};

pub(crate) const ROOT: &str = "/_local/";
const KEY_HEADER: &str = "X-Console-Key";

/// The console of one running system.
pub(crate) struct Console {
    port: u16,
    key: SecretString,
    clients: Vec<Known>,
    issuer: Arc<Issuer>,
    gateway: Arc<Gateway>,
    authorizers: Vec<Authorizer>,
    /// `None` where the template does not say all of the authorizer's settings.
    explainer: Option<Explainer>,
    /// `None` where the functions, the authorizer too, are other programs.
    routes: Option<Table>,
    decisions: Arc<Decisions>,
    clock: Clock,
}

/// What the console looks at and moves.
pub(crate) struct Watched {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) gateway: Arc<Gateway>,
    /// Those that run in this process.
    pub(crate) authorizers: Vec<Authorizer>,
    pub(crate) explainer: Option<Explainer>,
    pub(crate) routes: Option<Table>,
    pub(crate) decisions: Arc<Decisions>,
}

impl Console {
    pub(crate) fn new(
        port: u16,
        clients: &Clients,
        watched: Watched,
        clock: Clock,
    ) -> Result<Self, RotateError> {
        let Watched { issuer, gateway, authorizers, explainer, routes, decisions } = watched;
        let (clients, key) = (Known::all(clients, routes.as_ref()), new_secret()?);
        Ok(Self { port, key, clients, issuer, gateway, authorizers, explainer, routes, decisions, clock })
    }

    /// The key of the buttons.
    pub(crate) fn key(&self) -> &str {
        self.key.expose_secret()
    }

    /// Gets the keys that explanations need, so that they are as ready for an outage as the authorizer.
    pub(crate) async fn prepare(&self) {
        if let Some(explainer) = &self.explainer {
            explainer.prefetch().await;
        }
    }

    /// Ends all waiting answers: the system stops.
    pub(crate) fn close(&self) {
        self.decisions.close();
    }

    /// The answer to a request for the console, `None` for one that is not.
    pub(crate) async fn answer(&self, request: &Request) -> Option<Response> {
        if request.path() == ROOT.trim_end_matches('/') {
            return Some(Response::json(308, "{}").with_header("Location", ROOT));
        }
        let path = request.path().strip_prefix(ROOT)?;
        if !guard::is_own(request, self.port) {
            return Some(error(403, "cross_site"));
        }
        let answer = match (request.method.as_str(), path, buttons::NAMES.contains(&path)) {
            ("GET", "", _) => page::page(),
            ("GET", "state", _) => Response::json(200, self.state()),
            ("GET", "events", _) => self.decisions.events(request).await,
            (_, "" | "state" | "events", _) => error(405, "method_not_allowed").with_header("Allow", "GET"),
            (_, _, false) => return None,
            ("POST", _, true) if !self.has_key(request) => error(401, "console_key"),
            ("POST", ..) => self.press(path, request).await,
            (_, _, true) => error(405, "method_not_allowed").with_header("Allow", "POST"),
        };
        Some(
            answer
                .with_header("Cache-Control", "no-store")
                .with_header("Cross-Origin-Resource-Policy", "same-origin")
                .with_header("X-Content-Type-Options", "nosniff")
                .with_header("Referrer-Policy", "no-referrer"),
        )
    }

    fn has_key(&self, request: &Request) -> bool {
        let mut given = request.headers.all(KEY_HEADER);
        let (Some(key), None) = (given.next(), given.next()) else { return false };
        verify_slices_are_equal(key.as_bytes(), self.key().as_bytes()).is_ok()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("port", &self.port).finish_non_exhaustive()
    }
}

fn error(status: u16, code: &str) -> Response {
    Response::json(status, json!({ "error": code }).to_string())
}
