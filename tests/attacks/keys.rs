//! Attacks with keys: what an issuer, or an attacker in its place, might serve. A bad key beside a good one is ignored,
//! so that its tokens find no key; alone it leaves nothing to decide with.

use authorizer::Refusal::{Algorithm, Signature, UnknownKey};
use aws_lc_rs::{hmac::HMAC_SHA256, rand::fill};
use num_bigint::BigUint;
use serde_json::{Value, json};
use test_support::signer::{self, FIRST, FOREIGN, SECOND, b64, changed, claims, jwks};

use crate::{
    catalogue::{Attack, Case, Outcome, attack, refused},
    forge::{DIGEST_INFO, RawKey, block, cube_root, jwk, random, unsigned},
};

const NO_KEYS: Outcome = Outcome::Fault("keys_unavailable");

/// A valid token, while the issuer serves its first key with these members changed, and its second key.
fn served_with(changes: Value) -> Case {
    Case::token(&FIRST.token(&claims())).served(jwks([changed(FIRST.jwk(), changes), SECOND.jwk()]))
}

/// A token signed with this key, which the issuer serves beside a good one.
fn weak(key: Value, token: &str) -> Case {
    Case::token(token).served(jwks([key, SECOND.jwk()]))
}

/// A token with an arbitrary signature.
fn any() -> String {
    unsigned("weak", |_| vec![1; 256])
}

fn exponent(e: &[u8]) -> Case {
    weak(jwk("weak", &FIRST.n, e), &any())
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = weak_keys();
    attacks.extend(sets());
    attacks
}

fn weak_keys() -> Vec<Attack> {
    vec![
        refused(
            "key of 1024 bits, properly signed",
            "RFC 7518 section 3.3; RFC 8725 section 3.5",
            UnknownKey,
            || {
                let key = RawKey::of_1024_bits();
                weak(
                    key.jwk("weak"),
                    &key.token("weak", |digest, length| block(&DIGEST_INFO, digest, length)),
                )
            },
        ),
        refused("key of 2047 bits", "RFC 7518 section 3.3", UnknownKey, || {
            let n = (random(256) >> 1_u32) | BigUint::from(1_u8);
            weak(jwk("weak", &n.to_bytes_be(), &[1, 0, 1]), &any())
        }),
        refused("key of 8192 bits, to cost time", "CVE-2006-2940", UnknownKey, || {
            weak(jwk("weak", &random(1024).to_bytes_be(), &[1, 0, 1]), &any())
        }),
        refused("key of 100,000 bits", "CVE-2006-2940", UnknownKey, || {
            weak(jwk("weak", &random(12_500).to_bytes_be(), &[1, 0, 1]), &any())
        }),
        refused("even modulus", "RFC 8725 section 3.4", UnknownKey, || {
            let mut n = FIRST.n.clone();
            *n.last_mut().unwrap() &= 0xFE;
            weak(jwk("weak", &n, &[1, 0, 1]), &any())
        }),
        refused(
            "exponent 3, signature forged without the key",
            "Bleichenbacher 2006; CVE-2006-4339",
            UnknownKey,
            || weak(jwk("weak", &FIRST.n, &[3]), &unsigned("weak", cube_root)),
        ),
        refused(
            "exponent 1, signature forged without the key",
            "NIST SP 800-56B section 6.2",
            UnknownKey,
            || {
                // With exponent 1 a block is its own signature.
                let token = unsigned("weak", |digest| block(&DIGEST_INFO, digest, 256));
                weak(jwk("weak", &FIRST.n, &[1]), &token)
            },
        ),
        refused("exponent 0", "NIST SP 800-56B section 6.2", UnknownKey, || exponent(&[0])),
        refused("exponent 2", "RFC 8725 section 3.4", UnknownKey, || exponent(&[2])),
        refused("exponent 65536, even", "NIST SP 800-56B section 6.2", UnknownKey, || exponent(&[1, 0, 0])),
        refused("exponent 65535", "NIST SP 800-56B section 6.2", UnknownKey, || exponent(&[0xFF, 0xFF])),
        refused("exponent of 2048 bits, to cost time", "CVE-2006-2940", UnknownKey, || exponent(&FIRST.n)),
        refused("exponent with a zero before it", "RFC 7518 section 6.3.1.2", UnknownKey, || {
            exponent(&[0, 1, 0, 1])
        }),
        refused("modulus with a zero before it", "RFC 7518 section 6.3.1.1", UnknownKey, || {
            served_with(json!({"n": b64([&[0], FIRST.n.as_slice()].concat())}))
        }),
        refused("modulus in padded base64url", "RFC 7518 section 2", UnknownKey, || {
            served_with(json!({"n": format!("{}==", b64(&FIRST.n))}))
        }),
        refused("modulus missing", "RFC 7518 section 6.3.1.1", UnknownKey, || {
            served_with(json!({"n": null}))
        }),
        refused("exponent a number", "RFC 7518 section 6.3.1.2", UnknownKey, || {
            served_with(json!({"e": 65_537}))
        }),
        refused("private exponent in the set", "RFC 7517 section 9.2", UnknownKey, || {
            served_with(json!({"d": b64([7; 256])}))
        }),
        refused("a prime in the set", "RFC 7518 section 6.3.2.2", UnknownKey, || {
            served_with(json!({"p": b64([7; 128])}))
        }),
        refused("key for encryption", "RFC 7517 section 4.2", UnknownKey, || {
            served_with(json!({"use": "enc"}))
        }),
        refused(
            "key for another algorithm",
            "RFC 7517 section 4.4; RFC 8725 section 3.1",
            UnknownKey,
            || served_with(json!({"alg": "RS512"})),
        ),
        refused("key for signing only", "RFC 7517 section 4.3", UnknownKey, || {
            served_with(json!({"key_ops": ["sign"]}))
        }),
        refused("key type in other casing", "RFC 7517 section 4.1", UnknownKey, || {
            served_with(json!({"kty": "rsa"}))
        }),
        refused("key without `kid`", "RFC 7517 section 4.5", UnknownKey, || {
            Case::header(json!({"kid": "null"}))
                .served(jwks([changed(FIRST.jwk(), json!({"kid": null})), SECOND.jwk()]))
        }),
    ]
}

fn sets() -> Vec<Attack> {
    vec![
        refused(
            "symmetric key in the set, MAC under its name",
            "RFC 8725 section 2.1; RFC 7518 section 6.4",
            Algorithm,
            || {
                let secret = [7; 32];
                let header = json!({"alg": "HS256", "kid": "shared"});
                let token = signer::mac(HMAC_SHA256, &header, &claims(), &secret);
                let oct = json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": b64(secret)});
                weak(oct, &token)
            },
        ),
        refused("symmetric key in the set, RS256 under its name", "RFC 7518 section 6.4", UnknownKey, || {
            weak(json!({"kty": "oct", "kid": "weak", "k": b64([7; 32])}), &any())
        }),
        refused("elliptic-curve key under the token's `kid`", "RFC 8725 section 3.1", UnknownKey, || {
            let mut point = [0; 64];
            fill(&mut point).unwrap();
            let (x, y) = point.split_at(32);
            weak(json!({"kty": "EC", "crv": "P-256", "kid": "weak", "x": b64(x), "y": b64(y)}), &any())
        }),
        refused("key off its curve", "CVE-2016-9121; RFC 8725 section 2.5", UnknownKey, || {
            let zero = b64([0; 32]);
            weak(json!({"kty": "EC", "crv": "P-256", "kid": "weak", "x": zero, "y": zero}), &any())
        }),
        refused("a stranger's key under a `kid` in use", "RFC 7517 section 4.5", UnknownKey, || {
            Case::token(&FOREIGN.token(&claims())).served(jwks([FIRST.jwk(), FOREIGN.jwk(), SECOND.jwk()]))
        }),
        refused("the same, and the pool's own token", "RFC 7517 section 4.5", UnknownKey, || {
            Case::token(&FIRST.token(&claims())).served(jwks([FOREIGN.jwk(), FIRST.jwk(), SECOND.jwk()]))
        }),
        refused("key with a member twice", "RFC 7517 section 4", UnknownKey, || {
            let key = FIRST.jwk().to_string().replacen('{', "{\"e\":\"Aw\",", 1);
            Case::token(&FIRST.token(&claims()))
                .served(format!(r#"{{"keys":[{key},{}]}}"#, SECOND.jwk()).into_bytes())
        }),
        attack("`keys` twice in a set", "RFC 7517 section 5", NO_KEYS, || {
            let set = format!(r#"{{"keys":[{}],"keys":[{}]}}"#, FIRST.jwk(), FOREIGN.jwk());
            Case::token(&FIRST.token(&claims())).served(set.into_bytes())
        }),
        attack("a set as a list, in the order of a struct", "CWE-843, type confusion", NO_KEYS, || {
            Case::token(&FIRST.token(&claims())).served(json!([[FIRST.jwk()]]).to_string().into_bytes())
        }),
        attack("a set that is a list of keys", "RFC 7517 section 5", NO_KEYS, || {
            Case::token(&FIRST.token(&claims())).served(json!([FIRST.jwk()]).to_string().into_bytes())
        }),
        refused("a key as a list, in the order of a struct", "CWE-843, type confusion", UnknownKey, || {
            let list = json!(["RSA", "sig", "RS256", "first", b64(&FIRST.n), b64(&FIRST.e)]);
            Case::token(&FIRST.token(&claims())).served(jwks([list, SECOND.jwk()]))
        }),
        attack("a set of one weak key", "RFC 8725 section 3.5", NO_KEYS, || {
            let key = RawKey::of_1024_bits();
            let token = key.token("weak", |digest, length| block(&DIGEST_INFO, digest, length));
            Case::token(&token).served(jwks([key.jwk("weak")]))
        }),
        attack("a set of 101 keys", "CWE-770, no limit", NO_KEYS, || {
            Case::token(&FIRST.token(&claims())).served(jwks(vec![FIRST.jwk(); 101]))
        }),
        attack("a set nested 200 levels deep", "CVE-2020-36518", NO_KEYS, || {
            let set = format!(r#"{{"keys":{}{}}}"#, "[".repeat(200), "]".repeat(200));
            Case::token(&FIRST.token(&claims())).served(set.into_bytes())
        }),
        attack("byte order mark before the set", "RFC 8259 section 8.1", NO_KEYS, || {
            let set = [b"\xef\xbb\xbf", jwks([FIRST.jwk()]).as_slice()].concat();
            Case::token(&FIRST.token(&claims())).served(set)
        }),
        refused("a stranger's chain as `x5c` of a key", "RFC 7517 section 4.7", Signature, || {
            let key = changed(FIRST.jwk(), json!({"x5c": [b64(&FOREIGN.n)], "x5u": "http://127.0.0.1:9/"}));
            Case::token(&FOREIGN.token(&claims())).served(jwks([key]))
        }),
        attack(
            "a hundred broken keys before the good one",
            "RFC 7517 section 5",
            Outcome::Harmless("each is left out by itself"),
            || {
                let broken = (0..99).map(|index| json!({"kty": "RSA", "kid": index, "n": [], "e": null}));
                Case::token(&FIRST.token(&claims())).served(jwks(broken.chain([FIRST.jwk()])))
            },
        ),
    ]
}
