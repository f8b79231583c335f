//! Any policy (below the first line) for any resource (the first line). Two evaluators agree: the gateway's, and one
//! that is written out plainly here.
#![no_main]

use gateway::rest::policy::{Decision, Policy};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const ACTION: &str = "execute-api:Invoke";

fuzz_target!(|data: &str| {
    let Some((resource, policy)) = data.split_once('\n') else { return };
    let Ok(read) = serde_json::from_str::<Policy>(policy) else { return };
    let document: Value = serde_json::from_str(policy).unwrap();
    assert_eq!(read.evaluate(ACTION, resource), plainly(&document, resource), "{document}");
});

fn plainly(document: &Value, resource: &str) -> Decision {
    let mut decision = Decision::ImplicitDeny;
    for statement in many(&document["Statement"]) {
        let action = texts(&statement["Action"]);
        let action = action.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &ACTION.to_ascii_lowercase()));
        let named = texts(&statement["Resource"]).iter().any(|pattern| matches(pattern, resource));
        match (action && named, statement["Effect"].as_str().unwrap()) {
            (true, "Deny") => return Decision::ExplicitDeny,
            (true, "Allow") => decision = Decision::Allow,
            (false, "Allow" | "Deny") => {}
            (_, effect) => panic!("the effect `{effect}` was read"),
        }
    }
    decision
}

fn many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn texts(value: &Value) -> Vec<&str> {
    many(value).into_iter().map(|text| text.as_str().unwrap()).collect()
}

/// Row by row: which beginnings of the text the pattern so far matches.
fn matches(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        for end in 0..=text.len() {
            next[end] = match wanted {
                '*' => reached[..=end].contains(&true),
                _ => end > 0 && reached[end - 1] && (wanted == '?' || wanted == text[end - 1]),
            };
        }
        reached = next;
    }
    reached[text.len()]
}
