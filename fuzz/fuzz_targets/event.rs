//! Any event. An answer is given to good tokens alone, and it grants what the token's scopes cover in the stage of the
//! event's own ARN.
#![no_main]

use std::sync::LazyLock;

use fuzz::{ARN, CLIENT, Subject, check_answer, held, tokens};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;

static SUBJECT: LazyLock<Subject> = LazyLock::new(Subject::good);

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(SUBJECT.handle(data).is_err());
        return;
    };
    let mut event = text.replace("{{arn}}", ARN);
    for (index, token) in tokens().iter().enumerate() {
        event = event.replace(&format!("{{{{token{index}}}}}"), token);
    }
    let Ok(answer) = SUBJECT.handle(event.as_bytes()) else { return };
    let event: Event = serde_json::from_str(&event).unwrap();
    let scopes = held(&event.token).expect("a good token");
    check_answer(&answer, &event.method_arn, scopes, CLIENT);
});

/// What counts of an event. Members that do not are skipped, even where a text in them has escapes of no character.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "authorizationToken")]
    token: String,
    #[serde(rename = "methodArn")]
    method_arn: String,
}
