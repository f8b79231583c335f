//! The only places that read the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now.
#[expect(clippy::disallowed_methods, reason = "the edge: measuring is reading the clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970, for the tokens' `iat` and `exp`.
#[expect(clippy::disallowed_methods, reason = "the edge: the tokens must be valid now")]
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
