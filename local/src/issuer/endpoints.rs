//! The issuer's two endpoints, `POST /oauth2/token` and `GET /.well-known/jwks.json`: statuses, headers and bodies of
//! their answers.

use access::UnixSeconds;
use gateway::http::{Request, Response};
use serde_json::json;
use uuid::Uuid;

use super::{
    Issuer,
    request::{TokenError, TokenRequest},
};

pub(crate) const TOKEN_PATH: &str = "/oauth2/token";
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";

/// The address of the token endpoint of the system at `base`.
pub(crate) fn token_url(base: &str) -> String {
    format!("{base}{TOKEN_PATH}")
}

impl Issuer {
    /// The answer to a request for one of the issuer's paths, `None` for any other. The keys are there twice: on their
    /// own, and below the pool's id as Cognito has them. `draw_id` is asked for the `jti` of a token.
    pub fn answer(&self, request: &Request, now: UnixSeconds, draw_id: fn() -> Uuid) -> Option<Response> {
        let path = request.path();
        if path == TOKEN_PATH {
            Some(match request.method.as_str() {
                "POST" => self.token(request, now, draw_id()),
                _ => method_not_allowed("POST"),
            })
        } else if self.is_jwks(path) {
            Some(match request.method.as_str() {
                "GET" | "HEAD" if self.withholds() => Response::json(503, r#"{"error":"withheld"}"#),
                "GET" | "HEAD" => {
                    Response::json(200, self.jwks()).with_header("Cache-Control", "public, max-age=86400")
                }
                _ => method_not_allowed("GET, HEAD"),
            })
        } else {
            None
        }
    }

    fn is_jwks(&self, path: &str) -> bool {
        let below_pool = path.strip_prefix('/').and_then(|path| path.strip_prefix(self.pool_id.as_str()));
        path == JWKS_PATH || below_pool == Some(JWKS_PATH)
    }

    fn token(&self, request: &Request, now: UnixSeconds, jti: Uuid) -> Response {
        let issued = TokenRequest::parse(request)
            .map_err(TokenError::from)
            .and_then(|request| self.issue(&request, now, jti));
        let (status, body) = match issued {
            Ok((token, life)) => {
                let body =
                    json!({ "access_token": token, "expires_in": life.as_secs(), "token_type": "Bearer" });
                (200, body)
            }
            // SPEC: RFC 6749 section 5.2, with Cognito's habit of answering `invalid_client` with 400, too
            Err(TokenError::Refused(refusal)) => (400, json!({ "error": refusal.to_string() })),
            Err(TokenError::Key(_)) => (500, json!({ "error": "server_error" })),
        };
        // SPEC: RFC 6749 section 5.1
        Response::json(status, body.to_string())
            .with_header("Cache-Control", "no-store")
            .with_header("Pragma", "no-cache")
    }
}

fn method_not_allowed(allow: &str) -> Response {
    Response::json(405, r#"{"error":"invalid_request"}"#).with_header("Allow", allow)
}
