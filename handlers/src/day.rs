//! `Day`: a date in UTC, and the format of time stamps.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, ToSpan, civil::Date, tz::Offset};

use crate::text::RuleError;

/// A day in UTC, written `2026-02-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

/// A time as records and answers have it: RFC 3339 in UTC, to the millisecond.
pub fn stamp(moment: Timestamp) -> String {
    format!("{moment:.3}")
}

impl Day {
    /// The day of this time.
    pub fn of(moment: Timestamp) -> Self {
        Self(Offset::UTC.to_datetime(moment).date())
    }

    /// The day before; `None` before the calendar begins.
    pub fn before(self) -> Option<Self> {
        self.0.checked_sub(1.day()).ok().map(Self)
    }
}

impl FromStr for Day {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        // The parser knows more ways of writing a date than one.
        let day = text.parse().ok().map(Self).filter(|day| text.len() == 10 && day.to_string() == text);
        day.ok_or(RuleError("must be a date that exists, written YYYY-MM-DD"))
    }
}

crate::json::string!(Day, str::parse::<Day>);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_exist_are_read_and_printed_again() {
        for good in ["2026-02-03", "2024-02-29", "1970-01-01", "9999-12-31"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
        let malformed = ["2026-02-03 ", "2026-02-03T00:00", "2026-W06-2", "+026-02-03", "\u{0662}026-02"];
        let bad =
            ["", "2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "2026-2-3", "20260203", "26-02-03"];
        for bad in bad.into_iter().chain(malformed) {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let day = |moment: &str| Day::of(moment.parse().unwrap()).to_string();
        assert_eq!(day("2026-02-03T23:59:59.999Z"), "2026-02-03");
        assert_eq!(day("2026-02-04T00:00:00Z"), "2026-02-04");
        assert_eq!(day("2026-02-04T00:30:00+01:00"), "2026-02-03");
        let day: Day = "2026-03-01".parse().unwrap();
        assert_eq!(day.before().unwrap().to_string(), "2026-02-28");
    }
}
