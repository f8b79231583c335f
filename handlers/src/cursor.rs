//! The opaque cursor of a list: where the next page begins, tied to its list by a digest.
//!
//! A cursor is base64url of `digest ‖ position`, the digest being the first eight bytes of SHA-256 over the name of
//! the list and the position. It is there to catch a cursor that was cut, edited or taken from another list, not to
//! keep a secret: someone who computes a digest of their own only begins the same list at another place, which the
//! route's scope lets them read anyway.

use aws_lc_rs::digest::{self, SHA256};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::error::ApiError;

const DIGEST_BYTES: usize = 8;

/// The cursor for the page of `list` that begins after `position`.
pub fn encode(list: &str, position: &str) -> String {
    let mut bytes = digest(list, position);
    bytes.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position in `list` that a cursor stands for, read by `parse`.
///
/// # Errors
/// 400 `invalid_cursor` for whatever [`encode`] did not make for this list.
pub fn decode<T>(
    list: &str,
    unverified_cursor: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ApiError> {
    let position = || {
        let bytes = URL_SAFE_NO_PAD.decode(unverified_cursor).ok()?;
        let (sum, position) = bytes.split_at_checked(DIGEST_BYTES)?;
        let position = std::str::from_utf8(position).ok()?;
        if sum == digest(list, position) { parse(position) } else { None }
    };
    position().ok_or_else(|| {
        ApiError::refused(400, "invalid_cursor", "take `next_cursor` of a page as it stands").at("cursor")
    })
}

fn digest(list: &str, position: &str) -> Vec<u8> {
    let sum = digest::digest(&SHA256, format!("{list}\0{position}").as_bytes());
    sum.as_ref().iter().copied().take(DIGEST_BYTES).collect()
}

#[cfg(test)]
mod tests;
