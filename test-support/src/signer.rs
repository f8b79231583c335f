//! RSA keys made for the run, tokens signed with them, and the pool and client that the tokens are of.

use std::{fmt, sync::LazyLock};

use aws_lc_rs::{
    encoding::AsDer as _,
    hmac,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The time of every decision, unless a test moves the clock.
pub const NOW: u64 = 1_700_000_000;
/// The pool whose tokens are accepted.
pub const POOL: &str = "eu-central-1_Ab12cd34E";
/// The pool's issuer.
pub const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12cd34E";
/// The client that is allowed.
pub const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
/// The call that is asked about.
pub const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/7";

/// The pool's first key.
pub static FIRST: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));
/// The pool's second key.
pub static SECOND: LazyLock<Signer> = LazyLock::new(|| Signer::new("second"));
/// An attacker's key with the same name as the pool's first.
pub static FOREIGN: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));

/// A key that signs tokens.
pub struct Signer {
    /// The key's name.
    pub kid: &'static str,
    /// The modulus.
    pub n: Vec<u8>,
    /// The public exponent.
    pub e: Vec<u8>,
    pair: RsaKeyPair,
}

impl Signer {
    /// A new key of 2048 bits.
    pub fn new(kid: &'static str) -> Self {
        Self::of_size(kid, KeySize::Rsa2048)
    }

    /// A new key of this size.
    pub fn of_size(kid: &'static str, size: KeySize) -> Self {
        let pair = RsaKeyPair::generate(size).unwrap();
        let PublicKeyComponents { n, e } = pair.public_key().into();
        Self { kid, n, e, pair }
    }

    /// The private key in PKCS#1, which PKCS#8 wraps in 26 bytes.
    pub fn pkcs1(&self) -> Vec<u8> {
        self.pair.as_der().unwrap().as_ref()[26..].to_vec()
    }

    /// The public key in PKCS#1.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public key as the issuer publishes it.
    pub fn jwk(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": b64(&self.n), "e": b64(&self.e)})
    }

    /// The header of a valid token.
    pub fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.kid})
    }

    /// Signs any two strings with RS256.
    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.sign_as(&RSA_PKCS1_SHA256, header, payload)
    }

    /// Signs any two strings with this algorithm.
    pub fn sign_as(
        &self,
        algorithm: &'static dyn RsaEncoding,
        header: impl AsRef<[u8]>,
        payload: impl AsRef<[u8]>,
    ) -> String {
        let signed = unsigned(header, payload);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(algorithm, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", b64(signature))
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(self.header().to_string(), claims.to_string())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The first two parts of a token.
pub fn unsigned(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", b64(header), b64(payload))
}

/// A token with a MAC under this secret.
pub fn mac(algorithm: hmac::Algorithm, header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = unsigned(header.to_string(), claims.to_string());
    let mac = hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes());
    format!("{signed}.{}", b64(mac))
}

/// Base64url without padding.
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of a valid token, as Cognito writes them.
pub fn claims() -> Value {
    json!({
        "sub": CLIENT, "token_use": "access", "scope": "orders/read payments/read", "auth_time": NOW - 10,
        "iss": ISSUER, "exp": NOW + 3600, "iat": NOW - 10, "version": 2,
        "jti": "dc5ca8ea-0a5b-4d3f-b0f6-3f6e5a1f7a9c", "client_id": CLIENT
    })
}

/// An object with these members changed; `null` removes one.
#[must_use]
pub fn changed(mut object: Value, changes: Value) -> Value {
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
pub fn jwks(keys: impl IntoIterator<Item = Value>) -> Vec<u8> {
    json!({"keys": keys.into_iter().collect::<Vec<_>>()}).to_string().into_bytes()
}

/// A packaged key set, fetched at this time.
pub fn snapshot(fetched_at: u64, keys: impl IntoIterator<Item = Value>) -> Vec<u8> {
    json!({"fetched_at": fetched_at, "keys": keys.into_iter().collect::<Vec<_>>()}).to_string().into_bytes()
}

/// The event for a value of the `Authorization` header.
pub fn event(value: &str) -> Value {
    json!({"type": "TOKEN", "authorizationToken": value, "methodArn": ARN})
}
