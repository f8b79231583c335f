//! Whole seconds since the Unix epoch, the unit of time in JWTs and at Cognito.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
// SPEC: RFC 7519 section 2, NumericDate
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// The time `by` later, in whole seconds; saturates.
    #[must_use]
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.as_secs()))
    }

    /// The time since `earlier`; zero if that is not in the past.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<SystemTime> for UnixSeconds {
    /// A time before 1970 becomes 1970.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_neither_wraps_nor_runs_backwards() {
        assert_eq!(UnixSeconds(u64::MAX).plus(Duration::from_secs(1)), UnixSeconds(u64::MAX));
        assert_eq!(UnixSeconds(7).plus(Duration::from_millis(1999)), UnixSeconds(8));
        assert_eq!(UnixSeconds(7).since(UnixSeconds(5)), Duration::from_secs(2));
        assert_eq!(UnixSeconds(5).since(UnixSeconds(7)), Duration::ZERO);
        assert_eq!(UnixSeconds(u64::MAX).to_string(), "18446744073709551615");
        assert_eq!(UnixSeconds::from(UNIX_EPOCH + Duration::from_millis(2999)), UnixSeconds(2));
        assert_eq!(UnixSeconds::from(UNIX_EPOCH - Duration::from_secs(1)), UnixSeconds(0));
    }
}
