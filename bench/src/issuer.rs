//! Keys, a JWKS endpoint and tokens like Cognito's, and the events that carry the tokens.

use std::{io, num::NonZero, thread, time::Duration};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{
    clock,
    http::{Reply, Server},
};

/// The pool whose tokens these are.
pub const USER_POOL_ID: &str = "us-east-1_Bench0001";

/// The client they were issued to, as long as Cognito's ids are.
pub const CLIENT_ID: &str = "1example23456789bench00001";

const KIDS: [&str; 2] =
    ["KeYiDoFtHeFiRsTkEyOfTheBenchPool000000000001=", "KeYiDoFtHeSeCoNdKeyOfTheBenchPool00000000002="];

const METHOD_ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/inventory";

/// One RSA key that signs, and a second one in the JWKS, as Cognito has it.
#[derive(Debug)]
pub struct Issuer {
    signing: RsaKeyPair,
    standby: RsaKeyPair,
}

impl Issuer {
    /// Draws both keys.
    pub fn generate() -> Result<Self> {
        let draw = || RsaKeyPair::generate(KeySize::Rsa2048).context("no RSA key");
        Ok(Self { signing: draw()?, standby: draw()? })
    }

    /// The verifying key as `floor` takes it: PKCS#1 DER in base64url.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.signing.public_key())
    }

    /// Serves the JWKS; each answer waits for `latency`.
    pub fn serve_jwks(&self, latency: Duration) -> io::Result<Server> {
        let keys: Vec<_> = KIDS
            .iter()
            .zip([&self.signing, &self.standby])
            .map(|(kid, key)| {
                let key = key.public_key();
                json!({
                    "alg": "RS256",
                    "e": URL_SAFE_NO_PAD.encode(key.exponent().big_endian_without_leading_zero()),
                    "kid": kid,
                    "kty": "RSA",
                    "n": URL_SAFE_NO_PAD.encode(key.modulus().big_endian_without_leading_zero()),
                    "use": "sig",
                })
            })
            .collect();
        let body = json!({ "keys": keys }).to_string();
        Server::start(move |_| {
            thread::sleep(latency);
            Some(Reply::json("200 OK", body.clone()))
        })
    }

    /// `count` events, each with a token of its own with these scopes that is good for an hour. Signing takes all
    /// cores.
    pub fn fresh_events(&self, count: usize, scopes: &str) -> Result<Vec<Vec<u8>>> {
        let now = clock::unix_seconds();
        let share = count.div_ceil(thread::available_parallelism().map_or(1, NonZero::get)).max(1);
        let numbers: Vec<usize> = (0..count).collect();
        let mut events = Vec::with_capacity(count);
        thread::scope(|scope| {
            let signers: Vec<_> = numbers
                .chunks(share)
                .map(|numbers| {
                    scope.spawn(move || {
                        numbers
                            .iter()
                            .map(|&number| Ok(event(&self.token(number, scopes, now)?)))
                            .collect::<Result<Vec<_>>>()
                    })
                })
                .collect();
            for signer in signers {
                events.extend(signer.join().map_err(|_| anyhow!("a signing thread panicked"))??);
            }
            Ok(events)
        })
    }

    /// A client-credentials access token with the claims that Cognito puts in.
    pub fn token(&self, number: usize, scopes: &str, now: u64) -> Result<String> {
        let [kid, _] = KIDS;
        let header = json!({ "kid": kid, "alg": "RS256" });
        let claims = json!({
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
        });
        let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.signing.public_modulus_len()];
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .context("signing failed")?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Events whose tokens fail on their shape alone, one for each way to do so.
    pub fn malformed_events(&self) -> Result<Vec<Vec<u8>>> {
        let token = self.token(0, "inventory/read", clock::unix_seconds())?;
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
pub fn event(token: &str) -> Vec<u8> {
    json!({ "type": "TOKEN", "authorizationToken": format!("Bearer {token}"), "methodArn": METHOD_ARN })
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fresh_event_is_another_one() {
        let events = Issuer::generate().unwrap().fresh_events(9, "a/b").unwrap();
        assert_eq!(events.iter().collect::<HashSet<_>>().len(), 9);
    }
}
