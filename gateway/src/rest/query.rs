//! Query strings.

use percent_encoding::percent_decode_str;

/// Names and values in order, decoded.
// SPEC: Amazon API Gateway, important notes for REST APIs: a semicolon splits the query as an ampersand does
pub(super) fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split(['&', ';'])
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_once() {
        let cases: [(&str, &[(&str, &str)]); 6] = [
            ("", &[]),
            ("a=1&b=2;a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
            ("a&b=&=c&&", &[("a", ""), ("b", ""), ("", "c")]),
            ("a+b=c+d%2B%26&e=f=g", &[("a b", "c d+&"), ("e", "f=g")]),
            ("a=%2541", &[("a", "%41")]),
            ("a=%zz%ff", &[("a", "%zz\u{fffd}")]),
        ];
        for (query, expected) in cases {
            let pairs = pairs(query);
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(pairs, expected, "{query}");
        }
    }
}
