//! Owns the console, `/_local/`: the page, what it reads, and what its buttons do. Who may ask is `guard`'s to say,
//! what was decided `decisions` keeps.
//!
//! Reading needs a request of this machine's own page; the buttons need the key as well, which `local` prints when it
//! starts: they hand out tokens, and other users of the machine can reach the port too.

mod decisions;
mod guard;

use std::{collections::BTreeMap, fmt, sync::Arc, time::SystemTime};

use access::{ROUTES, ScopeSet};
use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use self::decisions::{Decision, Decisions};
use crate::{
    clients::Clients,
    credentials::{self, CredentialsError},
    gateway::{
        http::{Clock, Headers, Request, Response},
        served::Served,
    },
    issuer::Issuer,
};

const ROOT: &str = "/_local/";
const KEY_HEADER: &str = "X-Console-Key";
/// What a button sends is a client's name at most.
const BODY_BYTES: usize = 1024;
const PAGE: &str = include_str!("console/page.html");

/// The console of one running system.
pub(crate) struct Console {
    port: u16,
    key: SecretString,
    /// Ids and scopes by name.
    clients: BTreeMap<String, (String, Vec<String>)>,
    issuer: Arc<Issuer>,
    clock: Clock,
    decisions: Decisions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    client: Option<String>,
    down: Option<bool>,
}

impl Console {
    pub(crate) fn new(
        port: u16,
        clients: &Clients,
        issuer: Arc<Issuer>,
        clock: Clock,
    ) -> Result<Self, CredentialsError> {
        let clients = clients.0.iter();
        let clients =
            clients.map(|(name, client)| (name.clone(), (client.client_id.clone(), client.scopes.clone())));
        let (clients, key) = (clients.collect(), credentials::secret()?);
        Ok(Self { port, key, clients, issuer, clock, decisions: Decisions::default() })
    }

    /// The key of the buttons.
    pub(crate) fn key(&self) -> &str {
        self.key.expose_secret()
    }

    /// Keeps what was decided about a request.
    pub(crate) fn record(&self, served: &Served, at: SystemTime) {
        let id = served.principal_id.as_deref();
        let client = id.and_then(|id| self.clients.iter().find(|(_, (other, _))| other == id));
        self.decisions.push(Decision::new(served, client.map(|(name, _)| name.clone()), at));
    }

    /// Lets nobody wait any longer: the system stops.
    pub(crate) fn close(&self) {
        self.decisions.close();
    }

    /// The answer to a request below `/_local/`, `None` for one that is not the console's.
    pub(crate) async fn answer(&self, request: &Request) -> Option<Response> {
        let path = request.path().strip_prefix(ROOT)?;
        if !guard::is_own(request, self.port) {
            return Some(error(403, "cross_site"));
        }
        let answer = match (request.method.as_str(), path) {
            ("GET", "") => page(),
            ("GET", "state") => Response::json(200, self.state().to_string()),
            ("GET", "events") => self.decisions.events(request).await,
            ("POST", "token" | "expired" | "rotate" | "jwks") => self.press(path, request),
            (_, "" | "state" | "events") => error(405, "method_not_allowed").with_header("Allow", "GET"),
            (_, "token" | "expired" | "rotate" | "jwks") => {
                error(405, "method_not_allowed").with_header("Allow", "POST")
            }
            _ => return None,
        };
        Some(
            answer
                .with_header("Cache-Control", "no-store")
                .with_header("X-Content-Type-Options", "nosniff")
                .with_header("Referrer-Policy", "no-referrer"),
        )
    }

    fn state(&self) -> Value {
        let client = |(name, (id, scopes)): (&String, &(String, Vec<String>))| {
            let held = ScopeSet::parse(scopes.join(" ")).ok();
            let covers = |route: &access::Route| held.as_ref().is_some_and(|held| route.is_covered_by(held));
            json!({ "name": name, "id": id, "allowed": ROUTES.iter().map(covers).collect::<Vec<_>>() })
        };
        let route = |route: &access::Route| {
            let scopes: Vec<_> = route.scopes.iter().map(|scope| scope.as_str()).collect();
            json!({ "method": route.method.as_str(), "path": route.path, "scopes": scopes })
        };
        json!({
            "clients": self.clients.iter().map(client).collect::<Vec<_>>(),
            "routes": ROUTES.iter().map(route).collect::<Vec<_>>(),
            "key_id": self.issuer.key_id(),
            "jwks_down": self.issuer.withholds(),
        })
    }

    fn press(&self, button: &str, request: &Request) -> Response {
        let given = request.headers.first(KEY_HEADER).unwrap_or_default();
        if verify_slices_are_equal(given.as_bytes(), self.key().as_bytes()).is_err() {
            return error(401, "console_key");
        }
        let body = Some(request.body.as_slice()).filter(|body| body.len() <= BODY_BYTES);
        let Some(asked) = body.and_then(|body| serde_json::from_slice::<Asked>(body).ok()) else {
            return error(400, "malformed");
        };
        match (button, asked) {
            ("rotate", _) => match self.issuer.rotate() {
                Ok(()) => Response::json(200, self.state().to_string()),
                Err(_) => error(500, "no_key"),
            },
            ("jwks", Asked { down: Some(down), .. }) => {
                self.issuer.withhold(down);
                Response::json(200, self.state().to_string())
            }
            ("token" | "expired", Asked { client: Some(name), .. }) => {
                let token = self.clients.get(&name).and_then(|(id, _)| {
                    self.issuer.token_for(id, button == "expired", (self.clock)().into(), Uuid::new_v4())
                });
                match token {
                    Some(Ok(token)) => Response::json(200, json!({ "token": token }).to_string()),
                    Some(Err(_)) => error(500, "no_token"),
                    None => error(404, "no_client"),
                }
            }
            _ => error(400, "malformed"),
        }
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

fn page() -> Response {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash_of("script"),
        hash_of("style"),
    );
    let mut headers = Headers::default();
    headers.push("Content-Type", "text/html; charset=utf-8");
    headers.push("Content-Security-Policy", &policy);
    Response { status: 200, headers, body: PAGE.into() }
}

/// The page's one element of that name, as a content security policy names it; `'none'` if there is not one.
// SPEC: Content Security Policy Level 3 section 6.7.3.3
fn hash_of(element: &str) -> String {
    let inside = PAGE
        .split_once(&format!("<{element}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{element}>")))
        .map(|(inside, _)| inside);
    inside.map_or_else(
        || "'none'".to_owned(),
        |inside| format!("'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, inside.as_bytes()))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_runs_its_own_script_and_style_and_nothing_else() {
        for element in ["script", "style"] {
            assert!(hash_of(element).starts_with("'sha256-"), "{element}");
            assert_eq!(PAGE.matches(&format!("<{element}")).count(), 1, "{element}");
        }
        for outside in ["http://", "https://", " src=", " style=", " onclick=", "innerHTML"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
        let policy = page().headers.first("Content-Security-Policy").unwrap().to_owned();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
    }
}
