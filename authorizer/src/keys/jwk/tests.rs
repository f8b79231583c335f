//! What makes a key usable, and a set.

use aws_lc_rs::rsa::KeySize;
use serde_json::{Value, json};

use super::*;
use crate::testing::{FIRST, FOREIGN, SECOND, Signer, b64, changed};

fn names(keys: &[Value]) -> Result<Vec<String>, KeySetError> {
    let text = json!({ "keys": keys }).to_string();
    KeySet::parse(text.as_bytes()).map(|set| set.0.into_keys().collect())
}

fn with(changes: Value) -> Value {
    changed(FIRST.jwk(), changes)
}

/// A modulus of this many bits, odd.
fn modulus(bits: usize) -> String {
    let mut bytes = vec![0x5A; bits.div_ceil(8)];
    bytes[0] = if bits.is_multiple_of(8) { 0x80 } else { 1 << (bits % 8 - 1) };
    *bytes.last_mut().unwrap() = 0x01;
    b64(bytes)
}

#[test]
fn keys_are_taken_one_by_one() {
    let n = FIRST.jwk()["n"].as_str().unwrap().to_owned();
    let cases = [
        ("plain", json!({}), true),
        ("no use, no alg", json!({"use": null, "alg": null}), true),
        ("for verifying", json!({"key_ops": ["verify"]}), true),
        ("more members", json!({"x5t": "a", "issuer": "b", "nested": {"a": [1]}}), true),
        ("elliptic curve", json!({"kty": "EC"}), false),
        ("octets", json!({"kty": "oct", "k": "c2VjcmV0"}), false),
        ("kty in other casing", json!({"kty": "rsa"}), false),
        ("no kty", json!({"kty": null}), false),
        ("for encryption", json!({"use": "enc"}), false),
        ("use no text", json!({"use": ["sig"]}), false),
        ("another algorithm", json!({"alg": "RS512"}), false),
        ("PS256", json!({"alg": "PS256"}), false),
        ("for signing", json!({"key_ops": ["sign"]}), false),
        ("for nothing", json!({"key_ops": []}), false),
        ("key_ops no list", json!({"key_ops": "verify"}), false),
        ("a private key", json!({"d": "AQAB"}), false),
        ("a prime", json!({"p": "AQAB"}), false),
        ("no kid", json!({"kid": null}), false),
        ("empty kid", json!({"kid": ""}), false),
        ("kid no text", json!({"kid": 1}), false),
        ("long kid", json!({"kid": "k".repeat(257)}), false),
        ("no n", json!({"n": null}), false),
        ("n no base64url", json!({"n": "+/+/"}), false),
        ("n padded", json!({"n": format!("{n}==")}), false),
        (
            "n with a leading zero",
            json!({"n": b64([&[0], URL_SAFE_NO_PAD.decode(&n).unwrap().as_slice()].concat())}),
            false,
        ),
        ("n even", json!({"n": b64([0xC0; 256])}), false),
        ("2047 bits", json!({"n": modulus(2047)}), false),
        ("2048 bits", json!({"n": modulus(2048)}), true),
        ("4096 bits", json!({"n": modulus(4096)}), true),
        ("4097 bits", json!({"n": modulus(4097)}), false),
        ("1024 bits", json!({"n": modulus(1024)}), false),
        ("no e", json!({"e": null}), false),
        ("e empty", json!({"e": ""}), false),
        ("e = 1", json!({"e": b64([1])}), false),
        ("e = 3", json!({"e": b64([3])}), false),
        ("e = 65535", json!({"e": b64([0xFF, 0xFF])}), false),
        ("e = 65537, leading zero", json!({"e": b64([0, 1, 0, 1])}), false),
        ("e = 65538", json!({"e": b64([1, 0, 2])}), false),
        ("e = 65539", json!({"e": b64([1, 0, 3])}), true),
        ("e = 2^32 - 1", json!({"e": b64([0xFF; 4])}), true),
        ("e = 2^32 + 1", json!({"e": b64([1, 0, 0, 0, 1])}), false),
    ];
    for (name, changes, is_usable) in cases {
        let mut expected = vec!["second".to_owned()];
        if is_usable {
            expected.insert(0, "first".to_owned());
        }
        let all = [with(changes), json!("nonsense"), json!(null), SECOND.jwk()];
        assert_eq!(names(&all), Ok(expected), "{name}: and the other key counts");
    }
}

#[test]
fn a_key_with_a_member_twice_or_a_number_out_of_range_spoils_no_other() {
    let twice = FIRST.jwk().to_string().replace('{', r#"{"use":"sig","#);
    let text = format!(r#"{{"keys":[{twice},{{"x":1e400}},{}]}}"#, SECOND.jwk());
    assert_eq!(KeySet::parse(text.as_bytes()).unwrap().len(), 1);
}

#[test]
fn keys_of_one_name_count_only_if_they_are_the_same() {
    assert_eq!(names(&[FIRST.jwk(), FIRST.jwk()]), Ok(vec!["first".to_owned()]));
    assert_eq!(names(&[FIRST.jwk(), FOREIGN.jwk(), SECOND.jwk()]), Ok(vec!["second".to_owned()]));
    assert_eq!(names(&[FIRST.jwk(), FOREIGN.jwk(), FIRST.jwk()]), Err(KeySetError::NoUsableKey));
    assert_eq!(names(&[FIRST.jwk(), with(json!({"use": "enc"}))]), Ok(vec!["first".to_owned()]));
}

#[test]
fn sets_are_bounded_and_well_formed() {
    let key = FIRST.jwk();
    assert_eq!(names(&vec![key.clone(); 100]).map(|names| names.len()), Ok(1));
    assert_eq!(names(&vec![key.clone(); 101]), Err(KeySetError::TooManyKeys));
    assert_eq!(names(&[]), Err(KeySetError::NoUsableKey));
    for text in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[]} x"#,
        &json!([[key]]).to_string(),
        &json!([key]).to_string(),
        &json!({"keys": key}).to_string(),
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()).err(), Some(KeySetError::Malformed), "{text}");
    }
}

#[test]
fn keys_of_every_size_verify() {
    for size in [KeySize::Rsa3072, KeySize::Rsa4096] {
        let signer = Signer::of_size("k", size);
        let set = KeySet::parse(&crate::testing::jwks([signer.jwk()])).unwrap();
        let token = signer.sign("{}", "{}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        assert!(set.key("k").unwrap().verifies(message.as_bytes(), signature));
    }
}
