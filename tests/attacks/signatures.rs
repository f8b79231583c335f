//! Attacks with the signature: malformed blocks signed with the pool's own key, and other encodings of a valid one.
//! They are the classes of Wycheproof's RSA signature vectors, and the forgeries published since 2006.

use authorizer::Refusal::{MalformedBase64, Signature};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use num_bigint::BigUint;
use serde_json::json;
use test_support::signer::{FIRST, FOREIGN, SECOND, b64, changed, claims};

use crate::{
    catalogue::{Attack, Case, refused},
    forge::{DIGEST_INFO, RawKey, block, cube_root, padded, resigned, short_block, unsigned},
};

/// A valid token except for the signed block.
fn blocked(make: impl Fn(&[u8], usize) -> Vec<u8>) -> Case {
    Case::token(&RawKey::of(&FIRST).token("first", make))
}

/// A valid token except for its signature, computed from the valid one and the modulus.
fn changed_signature(change: impl FnOnce(&BigUint, &BigUint) -> Vec<u8>) -> Case {
    Case::token(&resigned(change))
}

/// A valid token except for its signature, which needs no key.
fn forged(signature: impl FnOnce(&[u8]) -> Vec<u8>) -> Case {
    Case::token(&unsigned("first", signature))
}

/// The block of a digest, with these bytes set.
fn set(digest: &[u8], length: usize, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut block = block(&DIGEST_INFO, digest, length);
    for (place, byte) in changes {
        block[*place] = *byte;
    }
    block
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = vec![
        refused("another pool's key of the same `kid`", "RFC 8725 section 2.7", Signature, || {
            Case::token(&FOREIGN.token(&claims()))
        }),
        refused("the pool's other key", "RFC 7515 section 4.1.4", Signature, || {
            Case::token(&SECOND.sign(FIRST.header().to_string(), claims().to_string()))
        }),
        refused("another payload under a good signature", "RFC 8725 section 2.1", Signature, || {
            let token = FIRST.token(&claims());
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let (header, _) = signed.split_once('.').unwrap();
            let payload = changed(claims(), json!({"scope": "inventory/write"})).to_string();
            Case::token(&format!("{header}.{}.{signature}", b64(payload)))
        }),
        refused("another header under a good signature", "RFC 7515 section 5.2", Signature, || {
            let token = FIRST.token(&claims());
            let (_, rest) = token.split_once('.').unwrap();
            let header = changed(FIRST.header(), json!({"x": 1})).to_string();
            Case::token(&format!("{}.{rest}", b64(header)))
        }),
    ];
    attacks.extend(blocks());
    attacks.extend(spellings());
    attacks
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn blocks() -> Vec<Attack> {
    vec![
        refused(
            "garbage behind the digest, short padding",
            "Bleichenbacher 2006; CVE-2006-4339",
            Signature,
            || blocked(short_block),
        ),
        refused(
            "garbage in the algorithm's parameters",
            "CVE-2022-24771; CVE-2014-1568, BERserk",
            Signature,
            || {
                blocked(|digest, length| {
                    let garbage = [0xAB; 100];
                    let inner = [&DIGEST_INFO[4..15], &[0x04, 100], &garbage].concat();
                    let info = [&[0x30, 0x81, 0x95, 0x30, 113][..], &inner, &[0x04, 0x20]].concat();
                    block(&info, digest, length)
                })
            },
        ),
        refused("garbage behind the block's structure", "CVE-2022-24772", Signature, || {
            blocked(|digest, length| {
                let mut block = block(&DIGEST_INFO, digest, length - 8);
                block.extend([0; 8]);
                block
            })
        }),
        refused("no NULL parameter", "RFC 8017 section 9.2; Wycheproof, MissingNull", Signature, || {
            blocked(|digest, length| {
                let info = [&[0x30, 0x2f, 0x30, 0x0b][..], &DIGEST_INFO[4..15], &[0x04, 0x20]].concat();
                block(&info, digest, length)
            })
        }),
        refused(
            "a length in long form",
            "CVE-2014-1568, BERserk; Wycheproof, BerEncodedPadding",
            Signature,
            || {
                blocked(|digest, length| {
                    block(&[&[0x30, 0x81, 0x31], &DIGEST_INFO[2..]].concat(), digest, length)
                })
            },
        ),
        refused("an indefinite length", "Wycheproof, BerEncodedPadding", Signature, || {
            blocked(|digest, length| {
                block(&[&[0x30, 0x80], &DIGEST_INFO[2..]].concat(), &[digest, &[0, 0]].concat(), length)
            })
        }),
        refused("a digest without its structure", "Wycheproof, NoHash", Signature, || {
            blocked(|digest, length| block(&[], digest, length))
        }),
        refused("a structure without its digest", "Wycheproof, NoHash", Signature, || {
            blocked(|_, length| block(&DIGEST_INFO, &[], length))
        }),
        refused("SHA-1 in the structure", "RFC 8725 section 3.2; Wycheproof, WrongHash", Signature, || {
            blocked(|digest_256, length| {
                let info = [
                    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
                ];
                block(&info, digest(&SHA1_FOR_LEGACY_USE_ONLY, digest_256).as_ref(), length)
            })
        }),
        refused("SHA-512's name over a SHA-256 digest", "Wycheproof, WrongHash", Signature, || {
            blocked(|digest, length| {
                let mut info = DIGEST_INFO;
                info[14] = 0x03;
                block(&info, digest, length)
            })
        }),
        refused(
            "a padding byte that is not FF",
            "CVE-2016-1494; Wycheproof, ModifiedPadding",
            Signature,
            || blocked(|digest, length| set(digest, length, &[(100, 0xFE)])),
        ),
        refused("zeros for padding", "Wycheproof, InvalidPadding", Signature, || {
            blocked(|digest, length| {
                let mut block = block(&DIGEST_INFO, digest, length);
                block[2..length - 52].fill(0);
                block
            })
        }),
        refused("no padding", "Wycheproof, ShortPadding", Signature, || {
            blocked(|digest, length| {
                let mut block = [&[0, 1, 0][..], &DIGEST_INFO, digest].concat();
                block.resize(length, 0);
                block
            })
        }),
        refused("block type 2, as for encryption", "Wycheproof, InvalidPadding", Signature, || {
            blocked(|digest, length| set(digest, length, &[(1, 2)]))
        }),
        refused("block type 0", "Wycheproof, InvalidPadding", Signature, || {
            blocked(|digest, length| set(digest, length, &[(1, 0)]))
        }),
        refused("no zero behind the padding", "Wycheproof, InvalidPadding", Signature, || {
            blocked(|digest, length| set(digest, length, &[(length - 52, 0xFF)]))
        }),
        refused("the last byte of the digest changed", "Wycheproof, InvalidSignature", Signature, || {
            blocked(|digest, length| set(digest, length, &[(length - 1, !digest[31])]))
        }),
        refused(
            "a cube root where the exponent is 65537",
            "Bleichenbacher 2006; CVE-2006-4339",
            Signature,
            || forged(cube_root),
        ),
        refused("the bare block for a signature", "RFC 8017 section 8.2.2", Signature, || {
            forged(|digest| block(&DIGEST_INFO, digest, 256))
        }),
    ]
}

fn spellings() -> Vec<Attack> {
    vec![
        refused("no signature", "CVE-2020-28042; RFC 7519 section 6", Signature, || forged(|_| Vec::new())),
        refused("signature of zeros", "CVE-2022-21449, psychic signatures", Signature, || {
            forged(|_| vec![0; 256])
        }),
        refused(
            "64 zeros, as for an elliptic curve",
            "CVE-2022-21449, psychic signatures",
            Signature,
            || forged(|_| vec![0; 64]),
        ),
        refused("signature 1", "Wycheproof, EdgeCaseSignature", Signature, || {
            forged(|_| padded(&BigUint::from(1_u8), 256))
        }),
        refused("the modulus for a signature", "Wycheproof, EdgeCaseSignature", Signature, || {
            changed_signature(|_, n| padded(n, 256))
        }),
        refused("the modulus less 1 for a signature", "Wycheproof, EdgeCaseSignature", Signature, || {
            changed_signature(|_, n| padded(&(n - 1_u8), 256))
        }),
        refused(
            "signature plus the modulus",
            "RFC 8017 section 5.2.2; Wycheproof, SignatureMalleability",
            Signature,
            || changed_signature(|s, n| (s + n).to_bytes_be()),
        ),
        refused("modulus less the signature", "RFC 8017 section 5.2.2", Signature, || {
            changed_signature(|s, n| padded(&(n - s), 256))
        }),
        refused("zeros before the signature", "CVE-2020-14968; RFC 8017 section 8.2.2", Signature, || {
            changed_signature(|s, _| padded(s, 258))
        }),
        refused("a zero behind the signature", "RFC 8017 section 8.2.2", Signature, || {
            changed_signature(|s, _| [padded(s, 256), vec![0]].concat())
        }),
        refused("the signature without its last byte", "CVE-2020-28042", Signature, || {
            changed_signature(|s, _| padded(s, 256)[..255].to_vec())
        }),
        refused("the first half of the signature", "CVE-2020-28042", Signature, || {
            changed_signature(|s, _| padded(s, 256)[..128].to_vec())
        }),
        refused("the signature twice", "RFC 8017 section 8.2.2", Signature, || {
            changed_signature(|s, _| [padded(s, 256), padded(s, 256)].concat())
        }),
        refused("the signature back to front", "Wycheproof, InvalidSignature", Signature, || {
            changed_signature(|s, _| padded(s, 256).into_iter().rev().collect())
        }),
        refused("one bit of the signature changed", "RFC 8725 section 3.3", Signature, || {
            changed_signature(|s, _| padded(&(s ^ BigUint::from(1_u8)), 256))
        }),
        refused("the signature in other base64url characters", "RFC 7515 section 2", MalformedBase64, || {
            let token = FIRST.token(&claims());
            let (signed, signature) = token.rsplit_once('.').unwrap();
            Case::token(&format!("{signed}.{signature}~"))
        }),
    ]
}
