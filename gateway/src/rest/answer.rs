//! What a Lambda authorizer answers: the caller's name, policy and context.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::policy::Policy;

/// A well-formed answer.
pub(super) struct Answer {
    pub(super) principal_id: String,
    pub(super) policy: Policy,
    /// Every value as a string, as handlers get them.
    pub(super) context: BTreeMap<String, String>,
    /// The value of the caller's API key.
    pub(super) usage_identifier_key: Option<String>,
}

impl Answer {
    /// Reads an answer. Members beside the four that there are pass, as they do at API Gateway; inside the policy none
    /// does.
    ///
    /// # Errors
    /// Why it is malformed, for the log: nothing of the answer's values is in it.
    pub(super) fn parse(answer: &[u8]) -> Result<Self, &'static str> {
        // serde would fill a struct from a list, too.
        if answer.trim_ascii_start().first() != Some(&b'{') {
            return Err("the authorizer's answer is not a JSON object");
        }
        let answer: Unread = serde_json::from_slice(answer)
            .map_err(|_| "the authorizer's answer is not JSON, or has a member twice")?;
        let principal_id = match answer.principal_id {
            Some(Value::String(principal)) if !principal.is_empty() => principal,
            Some(_) | None => return Err("the authorizer's answer has no principalId"),
        };
        // From the JSON itself, not from a `Value`, which keeps the last of two members of one name.
        let policy = answer.policy_document.ok_or("the authorizer's answer has no policyDocument")?;
        let policy = serde_json::from_str(policy.get())
            .map_err(|_| "the policyDocument of the authorizer's answer is malformed")?;
        let mut context = BTreeMap::new();
        for (key, value) in answer.context.map_or(Ok(Map::new()), |context| match context {
            Value::Null => Ok(Map::new()),
            Value::Object(context) => Ok(context),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err("the context of the authorizer's answer is not an object")
            }
        })? {
            let text = match value {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(
                        "a context value of the authorizer's answer is not a string, number or boolean",
                    );
                }
            };
            context.insert(key, text);
        }
        let usage_identifier_key = match answer.usage_identifier_key {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) => Some(key),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err("the usageIdentifierKey of the authorizer's answer is not a string");
            }
        };
        Ok(Self { principal_id, policy, context, usage_identifier_key })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unread {
    principal_id: Option<Value>,
    policy_document: Option<Box<RawValue>>,
    context: Option<Value>,
    usage_identifier_key: Option<Value>,
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
            assert!(Answer::parse(answer.to_string().as_bytes()).is_ok(), "{name}");
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
            assert!(Answer::parse(answer.to_string().as_bytes()).is_err(), "{name}");
        }
        assert!(
            Answer::parse(b"").is_err() && Answer::parse(b"{").is_err() && Answer::parse(b"\xff").is_err()
        );
    }
}
