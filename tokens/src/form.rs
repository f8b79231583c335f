//! What a token request carries: a form, and credentials by HTTP Basic. Both are parsed strictly.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;

/// Whether a `Content-Type` is that of a form.
pub fn is_form(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Parses a form. A parameter without a value is ignored; `None` if one is repeated, or malformed.
// SPEC: RFC 6749 section 3.2
pub fn parse(body: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| decode(&text.replace('+', " "));
        if parameters.insert(decoded(name)?, decoded(value)?).is_some() {
            return None;
        }
    }
    parameters.retain(|_, value| !value.is_empty());
    Some(parameters)
}

/// The id and the secret in an `Authorization` header. A `+` stays itself: secrets of Cognito can have one, and many
/// libraries send it as it is.
// SPEC: RFC 7617 section 2; RFC 6749 section 2.3.1
pub fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim_matches(' ')).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((decode(id)?, decode(secret)?))
}

/// Percent-decodes strictly: a `%` must begin two hexadecimal digits, and the whole must be UTF-8.
fn decode(text: &str) -> Option<String> {
    let is_escape = |rest: &str| {
        let mut digits = rest.bytes();
        [digits.next(), digits.next()].iter().all(|digit| digit.is_some_and(|d| d.is_ascii_hexdigit()))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    percent_decode_str(text).decode_utf8().map(Into::into).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_strictly() {
        let read = |body: &str| {
            let pairs = parse(body)?.into_iter().map(|(name, value)| format!("{name}={value}"));
            Some(pairs.collect::<Vec<_>>().join(" | "))
        };
        let good = [
            ("", ""),
            ("a=1&b=2", "a=1 | b=2"),
            ("&a=1&", "a=1"),
            ("scope=a%2Fb+c%2fd", "scope=a/b c/d"),
            ("a=1=2", "a=1=2"),
            ("a=&b&c=3", "c=3"),
            ("a=\u{e9}&b=%C3%A9", "a=\u{e9} | b=\u{e9}"),
        ];
        for (body, expected) in good {
            assert_eq!(read(body).as_deref(), Some(expected), "{body:?}");
        }
        for body in ["a=1&a=1", "a=&a=", "a&%61=1", "a=%", "a=%2", "a=%zz", "a=%+1", "a=%ff"] {
            assert_eq!(read(body), None, "{body:?}");
        }
    }
}
