//! The token endpoint, where a rotation tries a secret.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use client::{Http, ServiceUrl};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};

use super::{CallError, Tokens};
use crate::{
    clock::instant,
    token::{TokenRequest, Upstream, UpstreamError},
};

/// One question whether a secret is good takes no longer.
const ASKING: Duration = Duration::from_secs(8);

/// The pool's token endpoint.
#[derive(Clone, Debug)]
pub(super) struct TokenEndpoint(Upstream);

impl TokenEndpoint {
    /// The endpoint at this address.
    pub(super) fn new(http: Http, url: ServiceUrl, clock: fn() -> SystemTime) -> Self {
        Self(Upstream::new(http, url, clock))
    }
}

impl Tokens for TokenEndpoint {
    async fn accepts(&self, client_id: &str, secret: &SecretString) -> Result<bool, CallError> {
        let request = TokenRequest::basic(client_id, secret, basic(client_id, secret));
        match self.0.token(&request, instant() + ASKING).await {
            Ok(_) => Ok(true),
            Err(UpstreamError::Refused { code: "invalid_client", .. }) => Ok(false),
            Err(error) => Err(CallError { operation: "the token request", reason: error.to_string() }),
        }
    }
}

// SPEC: RFC 6749 section 2.3.1
fn basic(client_id: &str, secret: &SecretString) -> SecretString {
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose_secret()));
    format!("Basic {}", BASE64_STANDARD.encode(pair)).into()
}

#[cfg(test)]
mod tests {
    use test_support::{Stub, reply};

    use super::*;
    use crate::testing::clock;

    #[tokio::test]
    async fn a_secret_is_tried_at_the_token_endpoint() {
        let stub = Stub::in_turn(vec![
            reply(200, "", r#"{"access_token":"t","expires_in":60,"token_type":"Bearer"}"#),
            reply(400, "", r#"{"error":"invalid_client"}"#),
            reply(400, "", r#"{"error":"unauthorized_client"}"#),
        ])
        .await;
        let tokens =
            TokenEndpoint::new(Http::new().unwrap(), stub.url("/oauth2/token").parse().unwrap(), clock);
        assert_eq!(tokens.accepts("7abc", &"s3cret".into()).await, Ok(true));
        assert_eq!(tokens.accepts("7abc", &"s3cret".into()).await, Ok(false));
        let failed = tokens.accepts("7abc", &"s3cret".into()).await.unwrap_err();
        assert_eq!(failed.reason, "the token endpoint refused: `unauthorized_client`");
        let basic = format!("Basic {}", BASE64_STANDARD.encode("7abc:s3cret"));
        assert_eq!(stub.heard()[0].header("authorization"), Some(basic.as_str()));
    }
}
