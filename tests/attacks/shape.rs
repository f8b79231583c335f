//! Attacks on the header value and on the compact form of a token.

use authorizer::Refusal::{
    DuplicateMember, MalformedBase64, MalformedBearer, MalformedJson, MissingToken, NotBearer, NotThreeParts,
    TokenTooLarge,
};
use serde_json::json;
use test_support::signer::{FIRST, b64, claims};

use crate::catalogue::{Attack, Case, Outcome, attack, refused};

fn good() -> String {
    FIRST.token(&claims())
}

/// The three parts of a valid token.
fn parts() -> [String; 3] {
    let good = good();
    let mut parts = good.split('.').map(str::to_owned);
    [parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap()]
}

/// A valid token except for its payload.
fn payload(text: &[u8]) -> Case {
    Case::token(&FIRST.sign(FIRST.header().to_string(), text))
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        refused("empty value", "RFC 6750 section 2.1", MissingToken, || Case::value("")),
        refused("another scheme", "RFC 6750 section 2.1", NotBearer, || {
            Case::value(&format!("Basic {}", good()))
        }),
        refused("a token without a scheme", "RFC 6750 section 2.1", NotBearer, || Case::value(&good())),
        refused("blank before the scheme", "RFC 9110 section 11.6.2", NotBearer, || {
            Case::value(&format!(" Bearer {}", good()))
        }),
        refused("tab for the blank", "RFC 6750 section 2.1", NotBearer, || {
            Case::value(&format!("Bearer\t{}", good()))
        }),
        refused("scheme alone", "RFC 6750 section 2.1", MalformedBearer, || Case::value("Bearer ")),
        refused("two blanks", "RFC 6750 section 2.1", MalformedBearer, || {
            Case::token(&format!(" {}", good()))
        }),
        refused("two schemes in one value", "RFC 9110 section 11.6.2", MalformedBearer, || {
            Case::token(&format!("{}, Basic eDp5", good()))
        }),
        refused("two tokens in one value", "RFC 6750 section 2.1", MalformedBearer, || {
            Case::token(&format!("{} {}", good(), good()))
        }),
        refused("scheme twice", "RFC 6750 section 2.1", MalformedBearer, || {
            Case::token(&format!("Bearer {}", good()))
        }),
        refused("line feed behind the token", "CWE-93, header injection", MalformedBearer, || {
            Case::token(&format!("{}\n", good()))
        }),
        refused("line breaks inside the token", "RFC 7515 section 2", MalformedBearer, || {
            let [header, payload, signature] = parts();
            Case::token(&format!("{header}.\r\n{payload}.\r\n{signature}"))
        }),
        refused("a header smuggled behind the token", "CWE-93, header injection", MalformedBearer, || {
            Case::token(&format!("{}\r\nX-Client-Id: admin", good()))
        }),
        refused("NUL behind the token", "CWE-158, null byte", MalformedBearer, || {
            Case::token(&format!("{}\0", good()))
        }),
        refused("zero-width space in the token", "RFC 6750 section 2.1", MalformedBearer, || {
            Case::token(&good().replacen('.', "\u{200b}.", 1))
        }),
        refused("full-width letters for ASCII", "Unicode TR 36", MalformedBearer, || {
            Case::token(&good().replacen("eyJ", "ｅｙＪ", 1))
        }),
        refused("quotes around the token", "RFC 6750 section 2.1", MalformedBearer, || {
            Case::token(&format!("\"{}\"", good()))
        }),
        refused("a megabyte of token", "CVE-2025-61920", TokenTooLarge, || Case::token(&"a".repeat(1 << 20))),
        refused("a megabyte of dots", "CVE-2025-30204", TokenTooLarge, || Case::token(&".".repeat(1 << 20))),
        refused("16 KiB of dots", "CVE-2025-30204", NotThreeParts, || Case::token(&".".repeat(16 << 10))),
        refused("one part", "RFC 7519 section 7.2", NotThreeParts, || Case::token("abc")),
        refused(
            "two parts: the signature left out with its dot",
            "RFC 7515 section 7.1",
            NotThreeParts,
            || {
                let [header, payload, _] = parts();
                Case::token(&format!("{header}.{payload}"))
            },
        ),
        refused("four parts", "RFC 7515 section 7.1", NotThreeParts, || Case::token(&format!("{}.", good()))),
        refused(
            "five parts, as an encrypted token",
            "CVE-2023-51774; RFC 7516 section 7.1",
            NotThreeParts,
            || {
                let header = b64(json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "first"}).to_string());
                Case::token(&format!("{header}.{0}.{0}.{0}.{0}", b64([7; 32])))
            },
        ),
        refused("compressed encrypted token", "CVE-2024-33664; CVE-2024-21319", NotThreeParts, || {
            let header = json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF", "kid": "first"}).to_string();
            Case::token(&format!("{}..{1}.{1}.{1}", b64(header), b64([0; 64])))
        }),
        refused("JSON serialization", "RFC 7515 section 7.2", MalformedBearer, || {
            let [protected, payload, signature] = parts();
            Case::token(
                &json!({"protected": protected, "payload": payload, "signature": signature}).to_string(),
            )
        }),
        refused("JSON around a compact token", "CVE-2022-39227", MalformedBearer, || {
            let [header, payload, signature] = parts();
            let forged = b64(json!({"client_id": "admin"}).to_string());
            Case::token(&format!(
                r#"{{"  {header}.{forged}.":"","protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
            ))
        }),
        refused("detached payload", "RFC 7515 appendix F", MalformedJson, || {
            let [header, _, signature] = parts();
            Case::token(&format!("{header}..{signature}"))
        }),
        refused("padded base64url", "RFC 7515 section 2", MalformedBase64, || {
            Case::token(&format!("{}==", good()))
        }),
        refused("padding inside", "RFC 7515 section 2", MalformedBearer, || {
            let [header, payload, signature] = parts();
            Case::token(&format!("{header}=.{payload}.{signature}"))
        }),
        refused("the other base64 alphabet", "RFC 7515 section 2", MalformedBase64, || {
            let [header, payload, _] = parts();
            Case::token(&format!("{header}.{payload}.{}", "+/".repeat(171)))
        }),
        refused("stray bits at the end of the signature", "RFC 4648 section 3.5", MalformedBase64, || {
            // 256 bytes leave four bits over, which must be zero.
            let mut token = good();
            let last = token.pop().unwrap();
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let next = alphabet.chars().skip_while(|other| *other != last).nth(1).unwrap();
            Case::token(&format!("{token}{next}"))
        }),
        refused("stray bits at the end of the header", "RFC 4648 section 3.5", MalformedBase64, || {
            let [_, payload, signature] = parts();
            Case::token(&format!("e31.{payload}.{signature}"))
        }),
        refused("an impossible length of base64url", "RFC 4648 section 4", MalformedBase64, || {
            let [header, payload, _] = parts();
            Case::token(&format!("{header}.{payload}.abcde"))
        }),
        refused("nothing between the dots", "RFC 7519 section 7.2", MalformedJson, || Case::token("..")),
        refused("payload that is no JSON", "RFC 7519 section 7.2", MalformedJson, || payload(b"claims")),
        refused("payload that is a list", "RFC 7519 section 7.2", MalformedJson, || payload(b"[]")),
        refused("two payloads, one behind the other", "RFC 8259 section 2", MalformedJson, || {
            payload(format!("{0}{0}", claims()).as_bytes())
        }),
        refused(
            "a token as the payload of a token",
            "RFC 7519 section 5.2; RFC 8725 section 2.3",
            MalformedJson,
            || {
                let header = json!({"alg": "RS256", "kid": "first", "cty": "JWT"}).to_string();
                Case::token(&FIRST.sign(header, good()))
            },
        ),
        refused("byte order mark before the payload", "RFC 8259 section 8.1", MalformedJson, || {
            payload(format!("\u{feff}{}", claims()).as_bytes())
        }),
        refused("payload in UTF-16", "RFC 8725 section 3.7", MalformedJson, || {
            payload(&claims().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
        }),
        refused(
            "overlong UTF-8 for a slash in a scope",
            "Unicode TR 36; RFC 3629 section 10",
            MalformedJson,
            || {
                let (before, behind) = (br#"{"scope":"inventory"#, br#"write"}"#);
                payload(&[&before[..], &[0xC0, 0xAF], behind].concat())
            },
        ),
        refused("half a surrogate pair", "RFC 8259 section 8.2", MalformedJson, || {
            Case::payload("\"version\":2", r#""version":"\ud800""#)
        }),
        refused("comment in the payload", "Bishop Fox, JSON interoperability, 2021", MalformedJson, || {
            Case::payload("\"version\":2", "\"version\":2/*,*/")
        }),
        refused(
            "a member twice in the payload",
            "RFC 7519 section 4; CVE-2017-12635",
            DuplicateMember,
            || Case::payload("\"version\":2", r#""version":2,"scope":"inventory/write""#),
        ),
        refused(
            "a member twice, one of them escaped",
            "Bishop Fox, JSON interoperability, 2021",
            DuplicateMember,
            || Case::payload("\"version\":2", r#""version":2,"\u0073cope":"inventory/write""#),
        ),
        refused("a member twice in a nested object", "RFC 8725 section 2.6", DuplicateMember, || {
            Case::payload("\"version\":2", r#""version":2,"cnf":{"jkt":"a","jkt":"b"}"#)
        }),
        refused("`NaN` in the payload", "RFC 8259 section 6", MalformedJson, || {
            Case::payload("\"version\":2", "\"version\":NaN")
        }),
        refused("nested 200 levels deep", "CVE-2020-36518", MalformedJson, || {
            let deep = format!("\"version\":{}{}", "[".repeat(200), "]".repeat(200));
            Case::payload("\"version\":2", &deep)
        }),
        attack(
            "a token within the token's claims",
            "RFC 8725 section 2.8",
            Outcome::Harmless("no claim is taken for a token"),
            || Case::claims(json!({"act": FIRST.token(&claims())})),
        ),
        attack(
            "scheme in other casing",
            "RFC 9110 section 11.1",
            Outcome::Harmless("schemes ignore case; the token is checked as ever"),
            || Case::value(&format!("bEaReR {}", good())),
        ),
    ]
}
