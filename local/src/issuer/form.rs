//! Parses `application/x-www-form-urlencoded` strictly.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// The body is not a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MalformedForm;

/// Parses a form. A parameter without a value is ignored; a repeated parameter is an error.
// SPEC: RFC 6749 section 3.2
pub(super) fn parse(body: &[u8]) -> Result<BTreeMap<String, String>, MalformedForm> {
    let body = str::from_utf8(body).map_err(|_| MalformedForm)?;
    let mut parameters = BTreeMap::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if parameters.insert(decode(name)?, decode(value)?).is_some() {
            return Err(MalformedForm);
        }
    }
    parameters.retain(|_, value: &mut String| !value.is_empty());
    Ok(parameters)
}

/// Decodes one name or value; a `%` must begin two hexadecimal digits, and the whole must be UTF-8.
pub(super) fn decode(text: &str) -> Result<String, MalformedForm> {
    let is_escape = |rest: &str| {
        let mut digits = rest.bytes();
        [digits.next(), digits.next()].iter().all(|digit| digit.is_some_and(|d| d.is_ascii_hexdigit()))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return Err(MalformedForm);
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(Into::into).map_err(|_| MalformedForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_strictly() {
        let read = |body: &[u8]| {
            let pairs = parse(body)?.into_iter().map(|(name, value)| format!("{name}={value}"));
            Ok(pairs.collect::<Vec<_>>().join(" | "))
        };
        let good: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"a=1&b=2", "a=1 | b=2"),
            (b"&a=1&", "a=1"),
            (b"scope=a%2Fb+c%2fd", "scope=a/b c/d"),
            (b"a=1=2", "a=1=2"),
            (b"a=&b&c=3", "c=3"),
            ("a=\u{e9}&b=%C3%A9".as_bytes(), "a=\u{e9} | b=\u{e9}"),
        ];
        for (body, expected) in good {
            assert_eq!(read(body), Ok((*expected).to_owned()), "{body:?}");
        }
        let bad: &[&[u8]] =
            &[b"a=1&a=1", b"a=&a=", b"a&%61=1", b"a=%", b"a=%2", b"a=%zz", b"a=%+1", b"a=%ff", b"\xff"];
        for body in bad {
            assert_eq!(read(body), Err(MalformedForm), "{body:?}");
        }
    }
}
