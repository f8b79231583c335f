//! Owns RSA keys made for the run and the tokens signed with them, by `jsonwebtoken`: an implementation other than ours.

use std::sync::LazyLock;

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// When every decision is made, unless a test moves the clock.
pub(crate) const NOW: u64 = 1_700_000_000;
/// The pool whose tokens are let in.
pub(crate) const POOL: &str = "eu-central-1_Ab12cd34E";
pub(crate) const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12cd34E";
/// The client that is let in.
pub(crate) const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
pub(crate) const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/7";

/// The pool's first and second key.
pub(crate) static FIRST: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));
pub(crate) static SECOND: LazyLock<Signer> = LazyLock::new(|| Signer::new("second"));
/// Somebody else's key, of the same name as the pool's first.
pub(crate) static FOREIGN: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));

pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    key: EncodingKey,
    /// The private key as PKCS#1 has it.
    pub(crate) pkcs1: Vec<u8>,
    pub(crate) n: Vec<u8>,
    pub(crate) e: Vec<u8>,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
        // PKCS#8 wraps PKCS#1 in 26 bytes.
        let pkcs1 = pair.as_der().unwrap().as_ref()[26..].to_vec();
        Self { kid, key: EncodingKey::from_rsa_der(&pkcs1), pkcs1, n: public.n, e: public.e }
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": b64(&self.n), "e": b64(&self.e)
        })
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.kid})
    }

    /// Signs whatever these two texts are.
    pub(crate) fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.sign_as(Algorithm::RS256, header, payload)
    }

    pub(crate) fn sign_as(
        &self,
        algorithm: Algorithm,
        header: impl AsRef<[u8]>,
        payload: impl AsRef<[u8]>,
    ) -> String {
        let signed = format!("{}.{}", b64(header), b64(payload));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, algorithm).unwrap();
        format!("{signed}.{signature}")
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(self.header().to_string(), claims.to_string())
    }
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a good token, as Cognito writes them.
pub(crate) fn claims() -> Value {
    json!({
        "sub": CLIENT, "token_use": "access", "scope": "orders/read payments/read", "auth_time": NOW - 10,
        "iss": ISSUER, "exp": NOW + 3600, "iat": NOW - 10, "version": 2,
        "jti": "dc5ca8ea-0a5b-4d3f-b0f6-3f6e5a1f7a9c", "client_id": CLIENT
    })
}

/// An object with these members changed; `null` takes one away.
pub(crate) fn changed(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(&name);
        } else {
            object[name] = value;
        }
    }
    object
}

/// A key set as its endpoint serves it.
pub(crate) fn jwks(keys: impl IntoIterator<Item = Value>) -> Vec<u8> {
    json!({"keys": keys.into_iter().collect::<Vec<_>>()}).to_string().into_bytes()
}

/// The event for a value of the `Authorization` header.
pub(crate) fn event(value: &str) -> Value {
    json!({"type": "TOKEN", "authorizationToken": value, "methodArn": ARN})
}
