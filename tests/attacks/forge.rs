//! Raw RSA: the private operation on any block, and forgeries that need no private key.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::fill,
};
use num_bigint::BigUint;
use serde_json::{Value, json};

use test_support::{
    FIRST, Signer,
    signer::{self, b64, claims},
};

/// The prefix of a SHA-256 digest in a PKCS#1 block.
pub(crate) const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// A key with which any block can be signed.
pub(crate) struct RawKey {
    n: BigUint,
    d: BigUint,
}

impl RawKey {
    /// The private key of a signer.
    pub(crate) fn of(signer: &Signer) -> Self {
        // SPEC: RFC 8017 appendix A.1.2: version, n, e, d, …
        let key = signer.pkcs1();
        let mut rest = &key[4..];
        let mut integer = || {
            let (length, header) = match rest[1] {
                0x82 => (usize::from(rest[2]) << 8 | usize::from(rest[3]), 4),
                0x81 => (usize::from(rest[2]), 3),
                short => (usize::from(short), 2),
            };
            let (value, behind) = rest[header..].split_at(length);
            rest = behind;
            BigUint::from_bytes_be(value)
        };
        let (_version, n, _e, d) = (integer(), integer(), integer(), integer());
        Self { n, d }
    }

    /// A key of 1024 bits, which no library generates any more.
    pub(crate) fn of_1024_bits() -> Self {
        let (p, q) = (prime(64), prime(64));
        let one = BigUint::from(1_u8);
        let phi = (&p - &one) * (&q - &one);
        match BigUint::from(65_537_u32).modinv(&phi) {
            Some(d) => Self { n: p * q, d },
            None => Self::of_1024_bits(),
        }
    }

    /// A token signed over the block that `block` returns for the digest.
    pub(crate) fn token(&self, kid: &str, block: impl Fn(&[u8], usize) -> Vec<u8>) -> String {
        let length = self.n.to_bytes_be().len();
        unsigned(kid, |digest| {
            let block = block(digest, length);
            assert_eq!(block.len(), length);
            padded(&BigUint::from_bytes_be(&block).modpow(&self.d, &self.n), length)
        })
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        jwk(kid, &self.n.to_bytes_be(), &[1, 0, 1])
    }
}

/// A valid token except for its signature, which `sign` returns for the digest.
pub(crate) fn unsigned(kid: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let header = json!({"alg": "RS256", "kid": kid}).to_string();
    let signed = signer::unsigned(header, claims().to_string());
    let signature = sign(digest(&SHA256, signed.as_bytes()).as_ref());
    format!("{signed}.{}", b64(signature))
}

/// A valid token with its signature changed.
pub(crate) fn resigned(change: impl FnOnce(&BigUint, &BigUint) -> Vec<u8>) -> String {
    let key = RawKey::of(&FIRST);
    unsigned("first", |digest| {
        let signature = BigUint::from_bytes_be(&block(&DIGEST_INFO, digest, 256)).modpow(&key.d, &key.n);
        change(&signature, &key.n)
    })
}

/// A PKCS#1 version 1.5 block.
// SPEC: RFC 8017 section 9.2
pub(crate) fn block(digest_info: &[u8], digest: &[u8], length: usize) -> Vec<u8> {
    let padding = vec![0xFF; length - 3 - digest_info.len() - digest.len()];
    [&[0, 1], padding.as_slice(), &[0], digest_info, digest].concat()
}

/// A block with minimal padding and garbage after the digest.
pub(crate) fn short_block(digest: &[u8], length: usize) -> Vec<u8> {
    let mut block = [&[0, 1][..], &[0xFF; 8], &[0], &DIGEST_INFO, digest].concat();
    block.resize(length, 0xFF);
    block
}

/// A signature for exponent 3 that was made without the private key: the cube root of a block with garbage at its end.
pub(crate) fn cube_root(digest: &[u8]) -> Vec<u8> {
    let root = BigUint::from_bytes_be(&short_block(digest, 256)).cbrt();
    let cube = padded(&root.pow(3), 256);
    assert!(cube.starts_with(&short_block(digest, 62)), "a lax verifier would take it");
    padded(&root, 256)
}

pub(crate) fn jwk(kid: &str, n: &[u8], e: &[u8]) -> Value {
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": b64(n), "e": b64(e)})
}

/// Big-endian with leading zeros.
pub(crate) fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; length.saturating_sub(bytes.len())], bytes].concat()
}

/// A random odd number of this many bytes with its two highest bits set.
pub(crate) fn random(bytes: usize) -> BigUint {
    let mut random = vec![0; bytes];
    fill(&mut random).unwrap();
    random[0] |= 0xC0;
    random[bytes - 1] |= 1;
    BigUint::from_bytes_be(&random)
}

/// A prime of this many bytes, by Fermat's test to the bases 2 and 3: good enough for a key that must be refused.
fn prime(bytes: usize) -> BigUint {
    let one = BigUint::from(1_u8);
    loop {
        let candidate = random(bytes);
        let is_prime = |base: u8| BigUint::from(base).modpow(&(&candidate - &one), &candidate) == one;
        let has_factor =
            [3_u32, 5, 7, 11, 13, 17, 19, 23].iter().any(|factor| &candidate % *factor == BigUint::ZERO);
        if !has_factor && is_prime(2) && is_prime(3) {
            return candidate;
        }
    }
}
