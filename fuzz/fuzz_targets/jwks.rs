//! Any JWKS, or (`+…`) any other keys beside the good one. A good token is let in only by the key that signed it, and
//! no other key spoils that one.
#![no_main]

use fuzz::{FIRST, Subject, tokens};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &str| {
    let good = FIRST.jwk();
    let modulus = good["n"].as_str().unwrap();
    let text = data.replace("{{n}}", modulus);
    if let Some(others) = text.strip_prefix('+') {
        let jwks = format!(r#"{{"keys":[{good},{others}]}}"#);
        let Ok(parsed) = serde_json::from_str::<Value>(&jwks) else { return };
        let keys = parsed["keys"].as_array();
        // Another list of keys behind this one, more keys than are read, or a second key of that name.
        let is_disputed = jwks.matches("\"keys\"").count() > 1
            || jwks.contains('\\')
            || keys.is_none_or(|keys| keys.len() > 100 || keys.iter().skip(1).any(|key| key["kid"] == "first"));
        let judged = judge(&jwks);
        assert!(judged || is_disputed, "another key spoiled the good one");
    } else if judge(&text) {
        let parsed: Value = serde_json::from_str(&text).unwrap();
        let keys = parsed["keys"].as_array().unwrap();
        assert!(keys.iter().any(|key| key["kid"] == "first" && key["n"] == modulus && key["e"] == good["e"]));
    }
});

fn judge(jwks: &str) -> bool {
    Subject::new(jwks.as_bytes()).judge(&format!("Bearer {}", tokens()[0])).is_ok()
}
