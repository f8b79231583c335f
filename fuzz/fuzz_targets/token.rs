//! Any header value (`=…`), a good token with characters changed (`~…`), or any header and payload signed with the good
//! key (two lines). Only a token that a reader of the rules would let in is let in.
#![no_main]

use std::sync::LazyLock;

use fuzz::{CLIENT, FIRST, ISSUER, NOW, Subject, held, tokens};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static SUBJECT: LazyLock<Subject> = LazyLock::new(Subject::good);

fuzz_target!(|data: &str| {
    if let Some(value) = data.strip_prefix('=') {
        let value = value.replace("{{token}}", &tokens()[0]);
        if SUBJECT.judge(&value).is_ok() {
            assert!(held(&value).is_some(), "another value than a good token was let in");
        }
    } else if let Some(changes) = data.strip_prefix('~') {
        changed(changes);
    } else if let Some((header, payload)) = data.split_once('\n') {
        let payload = payload.replace("{{iss}}", ISSUER);
        if SUBJECT.judge(&format!("Bearer {}", FIRST.sign(header, &payload))).is_ok() {
            assert_good(header, &payload);
        }
    }
});

/// Puts each character somewhere into a good token, the place being told by the one behind it.
fn changed(changes: &str) {
    let mut token: Vec<char> = tokens()[0].chars().collect();
    let changes: Vec<char> = changes.chars().collect();
    for pair in changes.chunks_exact(2) {
        let at = (pair[1] as usize).wrapping_mul(31) % token.len();
        token[at] = pair[0];
    }
    let token: String = token.into_iter().collect();
    if SUBJECT.judge(&format!("Bearer {token}")).is_ok() {
        assert_eq!(token, tokens()[0]);
    }
}

/// The rules once more, as plainly as can be.
fn assert_good(header: &str, payload: &str) {
    let header: Value = serde_json::from_str(header).unwrap();
    let claims: Value = serde_json::from_str(payload).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&"RS256".into(), &"first".into()));
    assert!(header.get("crit").is_none() && header.get("b64").is_none(), "{header}");
    let issuers = [ISSUER.to_owned(), ISSUER.replace("cognito-idp.", "issuer-cognito-idp.")];
    assert!(issuers.iter().any(|issuer| claims["iss"] == **issuer), "{claims}");
    assert_eq!(claims["token_use"], "access");
    assert_eq!(claims["client_id"], CLIENT);
    assert!(claims["exp"].as_f64().unwrap() > NOW as f64, "{claims}");
    for name in ["nbf", "iat"] {
        if let Some(time) = claims.get(name) {
            assert!(time.as_f64().unwrap() <= (NOW + 6) as f64, "{claims}");
        }
    }
    assert!(claims["scope"].is_string(), "{claims}");
    assert!(claims.get("jti").is_none_or(Value::is_string), "{claims}");
}
