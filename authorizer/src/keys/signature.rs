//! RS256 signatures, verified by `jsonwebtoken` with keys that are parsed once.
//!
//! Its built-in verifier parses the RSA key again for every signature. `install` sets a provider that keeps the parsed
//! keys, and passes every other algorithm, and signing, to the built-in one.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    crypto::{self, CryptoProvider, JwtVerifier, aws_lc::DEFAULT_PROVIDER},
    errors::{ErrorKind, Result},
    signature,
};

/// The most parsed keys that are kept. A dropped key is parsed again at its next use.
const MOST_PARSED: usize = 256;

/// A key that verifies RS256 signatures.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey(DecodingKey);

impl PublicKey {
    /// The RSA key with this modulus and exponent, if it is one.
    pub(crate) fn new(n: &[u8], e: &[u8]) -> Option<Self> {
        parsed(n, e).ok().map(|_| Self(DecodingKey::from_rsa_raw_components(n, e)))
    }

    /// Whether `signature`, in base64url, is this key's signature of `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        crypto::verify(signature, message, &self.0, Algorithm::RS256).is_ok_and(|is_valid| is_valid)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        matches!(
            (self.0.kind(), other.0.kind()),
            (
                DecodingKeyKind::RsaModulusExponent { n, e },
                DecodingKeyKind::RsaModulusExponent { n: other_n, e: other_e },
            ) if n == other_n && e == other_e
        )
    }
}

/// Makes `jsonwebtoken` use parsed keys in this process. If another provider is already installed, that one verifies:
/// as strictly, but more slowly.
pub(crate) fn install() {
    let _ = PROVIDER.install_default();
}

static PROVIDER: LazyLock<CryptoProvider> =
    LazyLock::new(|| CryptoProvider { verifier_factory: verifier, ..DEFAULT_PROVIDER.clone() });

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is the provider's")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.kind()) {
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Ok(Box::new(Rs256(parsed(n, e)?)))
        }
        _ => (DEFAULT_PROVIDER.verifier_factory)(algorithm, key),
    }
}

struct Rs256(Arc<ParsedPublicKey>);

impl signature::Verifier<Vec<u8>> for Rs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        self.0.verify_sig(message, signature).map_err(signature::Error::from_source)
    }
}

impl JwtVerifier for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

struct Parsed {
    e: Vec<u8>,
    key: Arc<ParsedPublicKey>,
}

/// The parsed keys by modulus, for the whole process, since a provider is a set of plain functions.
static PARSED: RwLock<Kept> = RwLock::new(BTreeMap::new());

type Kept = BTreeMap<Vec<u8>, Parsed>;

fn parsed(n: &[u8], e: &[u8]) -> Result<Arc<ParsedPublicKey>> {
    // Every change is one call of the map, so a panic elsewhere leaves nothing half done.
    let kept = PARSED.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(parsed) = kept.get(n).filter(|parsed| parsed.e == e) {
        return Ok(Arc::clone(&parsed.key));
    }
    drop(kept);
    let key = RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| ErrorKind::InvalidKeyFormat)?;
    let key = Arc::new(key);
    let parsed = Parsed { e: e.to_vec(), key: Arc::clone(&key) };
    keep(&mut PARSED.write().unwrap_or_else(PoisonError::into_inner), n, parsed);
    Ok(key)
}

fn keep(kept: &mut Kept, n: &[u8], parsed: Parsed) {
    if kept.len() >= MOST_PARSED {
        kept.clear();
    }
    kept.insert(n.to_vec(), parsed);
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::testing::{FIRST, FOREIGN, SECOND, b64};

    fn components(jwk: &serde_json::Value) -> [Vec<u8>; 2] {
        ["n", "e"].map(|name| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap())
    }

    #[test]
    fn a_key_is_parsed_once_and_told_from_others_by_modulus_and_exponent() {
        let [n, e] = components(&FIRST.jwk());
        let [other, _] = components(&SECOND.jwk());
        let key = parsed(&n, &e).unwrap();
        assert!(Arc::ptr_eq(&key, &parsed(&n, &e).unwrap()));
        assert!(!Arc::ptr_eq(&key, &parsed(&n, &[1, 0, 3]).unwrap()));
        assert!(!Arc::ptr_eq(&key, &parsed(&other, &e).unwrap()));
        assert!(parsed(&n, &[]).is_err() && parsed(&[], &e).is_err());
        let public = |n: &[u8], e: &[u8]| PublicKey::new(n, e).unwrap();
        assert_eq!(public(&n, &e), public(&n, &e));
        assert_ne!(public(&n, &e), public(&n, &[1, 0, 3]));
        assert_ne!(public(&n, &e), public(&other, &e));
    }

    #[test]
    fn no_more_keys_are_kept_than_256() {
        let [n, e] = components(&FIRST.jwk());
        let key = parsed(&n, &e).unwrap();
        let mut kept = Kept::new();
        for number in 0..600_u16 {
            keep(&mut kept, &number.to_be_bytes(), Parsed { e: e.clone(), key: Arc::clone(&key) });
            assert_eq!(kept.len(), usize::from(number % 256) + 1);
        }
    }

    #[test]
    fn once_installed_the_provider_is_used() {
        let [n, e] = components(&FOREIGN.jwk());
        let key = PublicKey::new(&n, &e).unwrap();
        install();
        PARSED.write().unwrap().remove(&n);
        let token = FOREIGN.sign("{}", "{}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        assert!(key.verifies(message.as_bytes(), signature));
        assert!(PARSED.read().unwrap().contains_key(&n));
    }

    #[test]
    fn the_provider_verifies_rs256_itself_and_leaves_the_rest_to_the_built_in_one() {
        let [n, e] = components(&FIRST.jwk());
        let key = DecodingKey::from_rsa_raw_components(&n, &e);
        let token = FIRST.sign("{}", "{}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        for (algorithm, is_valid) in
            [(Algorithm::RS256, true), (Algorithm::RS384, false), (Algorithm::PS256, false)]
        {
            let verifier = (PROVIDER.verifier_factory)(&algorithm, &key).unwrap();
            assert_eq!(verifier.algorithm(), algorithm);
            assert_eq!(verifier.verify(message.as_bytes(), &bytes).is_ok(), is_valid, "{algorithm:?}");
        }
        let der = DecodingKey::from_rsa_der(b"nonsense");
        let verifier = (PROVIDER.verifier_factory)(&Algorithm::RS256, &der).unwrap();
        assert!(verifier.verify(message.as_bytes(), &bytes).is_err());
        let secret = DecodingKey::from_secret(b"secret");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), b"message");
        let verifier = (PROVIDER.verifier_factory)(&Algorithm::HS256, &secret).unwrap();
        assert!(verifier.verify(b"message", &tag.as_ref().to_vec()).is_ok());
        assert!((PROVIDER.verifier_factory)(&Algorithm::RS256, &secret).is_err());
    }

    #[test]
    fn only_the_keys_own_signature_of_the_message_is_valid() {
        let [n, e] = components(&FIRST.jwk());
        let key = PublicKey::new(&n, &e).unwrap();
        let (token, other) = (FIRST.sign("{}", "{}"), SECOND.sign("{}", "{}"));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (_, foreign) = other.rsplit_once('.').unwrap();
        install();
        assert!(key.verifies(message.as_bytes(), signature));
        assert!(!key.verifies(b"another", signature));
        for bad in [foreign, "", "AA", "+", &b64([0; 256]), &format!("{signature}=")] {
            assert!(!key.verifies(message.as_bytes(), bad), "{bad}");
        }
    }
}
