//! Keys, a JWKS endpoint and tokens like Cognito's, and the events that carry the tokens.

use std::{num::NonZero, thread, time::Duration};

use anyhow::{Context, Result, anyhow};
use serde_json::json;
use test_support::{
    Signer, Stub, open, reply,
    signer::{b64, jwks},
};

use crate::{clock, runtime};

/// The pool whose tokens these are.
pub const USER_POOL_ID: &str = "us-east-1_Bench0001";

/// The client they were issued to, as long as Cognito's ids are.
pub const CLIENT_ID: &str = "1example23456789bench00001";

const METHOD_ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/inventory";

/// One RSA key that signs, and a second one in the JWKS, as Cognito has it.
#[derive(Debug)]
pub struct Issuer {
    signing: Signer,
    standby: Signer,
}

impl Issuer {
    /// Draws both keys.
    pub fn generate() -> Self {
        let signing = Signer::new("KeYiDoFtHeFiRsTkEyOfTheBenchPool000000000001=");
        let standby = Signer::new("KeYiDoFtHeSeCoNdKeyOfTheBenchPool00000000002=");
        Self { signing, standby }
    }

    /// The verifying key as `floor` takes it: PKCS#1 DER in base64url.
    pub fn public_key(&self) -> String {
        b64(self.signing.public_key())
    }

    /// Serves the JWKS; each answer waits for `latency`.
    pub fn serve_jwks(&self, latency: Duration) -> Stub {
        let (headers, keys) =
            ("content-type: application/json\r\n", jwks([&self.signing, &self.standby].map(Signer::jwk)));
        let reply = if latency.is_zero() {
            open(200, headers, keys)
        } else {
            reply(200, headers, keys).late(latency)
        };
        runtime().block_on(Stub::always(reply))
    }

    /// `count` events, each with its own token of these scopes, valid for an hour. Signing uses all cores.
    pub fn fresh_events(&self, count: usize, scopes: &str) -> Result<Vec<String>> {
        let now = clock::unix_seconds();
        let share = count.div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(1);
        let numbers: Vec<usize> = (0..count).collect();
        let mut events = Vec::with_capacity(count);
        thread::scope(|scope| {
            let signers: Vec<_> = numbers
                .chunks(share)
                .map(|numbers| {
                    scope.spawn(move || {
                        let tokens = numbers.iter().map(|&number| self.token(number, scopes, now));
                        tokens.map(|token| event(&token)).collect::<Vec<_>>()
                    })
                })
                .collect();
            for signer in signers {
                events.extend(signer.join().map_err(|_| anyhow!("a signing thread panicked"))?);
            }
            Ok(events)
        })
    }

    /// A client-credentials access token with the claims that Cognito puts in.
    pub fn token(&self, number: usize, scopes: &str, now: u64) -> String {
        self.signing.token(&json!({
            "sub": CLIENT_ID,
            "token_use": "access",
            "scope": scopes,
            "auth_time": now,
            "iss": format!("https://cognito-idp.us-east-1.amazonaws.com/{USER_POOL_ID}"),
            "exp": now + 3600,
            "iat": now,
            "version": 2,
            "jti": format!("5a0c6f2e-93b1-4d1c-8a77-{number:012x}"),
            "client_id": CLIENT_ID,
        }))
    }

    /// Events whose tokens fail on their shape alone, one for each way to do so.
    pub fn malformed_events(&self) -> Result<Vec<String>> {
        let token = self.token(0, "inventory/read", clock::unix_seconds());
        let (unsigned, signature) = token.rsplit_once('.').context("a token without dots")?;
        Ok(vec![
            event("not-a-token"),
            event(unsigned),
            event(&format!("*{token}")),
            event(&format!("{unsigned}.{signature}=")),
        ])
    }
}

/// What API Gateway sends the authorizer.
pub fn event(token: &str) -> String {
    json!({ "type": "TOKEN", "authorizationToken": format!("Bearer {token}"), "methodArn": METHOD_ARN })
        .to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fresh_event_is_another_one() {
        let events = Issuer::generate().fresh_events(9, "a/b").unwrap();
        assert_eq!(events.iter().collect::<HashSet<_>>().len(), 9);
    }
}
