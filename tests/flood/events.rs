//! The events of the flood and their expected outcomes. Every event, header, claim and client that could be logged by
//! mistake contains a mark, and the test searches the output for it.

use serde_json::{Value, json};
use test_support::{
    FIRST, FOREIGN,
    signer::{CLIENT, ISSUER, changed},
    unix_now,
};

const MARK: &str = "Mark0f7c";
const STAGE: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/";
const SCOPES: [(&str, &str); 4] = [
    ("orders/read", "GET/orders"),
    ("orders/write", "POST/orders"),
    ("inventory/read", "GET/inventory/*"),
    ("payments/read", "GET/payments"),
];

pub(crate) struct Event {
    /// The event as JSON.
    pub(crate) text: String,
    pub(crate) expected: Expected,
}

#[derive(Debug)]
pub(crate) enum Expected {
    /// A policy that allows this resource, among others.
    Allowed(String),
    /// A policy that denies the stage.
    Nothing,
    /// An error of this type and message.
    Failed(&'static str, &'static str),
    /// A refusal for whatever reason.
    Refused,
}

impl Event {
    fn of_token(token: &str, expected: Expected) -> Self {
        let arn = format!("{STAGE}GET/orders/{MARK}");
        let event = json!({
            "type": "TOKEN", "authorizationToken": format!("Bearer {token}"), "methodArn": arn, "more": MARK
        });
        Self { text: event.to_string(), expected }
    }

    fn refused(token: &str, label: &'static str) -> Self {
        Self::of_token(token, Expected::Failed(label, "Unauthorized"))
    }

    /// What must not be in the output: the mark, and long parts of the token.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let parts = self.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        // A token id and a client id are short, and logged by design.
        parts.filter(|part| part.len() > 40).chain([MARK])
    }
}

fn claims(changes: Value) -> Value {
    let now = unix_now().0;
    let good = json!({
        "iss": ISSUER, "token_use": "access", "client_id": CLIENT, "scope": "orders/read", "exp": now + 3600,
        "iat": now, "jti": "1", "secret": MARK
    });
    changed(good, changes)
}

fn signed(changes: Value) -> String {
    let header = changed(FIRST.header(), json!({"x": MARK}));
    FIRST.sign(header.to_string(), claims(changes).to_string())
}

/// About six hundred different events.
pub(crate) fn all() -> Vec<Event> {
    let mut events = Vec::new();
    for number in 0..200 {
        let (scope, resource) = SCOPES[number % SCOPES.len()];
        let token = signed(json!({"scope": scope, "jti": number.to_string()}));
        let place = (number * 7) % token.len();
        let mutated = format!("{}~{}", token.split_at(place).0, token.split_at(place + 1).1);
        events.push(Event::of_token(&token, Expected::Allowed(format!("{STAGE}{resource}"))));
        events.push(bad(number));
        events.push(hostile(number, &mutated));
    }
    events
}

/// Tokens that a service might send by mistake.
fn bad(number: usize) -> Event {
    let good = signed(json!({}));
    match number % 8 {
        0 => Event::refused(&signed(json!({"exp": 1})), "expired"),
        1 => Event::refused(&signed(json!({"exp": null})), "malformed_exp"),
        2 => Event::refused(&signed(json!({"client_id": format!("other-{MARK}")})), "client_not_allowed"),
        3 => Event::refused(&signed(json!({"iss": format!("https://{MARK}.example")})), "unknown_issuer"),
        4 => Event::refused(&signed(json!({"token_use": "id"})), "token_use"),
        5 => Event::refused(&signed(json!({"scope": [MARK]})), "malformed_scope"),
        6 => Event::refused(&format!("{good}=="), "malformed_base64"),
        _ => Event::of_token(&signed(json!({"scope": "openid"})), Expected::Nothing),
    }
}

/// What an attacker might send.
fn hostile(number: usize, mutated: &str) -> Event {
    let header = |changes: Value| {
        FIRST.sign(changed(FIRST.header(), changes).to_string(), claims(json!({})).to_string())
    };
    let fault = |text: String, label| Event { text, expected: Expected::Failed(label, "no decision") };
    match number % 10 {
        0 => Event::refused(&"a".repeat(100_000), "token_too_large"),
        1 => Event::refused(&header(json!({"alg": "none"})), "algorithm"),
        2 => Event::refused(&header(json!({"kid": format!("{MARK}-{number}")})), "unknown_key"),
        3 => Event::refused(&header(json!({"crit": [MARK]})), "critical_header"),
        4 => Event::refused(&FOREIGN.token(&claims(json!({}))), "signature"),
        5 => Event::refused(
            &".".repeat(number),
            if number == 2 { "malformed_json" } else { "not_three_parts" },
        ),
        6 => fault(
            json!({"type": "TOKEN", "authorizationToken": {"a": MARK}, "methodArn": format!("{STAGE}GET/x")})
                .to_string(),
            "event",
        ),
        7 => fault(
            json!({"type": "TOKEN", "authorizationToken": MARK, "methodArn": MARK}).to_string(),
            "method_arn",
        ),
        8 => fault(json!([[MARK], number]).to_string(), "event"),
        _ => Event::of_token(mutated, Expected::Refused),
    }
}
