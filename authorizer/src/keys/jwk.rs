//! `KeySet`: a JWKS, read strictly. Each key is read separately, so a bad one does not affect the others.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::signature::PublicKey;
use crate::{
    json::{Json, Members, from_object},
    token::LONGEST_KEY_ID,
};

/// The most keys that a set may list. Cognito has two, others a handful.
const MOST_KEYS: usize = 100;

/// The usable keys of a JWKS by `kid`; never empty.
#[derive(Clone, Debug)]
pub(crate) struct KeySet(BTreeMap<String, Arc<PublicKey>>);

/// Why a JWKS cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("not a JSON object with a list of `keys`")]
    Malformed,
    #[error("more than 100 keys")]
    TooManyKeys,
    #[error("no usable RS256 key in it")]
    NoUsableKey,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySet {
    /// Reads a JWKS, leaving out the keys that cannot be used.
    // SPEC: RFC 7517 section 5
    pub(crate) fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        let document: Document<'_> = from_object(text).map_err(|_| KeySetError::Malformed)?;
        Self::of(&document.keys)
    }

    /// The usable ones of these keys.
    pub(super) fn of(raw: &[&RawValue]) -> Result<Self, KeySetError> {
        if raw.len() > MOST_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut keys: BTreeMap<String, Option<PublicKey>> = BTreeMap::new();
        for (kid, key) in raw.iter().filter_map(|raw| usable_key(raw.get())) {
            // Of two different keys with one name neither is used, since the name is ambiguous.
            keys.entry(kid)
                .and_modify(|held| {
                    if held.as_ref().is_some_and(|held| *held != key) {
                        *held = None;
                    }
                })
                .or_insert_with(|| Some(key.clone()));
        }
        let keys: BTreeMap<_, _> =
            keys.into_iter().filter_map(|(kid, key)| Some((kid, Arc::new(key?)))).collect();
        if keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self(keys)) }
    }

    /// The key of this name.
    pub(crate) fn key(&self, kid: &str) -> Option<Arc<PublicKey>> {
        self.0.get(kid).cloned()
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Reads one key and its name; `None` if it is not a sound RSA key for RS256 signatures.
// SPEC: RFC 7517 section 4; RFC 7518 section 6.3.1; RFC 8725 section 3.5
fn usable_key(text: &str) -> Option<(String, PublicKey)> {
    let jwk = Members::parse(text.as_bytes()).ok()?;
    let is = |name: &str, value: &str| jwk.text(name).is_some_and(|text| text == value);
    let is_absent_or = |name: &str, value: &str| jwk.get(name).is_none() || is(name, value);
    let is_for_verifying = match jwk.get("key_ops") {
        None => true,
        Some(Json::List(list)) => list.iter().any(|op| op.as_text().is_some_and(|op| op == "verify")),
        Some(
            Json::Whole(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) | Json::Bool | Json::Null,
        ) => false,
    };
    // Anyone can sign with a published private key.
    let is_private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.get(name).is_some());
    if !is("kty", "RSA")
        || !is_absent_or("use", "sig")
        || !is_absent_or("alg", "RS256")
        || !is_for_verifying
        || is_private
    {
        return None;
    }
    let kid = jwk.text("kid").filter(|kid| (1..=LONGEST_KEY_ID).contains(&kid.len()))?;
    let n = unsigned(jwk.text("n")?)?;
    let e = unsigned(jwk.text("e")?)?;
    if !is_sound_modulus(&n) || !is_sound_exponent(&e) {
        return None;
    }
    Some((kid.to_string(), PublicKey::new(&n, &e)?))
}

/// `Base64urlUInt`: canonical, and without leading zero octets.
// SPEC: RFC 7518 section 2
fn unsigned(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.first().is_some_and(|first| *first != 0))
}

/// 2048 to 4096 bits, and odd, as a product of two odd primes is.
fn is_sound_modulus(n: &[u8]) -> bool {
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    (2048..=4096).contains(&bits) && n.last().is_some_and(|last| last % 2 == 1)
}

/// Odd, from 65537 (nearly everyone's) up to 32 bits: smaller ones invite forgeries, larger ones cost time.
// SPEC: NIST SP 800-56B section 6.2 for the lower bound
fn is_sound_exponent(e: &[u8]) -> bool {
    let value = e.iter().try_fold(0_u32, |value, byte| value.checked_mul(256)?.checked_add(u32::from(*byte)));
    value.is_some_and(|value| value >= 65_537 && value % 2 == 1)
}

#[cfg(test)]
mod tests;
