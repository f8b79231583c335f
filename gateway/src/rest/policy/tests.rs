//! What no vector of `policy_command` holds: members that are there twice, and any combination of statements.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const INVOKE: &str = "execute-api:Invoke";

#[test]
fn row_8_a_member_that_is_there_twice_makes_a_policy_malformed() {
    for text in [
        r#"{"Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[],"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ] {
        assert!(serde_json::from_str::<Policy>(text).is_err(), "{text}");
    }
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
                let effect = if *allow { "Allow" } else { "Deny" };
                json!({"Effect": effect, "Action": action, "Resource": pattern})
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
        let document = json!({"Version": "2012-10-17", "Statement": list});
        prop_assert_eq!(Policy::deserialize(document).unwrap().evaluate(INVOKE, &resource), expected);
    }
}
