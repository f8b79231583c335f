//! What policies say, and which are malformed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const INVOKE: &str = "execute-api:Invoke";
const CALL: &str = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/orders/7";

fn policy(statement: &Value) -> Option<Policy> {
    let document = json!({"Version": "2012-10-17", "Statement": statement});
    serde_json::from_str(&document.to_string()).ok()
}

fn decide(statement: &Value) -> Decision {
    policy(statement).unwrap().evaluate(INVOKE, CALL)
}

fn statement(effect: &str, action: &Value, resource: &Value) -> Value {
    json!({"Effect": effect, "Action": action, "Resource": resource})
}

#[test]
fn row_5_an_explicit_deny_wins_wherever_it_stands() {
    let allow = statement("Allow", &json!(INVOKE), &json!("*"));
    let deny = statement("Deny", &json!(INVOKE), &json!("*/orders/*"));
    let other = statement("Deny", &json!(INVOKE), &json!("*/payments/*"));
    let cases = [
        ("allow", json!([allow]), Decision::Allow),
        ("deny", json!([deny]), Decision::ExplicitDeny),
        ("allow, deny", json!([allow, deny]), Decision::ExplicitDeny),
        ("deny, allow", json!([deny, allow]), Decision::ExplicitDeny),
        ("allow, deny of another route", json!([allow, other]), Decision::Allow),
        ("no statement", json!([]), Decision::ImplicitDeny),
        ("deny of another route", json!([other]), Decision::ImplicitDeny),
    ];
    for (name, statements, expected) in cases {
        assert_eq!(decide(&statements), expected, "{name}");
    }
}

#[test]
fn row_6_actions_match_with_wildcards_and_without_case() {
    let cases = [
        (json!("execute-api:Invoke"), true),
        (json!("EXECUTE-API:invoke"), true),
        (json!("execute-api:*"), true),
        (json!("execute-api:Inv?ke"), true),
        (json!("*"), true),
        (json!(["execute-api:ManageConnections", "execute-api:Invoke"]), true),
        (json!("execute-api:InvalidateCache"), false),
        (json!("execute-api"), false),
        (json!("Invoke"), false),
        (json!("s3:*"), false),
        (json!([]), false),
    ];
    for (action, expected) in cases {
        let decision = decide(&statement("Allow", &action, &json!("*")));
        assert_eq!(decision == Decision::Allow, expected, "{action}");
    }
}

#[test]
fn row_7_resources_match_as_anchored_globs() {
    let of = |rest: &str| format!("arn:aws:execute-api:us-east-1:123456789012:abc123/{rest}");
    let cases = [
        (json!(of("prod/GET/orders/7")), true),
        (json!(of("prod/GET/orders/*")), true),
        (json!(of("prod/*/orders/7")), true),
        (json!(of("*/GET/orders/7")), true),
        (json!(of("prod/*")), true),
        (json!(of("prod/GET/orders/?")), true),
        (json!(["arn:aws:s3:::bucket", of("prod/GET/*")]), true),
        (json!("arn:aws:execute-api:*"), true),
        (json!(of("prod/GET/orders")), false),
        (json!(of("prod/GET/orders/7/")), false),
        (json!(of("prod/GET/orders/77")), false),
        (json!(of("prod/GET/ORDERS/7")), false),
        (json!(of("prod/POST/*")), false),
        (json!(of("pro/*")), false),
        (json!("prod/*"), false),
        (json!("arn.aws.*"), false),
        (json!(""), false),
        (json!([]), false),
    ];
    for (resource, expected) in cases {
        let decision = decide(&statement("Allow", &json!(INVOKE), &resource));
        assert_eq!(decision == Decision::Allow, expected, "{resource}");
    }
}

#[test]
fn row_8_one_or_a_list_is_the_same() {
    let one = statement("Allow", &json!(INVOKE), &json!("*"));
    let many = statement("Allow", &json!([INVOKE]), &json!(["*"]));
    for form in [one.clone(), json!([one]), many.clone(), json!([many])] {
        assert_eq!(decide(&form), Decision::Allow, "{form}");
    }
}

#[test]
fn row_8_not_action_and_not_resource_match_everything_else() {
    let cases = [
        (json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), Decision::Allow),
        (
            json!({"Effect": "Allow", "NotAction": ["s3:*", "EXECUTE-API:*"], "Resource": "*"}),
            Decision::ImplicitDeny,
        ),
        (json!({"Effect": "Allow", "NotAction": [], "Resource": "*"}), Decision::Allow),
        (json!({"Effect": "Allow", "Action": "*", "NotResource": "*/payments/*"}), Decision::Allow),
        (
            json!({"Effect": "Allow", "Action": "*", "NotResource": ["a", "*/orders/*"]}),
            Decision::ImplicitDeny,
        ),
        (
            json!({"Effect": "Deny", "NotAction": "s3:*", "NotResource": "*/payments/*"}),
            Decision::ExplicitDeny,
        ),
        (json!({"Effect": "Deny", "Action": "*", "NotResource": CALL}), Decision::ImplicitDeny),
    ];
    for (statement, expected) in cases {
        assert_eq!(decide(&statement), expected, "{statement}");
    }
}

#[test]
fn row_8_an_empty_condition_is_none_and_a_missing_version_the_former_one() {
    let mut allow = statement("Allow", &json!(INVOKE), &json!("*"));
    let unversioned = serde_json::from_value::<Policy>(json!({"Statement": allow})).unwrap();
    assert_eq!(unversioned.evaluate(INVOKE, CALL), Decision::Allow);
    allow["Condition"] = json!({});
    assert_eq!(decide(&allow), Decision::Allow);
}

#[test]
fn row_8_variables_of_wildcards_are_those_characters() {
    let of = |rest: &str| json!(format!("arn:aws:execute-api:us-east-1:123456789012:abc123/{rest}"));
    for (resource, expected) in [
        (of("prod/GET/orders/${*}"), Decision::ImplicitDeny),
        (of("prod/GET/orders/${?}"), Decision::ImplicitDeny),
        (of("prod/GET/${aws:username}/7"), Decision::ImplicitDeny),
        (of("prod/GET/*${$}"), Decision::ImplicitDeny),
        (of("prod/GET/orders/*"), Decision::Allow),
    ] {
        assert_eq!(decide(&statement("Allow", &json!(INVOKE), &resource)), expected, "{resource}");
    }
    // The former version has none: what is in the braces is a wildcard.
    let statement = statement("Allow", &json!(INVOKE), &of("prod/GET/${*}"));
    for (version, expected) in [("2012-10-17", Decision::ImplicitDeny), ("2008-10-17", Decision::Allow)] {
        let document = json!({"Version": version, "Statement": statement});
        let policy = serde_json::from_value::<Policy>(document).unwrap();
        let call = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/${x}";
        assert_eq!(policy.evaluate(INVOKE, call), expected, "{version}");
    }
}

#[test]
fn row_8_a_document_that_cannot_be_honoured_in_full_is_malformed() {
    let good = statement("Allow", &json!(INVOKE), &json!("*"));
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let without = |name: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().unwrap().remove(name);
        changed
    };
    let cases = [
        ("effect in lower case", with("Effect", json!("allow"))),
        ("effect in capitals", with("Effect", json!("DENY"))),
        ("another effect", with("Effect", json!("Permit"))),
        ("no effect", without("Effect")),
        ("no action", without("Action")),
        ("no resource", without("Resource")),
        ("action and not action", with("NotAction", json!("s3:*"))),
        ("resource and not resource", with("NotResource", json!("*"))),
        ("condition", with("Condition", json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))),
        ("a condition that is a list", with("Condition", json!([]))),
        ("principal", with("Principal", json!("*"))),
        ("an unknown member", with("resource", json!("*"))),
        ("an action that is no string", with("Action", json!(1))),
        ("a resource that is no string", with("Resource", json!([null]))),
        ("an action of 513 characters", with("Action", json!("*".repeat(513)))),
        ("a resource of 513 characters", with("Resource", json!("*".repeat(513)))),
        ("a statement that is no object", json!(["Allow"])),
        ("no statement", Value::Null),
    ];
    assert!(policy(&good).is_some());
    for name in ["Action", "Resource"] {
        assert!(policy(&with(name, json!("*".repeat(512)))).is_some(), "{name} of 512 characters");
    }
    for (name, statement) in cases {
        assert!(policy(&statement).is_none(), "{name}");
        assert!(policy(&json!([good, statement])).is_none(), "{name}, behind a good one");
    }
    let documents = [
        ("an empty version", json!({"Version": "", "Statement": good})),
        ("a version that is null", json!({"Version": null, "Statement": good})),
        ("another version", json!({"Version": "2020-01-01", "Statement": good})),
        ("no statement", json!({"Version": "2012-10-17"})),
        ("an unknown member", json!({"Version": "2012-10-17", "Statement": good, "statement": good})),
        ("a string", json!("{}")),
        ("nothing", Value::Null),
    ];
    for (name, document) in documents {
        assert!(serde_json::from_value::<Policy>(document).is_err(), "{name}");
    }
    let lists = [
        ("a document", json!(["2012-10-17", "", [good]])),
        (
            "a statement",
            json!({"Version": "2012-10-17", "Statement": [["", "Allow", "*", null, "*", null, {}]]}),
        ),
        (
            "the only statement",
            json!({"Version": "2012-10-17", "Statement": ["", "Allow", "*", null, "*", null, {}]}),
        ),
    ];
    for (name, document) in lists {
        assert!(serde_json::from_str::<Policy>(&document.to_string()).is_err(), "{name} written as a list");
    }
    let twice = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    assert!(serde_json::from_str::<Policy>(twice).is_err(), "an effect said twice");
}

proptest! {
    /// The definition of an Allow, written out once more without a shortcut.
    #[test]
    fn an_allow_needs_a_matching_allow_and_no_matching_deny(
        statements in proptest::collection::vec(
            (any::<bool>(), "(\\*|execute-api:Invoke|execute-api:\\*|s3:Get)", "[a/*?]{0,5}"), 0..6),
        resource in "[a/]{0,5}",
    ) {
        let list: Vec<Value> = statements
            .iter()
            .map(|(allow, action, pattern)| {
                statement(if *allow { "Allow" } else { "Deny" }, &json!(action), &json!(pattern))
            })
            .collect();
        let matching = |effect: bool| statements.iter().any(|(allow, action, pattern)| {
            *allow == effect && action != "s3:Get" && Pattern::parse(pattern, true).unwrap().matches(&resource)
        });
        let expected = match (matching(false), matching(true)) {
            (true, _) => Decision::ExplicitDeny,
            (false, true) => Decision::Allow,
            (false, false) => Decision::ImplicitDeny,
        };
        prop_assert_eq!(policy(&json!(list)).unwrap().evaluate(INVOKE, &resource), expected);
    }
}
