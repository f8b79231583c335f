//! The issuer's keys: generate, sign, publish, rotate. A private key never leaves the type that holds it, except to
//! be saved.

use std::{fmt, sync::Arc, thread};

use aws_lc_rs::{
    digest::{SHA256, digest},
    error::Unspecified,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::Serialize;

/// A key or a token cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key could be made.
    #[error("the issuer could not make a key")]
    Generate,
    /// The claims have no form in JSON.
    #[error("the claims cannot be written as JSON")]
    Claims,
    /// The signature failed.
    #[error("the issuer could not sign")]
    Sign,
}

impl From<Unspecified> for KeyError {
    fn from(_: Unspecified) -> Self {
        Self::Generate
    }
}

/// The two keys that Cognito publishes for a pool; one of them signs access tokens.
#[derive(Debug)]
pub(super) struct KeyRing {
    current: Arc<SigningKey>,
    other: Arc<SigningKey>,
}

impl KeyRing {
    /// Two new keys, made side by side: one takes a few tenths of a second in a build without optimisation.
    pub(super) fn generate() -> Result<Self, KeyError> {
        let (current, other) = thread::scope(|scope| {
            let other = scope.spawn(SigningKey::generate);
            (SigningKey::generate(), other.join().unwrap_or(Err(KeyError::Generate)))
        });
        Ok(Self::of(current?, other?))
    }

    pub(super) fn of(current: SigningKey, other: SigningKey) -> Self {
        Self { current: Arc::new(current), other: Arc::new(other) }
    }

    /// The keys after a rotation: `key` signs; the key before it stays published, so that its tokens remain valid.
    pub(super) fn rotated(&self, key: SigningKey) -> Self {
        Self { current: Arc::new(key), other: self.current() }
    }

    pub(super) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&self.current)
    }

    pub(super) fn other(&self) -> &SigningKey {
        &self.other
    }

    pub(super) fn jwks(&self) -> String {
        serde_json::json!({ "keys": [self.other.jwk(), self.current.jwk()] }).to_string()
    }
}

/// An RSA key of 2048 bits with its id.
pub(super) struct SigningKey {
    id: String,
    pair: KeyPair,
}

impl SigningKey {
    pub(super) fn generate() -> Result<Self, KeyError> {
        Ok(Self::of(KeyPair::generate(KeySize::Rsa2048)?))
    }

    pub(super) fn of(pair: KeyPair) -> Self {
        // Cognito's ids are base64 of 32 bytes, padding and all.
        let id = BASE64_STANDARD.encode(digest(&SHA256, pair.public_key().as_ref()));
        Self { id, pair }
    }

    pub(super) const fn pair(&self) -> &KeyPair {
        &self.pair
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    // SPEC: RFC 7515 section 3.1, compact serialization
    pub(super) fn sign(&self, header: &[u8], claims: &[u8]) -> Result<String, KeyError> {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut token = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Sign)?;
        token.push('.');
        token.push_str(&encode(&signature));
        Ok(token)
    }

    // SPEC: RFC 7517 section 4, RFC 7518 section 6.3.1
    fn jwk(&self) -> Jwk<'_> {
        let public = self.pair.public_key();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Jwk {
            alg: "RS256",
            e: encode(public.exponent().big_endian_without_leading_zero()),
            kid: &self.id,
            kty: "RSA",
            n: encode(public.modulus().big_endian_without_leading_zero()),
            r#use: "sig",
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Jwk<'a> {
    alg: &'a str,
    e: String,
    kid: &'a str,
    kty: &'a str,
    n: String,
    r#use: &'a str,
}
