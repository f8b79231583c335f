//! Attacks with the event around the token, by those who can invoke the function or call the API.

use serde_json::{Value, json};
use test_support::signer::{ARN, FIRST, changed, claims, event};

use crate::catalogue::{Attack, Case, Outcome, attack};

const EVENT: Outcome = Outcome::Fault("event");
const METHOD_ARN: Outcome = Outcome::Fault("method_arn");

/// The event of a good call, with these members changed.
fn with(changes: Value) -> Case {
    let value = format!("Bearer {}", FIRST.token(&claims()));
    Case::event(changed(event(&value), changes).to_string())
}

fn arn(from: &str, to: &str) -> Case {
    assert!(ARN.contains(from), "the ARN has `{from}`");
    with(json!({"methodArn": ARN.replace(from, to)}))
}

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        attack("no JSON", "RFC 8259 section 2", EVENT, || Case::event("Bearer x")),
        attack("a list", "RFC 8259 section 2", EVENT, || Case::event("[]")),
        attack("the fields as a list, in the order of a struct", "CWE-843, type confusion", EVENT, || {
            let value = format!("Bearer {}", FIRST.token(&claims()));
            Case::event(json!(["TOKEN", value, ARN]).to_string())
        }),
        attack("the event in a list", "CWE-843, type confusion", EVENT, || {
            let value = format!("Bearer {}", FIRST.token(&claims()));
            Case::event(json!([event(&value)]).to_string())
        }),
        attack("text that is no UTF-8", "RFC 8259 section 8.1", EVENT, || {
            let (before, behind) = (br#"{"type":"TOKEN","authorizationToken":""#, br#""}"#);
            Case::event([&before[..], &[0xFF, 0xFE], behind].concat())
        }),
        attack("nested 100,000 levels deep", "CVE-2020-36518", EVENT, || {
            Case::event(format!(r#"{{"type":"TOKEN","x":{}"#, "[".repeat(100_000)))
        }),
        attack("a member twice", "RFC 8259 section 4; CVE-2017-12635", EVENT, || {
            let value = format!("Bearer {}", FIRST.token(&claims()));
            Case::event(event(&value).to_string().replacen(
                '{',
                r#"{"methodArn":"arn:aws:execute-api:x","#,
                1,
            ))
        }),
        attack(
            "the event of another type of authorizer",
            "API Gateway, Lambda authorizer input",
            EVENT,
            || with(json!({"type": "REQUEST", "headers": {"Authorization": "Bearer x"}})),
        ),
        attack("a token that is a list", "API Gateway, Lambda authorizer input", EVENT, || {
            with(json!({"authorizationToken": ["Bearer x"]}))
        }),
        attack("no method ARN", "API Gateway, Lambda authorizer input", METHOD_ARN, || {
            with(json!({"methodArn": null}))
        }),
        attack("method ARN of another service", "API Gateway, Lambda authorizer input", METHOD_ARN, || {
            arn("execute-api", "lambda")
        }),
        attack("`*` for the region", "CWE-155, wildcards", METHOD_ARN, || arn("eu-central-1", "*")),
        attack("`*` for the account", "CWE-155, wildcards", METHOD_ARN, || arn("123456789012", "*")),
        attack("`*` for the API", "CWE-155, wildcards", METHOD_ARN, || arn("a1b2c3d4e5", "*")),
        attack("`*` for the stage", "CWE-155, wildcards", METHOD_ARN, || arn("/prod/", "/*/")),
        attack("`?` in the stage", "CWE-155, wildcards", METHOD_ARN, || arn("/prod/", "/pr?d/")),
        attack("a policy variable for the stage", "IAM, policy variables", METHOD_ARN, || {
            arn("/prod/", "/${aws:x}/")
        }),
        attack("quotes in the method ARN", "CWE-74, injection", METHOD_ARN, || arn("/prod/", "/pr\",\"od/")),
        attack("line feed in the method ARN", "CWE-117, log injection", METHOD_ARN, || {
            arn("/prod/", "/prod\n/")
        }),
        attack(
            "a stage that makes resources too long",
            "API Gateway, Lambda authorizer output",
            Outcome::Fault("resource_too_long"),
            || arn("/prod/", &format!("/{}/", "s".repeat(500))),
        ),
        attack(
            "`*` for the path",
            "CWE-155, wildcards",
            Outcome::Harmless("the policy names the table's routes, not the path that was called"),
            || arn("GET/orders/7", "GET/*"),
        ),
        attack(
            "a caller of the attacker's own beside the token",
            "CWE-807, untrusted input",
            Outcome::Harmless("only type, token and method ARN are read"),
            || {
                with(
                    json!({"requestContext": {"authorizer": {"client_id": "admin"}}, "headers": {"x-client-id": "admin"}}),
                )
            },
        ),
    ]
}
