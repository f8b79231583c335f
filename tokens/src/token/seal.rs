//! The cryptography: the key of an item and the sealing of its token, both derived from the client's own secret.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::request::TokenRequest;

/// The first byte of everything sealed: what follows is salt, nonce, ciphertext and tag.
const VERSION: u8 = 1;
const SALT_LEN: usize = 32;
const KEY_LEN: usize = 32;

/// The key of an item is derived under another salt and label than the keys that seal: neither tells of the other.
const ITEM_SALT: &[u8] = b"scopegate tokens: key of an item, version 1";
const ITEM_INFO: &[u8] = b"item";
const SEAL_INFO: &[u8] = b"seal";

/// A token could not be sealed, or what was found cannot be opened. Says nothing of why: nobody could act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cryptography failed")]
pub(super) struct SealError;

/// The sort key under which the tokens of this client, secret and set of scopes are found: 32 bytes in base64url.
pub(super) fn item_key(request: &TokenRequest) -> Result<String, SealError> {
    let context = context(request, 0);
    let bytes = derive(ITEM_SALT, request.secret(), &[ITEM_INFO, &context])?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Seals `plain` for whoever holds the client's secret, under a salt and a nonce that are drawn anew. Client, scopes
/// and expiry are bound in: an item that is changed or swapped cannot be opened.
pub(super) fn seal(request: &TokenRequest, expires: u64, plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT_LEN];
    rand::fill(&mut salt).map_err(|_| SealError)?;
    let mut cipher = plain.to_vec();
    let aad = Aad::from(context(request, expires));
    let nonce = key(&salt, request)?.seal_in_place_append_tag(aad, &mut cipher).map_err(|_| SealError)?;
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(nonce.as_ref());
    sealed.append(&mut cipher);
    Ok(sealed)
}

/// Opens what [`seal`] made for the same client, secret, scopes and expiry.
pub(super) fn open(request: &TokenRequest, expires: u64, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (&version, rest) = sealed.split_first().ok_or(SealError)?;
    let (salt, rest) = rest.split_at_checked(SALT_LEN).ok_or(SealError)?;
    let (nonce, cipher) = rest.split_at_checked(NONCE_LEN).ok_or(SealError)?;
    if version != VERSION {
        return Err(SealError);
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
    let mut plain = cipher.to_vec();
    let aad = Aad::from(context(request, expires));
    let length = key(salt, request)?.open_in_place(nonce, aad, &mut plain).map_err(|_| SealError)?.len();
    plain.truncate(length);
    Ok(plain)
}

fn key(salt: &[u8], request: &TokenRequest) -> Result<RandomizedNonceKey, SealError> {
    let bytes = derive(salt, request.secret(), &[SEAL_INFO])?;
    RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError)
}

// SPEC: RFC 5869
fn derive(salt: &[u8], secret: &str, info: &[&[u8]]) -> Result<[u8; KEY_LEN], SealError> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY_LEN
        }
    }
    let mut bytes = [0; KEY_LEN];
    let pseudorandom = Salt::new(HKDF_SHA256, salt).extract(secret.as_bytes());
    let derived = pseudorandom.expand(info, Length).map_err(|_| SealError)?;
    derived.fill(&mut bytes).map_err(|_| SealError)?;
    Ok(bytes)
}

/// Client, scopes and expiry, each of known length, so that no two requests give the same bytes.
fn context(request: &TokenRequest, expires: u64) -> Vec<u8> {
    let mut bytes = expires.to_be_bytes().to_vec();
    for text in [&request.client_id, &request.scopes] {
        bytes.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;

    const EXPIRES: u64 = 1_700_000_000;

    #[test]
    fn what_is_sealed_opens_with_the_same_secret_alone() {
        let owner = request("client", "secret", "a/b");
        let sealed = seal(&owner, EXPIRES, b"token").unwrap();
        assert_eq!(open(&owner, EXPIRES, &sealed).unwrap(), b"token");
        for (name, other, expires) in [
            ("another secret", request("client", "secreu", "a/b"), EXPIRES),
            ("another client", request("clienu", "secret", "a/b"), EXPIRES),
            ("other scopes", request("client", "secret", "a/b a/c"), EXPIRES),
            ("no scopes", request("client", "secret", ""), EXPIRES),
            ("another expiry", request("client", "secret", "a/b"), EXPIRES + 1),
        ] {
            assert_eq!(open(&other, expires, &sealed), Err(SealError), "{name}");
        }
    }

    #[test]
    fn a_changed_byte_or_length_opens_nothing() {
        let owner = request("client", "secret", "a/b");
        let sealed = seal(&owner, EXPIRES, b"token").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&owner, EXPIRES, &changed), Err(SealError), "byte {at}");
            assert_eq!(open(&owner, EXPIRES, &sealed[..at]), Err(SealError), "{at} bytes");
        }
    }

    #[test]
    fn salt_and_nonce_are_new_for_every_write() {
        let owner = request("client", "secret", "a/b");
        let [one, other] = [0; 2].map(|_| seal(&owner, EXPIRES, b"token").unwrap());
        assert_ne!(one[1..=SALT_LEN], other[1..=SALT_LEN]);
        assert_ne!(one[1 + SALT_LEN..][..NONCE_LEN], other[1 + SALT_LEN..][..NONCE_LEN]);
    }

    #[test]
    fn each_secret_client_and_set_of_scopes_has_its_own_item() {
        let keys: std::collections::BTreeSet<String> = [
            request("client", "secret", "a/b"),
            request("client", "secreu", "a/b"),
            request("clienu", "secret", "a/b"),
            request("client", "secret", ""),
            request("clienta", "secret", "/b"),
        ]
        .iter()
        .map(|request| item_key(request).unwrap())
        .collect();
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().all(|key| key.len() == 43));
    }

    #[test]
    fn the_key_of_an_item_stays_the_same_from_one_version_of_the_function_to_the_next() {
        let key = item_key(&request("client", "secret", "a/b")).unwrap();
        assert_eq!(key, item_key(&request("client", "secret", "a/b")).unwrap());
        insta::assert_snapshot!(key, @"ytocSpDuBO99p2ZQ9f7Tktt769wplbJJoZHemegkQLg");
    }
}
