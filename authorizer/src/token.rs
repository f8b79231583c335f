//! `Bearer`, `Compact` and `Unverified`: the form of the header value and of the token in it. Nothing here can be
//! trusted yet.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{json::Members, refusal::Refusal};

/// The largest token that is read. API Gateway accepts 10 KiB of headers at most.
const LARGEST: usize = 16 * 1024;
/// The longest `kid` that a key can have.
pub(crate) const LONGEST_KEY_ID: usize = 256;

/// The token of an `Authorization` header value.
pub(crate) struct Bearer<'a>(&'a str);

impl<'a> Bearer<'a> {
    /// Reads a header value: `Bearer` in any casing, one space, one token of its alphabet.
    // SPEC: RFC 6750 section 2.1; RFC 9110 section 11.1: schemes are case-insensitive
    pub(crate) fn parse(value: &'a str) -> Result<Self, Refusal> {
        if value.is_empty() {
            return Err(Refusal::MissingToken);
        }
        if value.len() > LARGEST + "Bearer ".len() {
            return Err(Refusal::TokenTooLarge);
        }
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(Refusal::NotBearer);
        }
        let body = token.trim_end_matches('=');
        if body.is_empty() || !body.bytes().fold(true, |so_far, byte| so_far & is_token_byte(byte)) {
            return Err(Refusal::MalformedBearer);
        }
        Ok(Self(token))
    }

    /// Splits the token and decodes its parts.
    // SPEC: RFC 7515 section 7.1; section 2: base64url without padding; RFC 4648 section 3.5: no stray bits
    pub(crate) fn decode(&self) -> Result<Compact<'a>, Refusal> {
        let mut parts = self.0.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::NotThreeParts);
        };
        let signed = self.0.get(..header.len() + 1 + payload.len()).ok_or(Refusal::NotThreeParts)?;
        let decode = |part: &str| {
            let mut bytes = Vec::with_capacity(part.len());
            URL_SAFE_NO_PAD.decode_vec(part, &mut bytes).map(|()| bytes).map_err(|_| Refusal::MalformedBase64)
        };
        let (header, payload) = (decode(header)?, decode(payload)?);
        // Whoever verifies the signature decodes it.
        if !is_base64url(signature.as_bytes()) {
            return Err(Refusal::MalformedBase64);
        }
        Ok(Compact { signed, header, payload, signature })
    }
}

/// The alphabet of a bearer token.
// SPEC: RFC 6750 section 2.1
#[expect(
    clippy::needless_bitwise_bool,
    reason = "it runs for each byte of every token: without branches the compiler takes many at once"
)]
const fn is_token_byte(byte: u8) -> bool {
    // Hyphen, dot, slash and the digits follow one another.
    byte.is_ascii_alphabetic()
        | matches!(byte, b'-'..=b'9')
        | (byte == b'_')
        | (byte == b'~')
        | (byte == b'+')
}

/// Whether the strict decoder takes `text`. Stray bits can only be in its last characters, so only those are decoded.
fn is_base64url(text: &[u8]) -> bool {
    let (_, end) = text.as_chunks::<4>();
    let is_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'_');
    text.iter().fold(true, |so_far, byte| so_far & is_alphabet(byte))
        && URL_SAFE_NO_PAD.decode_slice(end, &mut [0; 3]).is_ok()
}

impl fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(…)")
    }
}

/// The three parts of a token.
pub(crate) struct Compact<'a> {
    /// What was signed: the first two parts as received.
    signed: &'a str,
    header: Vec<u8>,
    payload: Vec<u8>,
    /// The third part, known to be base64url.
    signature: &'a str,
}

impl Compact<'_> {
    /// The decoded header and payload.
    pub(crate) fn texts(&self) -> [&[u8]; 2] {
        [&self.header, &self.payload]
    }

    /// Reads header and payload, and checks their form.
    pub(crate) fn read(&self) -> Result<Unverified<'_>, Refusal> {
        let header = Members::parse(&self.header)?;
        // The token never chooses the algorithm.
        // SPEC: RFC 8725 sections 3.1 and 3.2
        if header.text("alg").is_none_or(|alg| alg != "RS256") {
            return Err(Refusal::Algorithm);
        }
        // We support no extension; `b64` without `crit` is refused too.
        // SPEC: RFC 7515 section 4.1.11; RFC 7797 section 6
        if header.get("crit").is_some() || header.get("b64").is_some() {
            return Err(Refusal::CriticalHeader);
        }
        let kid = header
            .text("kid")
            .filter(|kid| (1..=LONGEST_KEY_ID).contains(&kid.len()))
            .ok_or(Refusal::MalformedKeyId)?;
        // `jku`, `x5u`, `jwk` and `x5c` are never read: keys come from the issuer alone (RFC 8725 section 3.10).
        let kid = kid.clone();
        let claims = Members::parse(&self.payload)?;
        Ok(Unverified { signed: self.signed.as_bytes(), signature: self.signature, kid, claims })
    }
}

impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compact(…)")
    }
}

/// A token of the right form. Anyone can write one.
pub(crate) struct Unverified<'a> {
    pub(crate) signed: &'a [u8],
    /// In base64url.
    pub(crate) signature: &'a str,
    /// The name of the key that the token claims to be signed with.
    pub(crate) kid: Cow<'a, str>,
    /// The payload.
    pub(crate) claims: Members<'a>,
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn base64url_is_what_the_decoder_takes(text in "[A-Za-z0-9_-]{0,9}[AQgwBC+/=.~]?") {
            prop_assert_eq!(is_base64url(text.as_bytes()), URL_SAFE_NO_PAD.decode(&text).is_ok());
        }
    }
}
