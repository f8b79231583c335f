//! What the strict reader takes, and how it names what it does not.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::text::Sku;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    lines: List<Line, 3>,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: Sku,
    quantity: Integer<1, 1000>,
}

fn refusal(body: &str) -> (u16, &'static str, Option<String>) {
    let error = parse::<Body>(body.as_bytes()).expect_err(body);
    (error.status, error.label, error.field)
}

#[test]
fn a_plain_body_is_read() {
    let body: Body = parse(br#" {"name":"n","lines":[{"sku":"A-1","quantity":1000}],"note":null} "#).unwrap();
    assert_eq!((body.name.as_str(), body.note, body.lines.0[0].quantity.0), ("n", None, 1000));
}

#[test]
fn what_is_at_fault_is_named_by_its_path() {
    let line = |line: &str| format!(r#"{{"name":"n","lines":[{{"sku":"A","quantity":1}},{line}]}}"#);
    let quantity = |text: &str| line(&format!(r#"{{"sku":"A","quantity":{text}}}"#));
    let at = Some("lines[1].quantity");
    let cases = [
        ("fraction", quantity("1.0"), at),
        ("exponent", quantity("1e2"), at),
        ("beyond every float", quantity("1e400"), at),
        ("string", quantity("\"1\""), at),
        ("null", quantity("null"), at),
        ("boolean", quantity("true"), at),
        ("negative", quantity("-1"), at),
        ("zero", quantity("0"), at),
        ("minus zero", quantity("-0"), at),
        ("one too many", quantity("1001"), at),
        ("beyond i64", quantity("9223372036854775808"), at),
        ("beyond u64", quantity("18446744073709551616"), at),
        ("list", quantity("[1]"), at),
        ("object", quantity(r#"{"a":1}"#), at),
        ("not a number", quantity("NaN"), at),
        ("infinity", quantity("-Infinity"), at),
        ("leading zero", quantity("01"), at),
        ("sku of the wrong type", line(r#"{"sku":7,"quantity":1}"#), Some("lines[1].sku")),
        ("sku with a space", line(r#"{"sku":"a b","quantity":1}"#), Some("lines[1].sku")),
        ("missing member", line(r#"{"sku":"A"}"#), at),
        ("unknown member", line(r#"{"sku":"A","quantity":1,"x":1}"#), Some("lines[1].x")),
        ("duplicate member", line(r#"{"sku":"A","quantity":1,"quantity":1}"#), at),
        ("array for an object", line(r#"["A",1]"#), Some("lines[1]")),
        ("text for an object", line("\"A\""), Some("lines[1]")),
        ("no lines", r#"{"name":"n","lines":[]}"#.into(), Some("lines")),
        (
            "too many lines",
            line(r#"{"sku":"A","quantity":1},{"sku":"A","quantity":1},{"sku":"A","quantity":1}"#),
            Some("lines"),
        ),
        ("lines missing", r#"{"name":"n"}"#.into(), Some("lines")),
        ("lines an object", r#"{"name":"n","lines":{}}"#.into(), Some("lines")),
        ("duplicate at the top", r#"{"name":"n","name":"n","lines":[]}"#.into(), Some("name")),
        ("unknown at the top", r#"{"__proto__":1}"#.into(), Some("__proto__")),
        ("deep nesting", format!(r#"{{"name":{}"#, "[".repeat(100_000)), Some("name")),
        ("deep lines", format!(r#"{{"name":"n","lines":{}"#, "[".repeat(100_000)), Some("lines[0]")),
        ("lone surrogate", r#"{"name":"\ud800"}"#.into(), Some("name")),
    ];
    for (name, body, field) in cases {
        assert_eq!(refusal(&body), (400, "invalid_request", field.map(str::to_owned)), "{name}");
    }
}

#[test]
fn what_is_no_object_is_refused_whole() {
    let good = r#"{"name":"n","lines":[{"sku":"A","quantity":1}]}"#;
    let cases = [
        ("empty", String::new()),
        ("white space", "  ".into()),
        ("words", "hello".into()),
        ("trailing text", format!("{good}x")),
        ("two bodies", format!("{good}{good}")),
        ("byte order mark", format!("\u{feff}{good}")),
        ("cut off", "{".into()),
        ("a comma too many", r#"{"name":"n",}"#.into()),
    ];
    for (name, body) in cases {
        let (status, code, _) = refusal(&body);
        assert_eq!((status, code), (400, "invalid_json"), "{name}");
    }
    for (name, body) in [("array", "[]"), ("null", "null"), ("number", "7"), ("text", "\"a\"")] {
        assert_eq!(refusal(body), (400, "invalid_request", None), "{name}");
    }
    assert_eq!(parse::<Body>(b"{\"name\":\"\xff\"}").unwrap_err().status, 400, "not UTF-8");
    assert_eq!(refusal(&" ".repeat(BODY_BYTES + 1)), (413, "body_too_large", None));
}

#[test]
fn messages_say_what_is_expected_and_repeat_nothing() {
    let message = |body: &str| {
        let error = parse::<Body>(body.as_bytes()).unwrap_err();
        serde_json::to_string(&error.body("r")).unwrap()
    };
    insta::assert_snapshot!(message(r#"{"name":"n","lines":[{"sku":"A","quantity":"ten"}]}"#), @r#"{"error":"invalid_request","message":"expected an integer","field":"lines[0].quantity","request_id":"r"}"#);
    insta::assert_snapshot!(message(r#"{"name":"n","lines":[{"sku":"a b","quantity":1}]}"#), @r#"{"error":"invalid_request","message":"must be 1 to 64 letters, digits and `-._~:`, and neither `.` nor `..`","field":"lines[0].sku","request_id":"r"}"#);
    insta::assert_snapshot!(message(r#"{"name":"n","lines":[{"amount":1}]}"#), @r#"{"error":"invalid_request","message":"is unknown, expected `sku` or `quantity`","field":"lines[0].amount","request_id":"r"}"#);
    insta::assert_snapshot!(message(r#"{"name":"n"}"#), @r#"{"error":"invalid_request","message":"is missing","field":"lines","request_id":"r"}"#);
    let long = format!(r#"{{"{}":1}}"#, "x".repeat(5000));
    assert!(message(&long).len() < 400);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_4xx(body in r#"[{}\[\]",:a-z0-9.\\ -]{0,60}"#) {
        if let Err(error) = parse::<Body>(body.as_bytes()) {
            prop_assert!((400..500).contains(&error.status));
        }
    }
}
