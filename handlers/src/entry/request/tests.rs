//! Path parameters and content types as callers send them.

use super::{decoded, is_json};

#[test]
fn path_parameters_are_decoded_once_and_strictly() {
    let cases = [
        ("coffee-1kg", Some("coffee-1kg")),
        ("coffee%2D1kg", Some("coffee-1kg")),
        ("a%2Fb%252F", Some("a/b%2F")),
        ("caf%C3%A9+", Some("café+")),
        ("", Some("")),
        ("%", None),
        ("100%", None),
        ("%2", None),
        ("%zz", None),
        ("%é", None),
        ("%ff", None),
    ];
    for (sent, expected) in cases {
        assert_eq!(decoded(sent).as_deref(), expected, "{sent}");
    }
}

#[test]
fn only_json_in_utf8_is_json() {
    for good in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\";"]
    {
        assert!(is_json(good), "{good}");
    }
    for bad in
        ["", "text/plain", "application/jsonx", "application/json; charset=latin1", "application/json x"]
    {
        assert!(!is_json(bad), "{bad}");
    }
}
