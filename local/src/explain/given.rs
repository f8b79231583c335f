//! Finds the token in what was pasted: alone, quoted, with `Bearer` before it, a whole `Authorization` header, or the
//! token endpoint's JSON answer.

use serde_json::Value;

/// The value of the `Authorization` header that is meant.
pub(super) fn header_value(given: &str) -> String {
    let given = unquoted(given);
    let value = match given.split_once(':') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("authorization") => unquoted(value),
        _ => given,
    };
    let answer = value.starts_with('{').then(|| serde_json::from_str::<Value>(value).ok()).flatten();
    if let Some(token) = answer.as_ref().and_then(|answer| answer.get("access_token")?.as_str()) {
        return format!("Bearer {token}");
    }
    let is_bare = !value.is_empty() && !value.contains(' ');
    if is_bare { format!("Bearer {value}") } else { value.to_owned() }
}

/// Without blanks and one pair of quotes around it.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_whatever_was_pasted() {
        let cases = [
            ("a.b.c", "Bearer a.b.c"),
            (" a.b.c\n", "Bearer a.b.c"),
            ("\"a.b.c\"\n", "Bearer a.b.c"),
            ("'a.b.c'", "Bearer a.b.c"),
            ("bearer a.b.c", "bearer a.b.c"),
            ("authorization: Bearer a.b.c", "Bearer a.b.c"),
            ("'Authorization: Bearer a.b.c'", "Bearer a.b.c"),
            (r#"{"access_token":"a.b.c","expires_in":3600,"token_type":"Bearer"}"#, "Bearer a.b.c"),
            ("{\n  \"access_token\": \"a.b.c\"\n}\n", "Bearer a.b.c"),
            (r#"{"error":"invalid_client"}"#, r#"Bearer {"error":"invalid_client"}"#),
            ("\"", "Bearer \""),
            ("", ""),
        ];
        for (given, expected) in cases {
            assert_eq!(header_value(given), expected, "{given}");
        }
    }
}
