//! Owns reading an authorizer's answer.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::policy::Policy;

/// A well-formed answer.
pub(in crate::rest) struct Answer {
    pub(in crate::rest) principal_id: String,
    pub(in crate::rest) policy: Policy,
    /// Every value as a string, as handlers get them.
    pub(in crate::rest) context: BTreeMap<String, String>,
    /// The value of the caller's API key.
    pub(in crate::rest) usage_identifier_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unread {
    principal_id: String,
    policy_document: Policy,
    context: Option<Map<String, Value>>,
    usage_identifier_key: Option<String>,
}

impl Answer {
    /// Reads an answer; `None` if it is malformed. Members beside the four that there are pass, as they do at API
    /// Gateway; inside the policy none does.
    pub(super) fn parse(answer: &[u8]) -> Option<Self> {
        let unread: Unread = serde_json::from_slice(answer).ok()?;
        if unread.principal_id.is_empty() {
            return None;
        }
        let mut context = BTreeMap::new();
        for (key, value) in unread.context.unwrap_or_default() {
            let text = match value {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
            };
            context.insert(key, text);
        }
        Some(Self {
            principal_id: unread.principal_id,
            policy: unread.policy_document,
            context,
            usage_identifier_key: unread.usage_identifier_key,
        })
    }
}

/// Shows who called, and nothing of the context: what is in it is the authorizer's to say.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("principal_id", &self.principal_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({
            "principalId": "client",
            "policyDocument": {"Version": "2012-10-17", "Statement": []},
            "context": {"text": "a", "number": 7, "float": 1.5, "flag": true},
            "usageIdentifierKey": "key",
        })
    }

    #[test]
    fn row_12_context_values_become_strings() {
        let read = Answer::parse(answer().to_string().as_bytes()).unwrap();
        let context: Vec<_> = read.context.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(context, [("flag", "true"), ("float", "1.5"), ("number", "7"), ("text", "a")]);
        assert_eq!(
            (read.principal_id.as_str(), read.usage_identifier_key.as_deref()),
            ("client", Some("key"))
        );
        assert_eq!(format!("{read:?}"), r#"Answer { principal_id: "client", .. }"#);
    }

    #[test]
    fn row_4_malformed_answers_are_told_apart_from_good_ones() {
        let with = |name: &str, value: Value| {
            let mut changed = answer();
            changed[name] = value;
            changed
        };
        let good = [
            ("no context", with("context", Value::Null)),
            ("an empty context", with("context", json!({}))),
            ("no key", with("usageIdentifierKey", Value::Null)),
            ("a member more", with("more", json!([1]))),
        ];
        for (name, answer) in good {
            assert!(Answer::parse(answer.to_string().as_bytes()).is_some(), "{name}");
        }
        let bad = [
            ("no principal", with("principalId", Value::Null)),
            ("an empty principal", with("principalId", json!(""))),
            ("a number for a principal", with("principalId", json!(7))),
            ("no policy", with("policyDocument", Value::Null)),
            ("a policy as text", with("policyDocument", json!("{}"))),
            ("a malformed policy", with("policyDocument", json!({"Version": "2012-10-17"}))),
            ("an object in the context", with("context", json!({"a": {}}))),
            ("a list in the context", with("context", json!({"a": ["b"]}))),
            ("null in the context", with("context", json!({"a": null}))),
            ("a context that is a list", with("context", json!(["a"]))),
            ("a key that is a number", with("usageIdentifierKey", json!(1))),
            ("null", Value::Null),
            ("a string", json!("allow")),
            ("a list", json!([answer()])),
        ];
        for (name, answer) in bad {
            assert!(Answer::parse(answer.to_string().as_bytes()).is_none(), "{name}");
        }
        assert!(
            Answer::parse(b"").is_none() && Answer::parse(b"{").is_none() && Answer::parse(b"\xff").is_none()
        );
    }
}
