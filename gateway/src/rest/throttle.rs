//! Counts requests: a token bucket for rates, a counter for quotas.

use std::time::SystemTime;

use super::api::{Quota, QuotaPeriod, Throttle};

const SECONDS_A_DAY: u64 = 86_400;

/// A token bucket, full at first.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: Throttle,
    tokens: f64,
    filled: Option<SystemTime>,
}

impl Bucket {
    pub(super) fn new(limit: Throttle) -> Self {
        Self { limit, tokens: f64::from(limit.burst), filled: None }
    }

    /// The limit.
    pub(super) const fn limit(&self) -> Throttle {
        self.limit
    }

    /// The tokens there are. A clock that was set back fills nothing.
    // SPEC: Amazon API Gateway, "Throttle requests to your REST APIs": token buckets
    pub(super) fn level(&self, now: SystemTime) -> f64 {
        let elapsed = self.filled.and_then(|filled| now.duration_since(filled).ok()).unwrap_or_default();
        let flowed = elapsed.as_secs_f64() * self.limit.rate;
        (self.tokens + flowed).min(f64::from(self.limit.burst))
    }

    /// Takes a token, if there is a whole one.
    pub(super) fn take(&mut self, now: SystemTime) -> bool {
        self.tokens = self.level(now);
        self.filled = Some(now);
        let is_there = self.tokens >= 1.0;
        if is_there {
            self.tokens -= 1.0;
        }
        is_there
    }
}

/// The requests of one period.
#[derive(Debug)]
pub(super) struct Counter {
    quota: Quota,
    period: Option<u64>,
    left: u64,
}

impl Counter {
    pub(super) const fn new(quota: Quota) -> Self {
        Self { quota, period: None, left: 0 }
    }

    /// The quota.
    pub(super) const fn quota(&self) -> Quota {
        self.quota
    }

    /// The requests that the period has left.
    pub(super) fn left(&self, now: SystemTime) -> u64 {
        match self.period {
            Some(begun) if begun == period(self.quota.period, now) => self.left,
            Some(_) => self.quota.limit,
            None => self.quota.limit.saturating_sub(self.quota.offset),
        }
    }

    /// Counts a request, if the period has one left.
    pub(super) fn take(&mut self, now: SystemTime) -> bool {
        let left = self.left(now);
        self.period = Some(period(self.quota.period, now));
        self.left = left.saturating_sub(1);
        left > 0
    }
}

/// A number for the period that `now` is in, in UTC. Weeks begin on Sunday.
fn period(length: QuotaPeriod, now: SystemTime) -> u64 {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let day = seconds / SECONDS_A_DAY;
    match length {
        QuotaPeriod::Day => day,
        // 1970 began on a Thursday.
        QuotaPeriod::Week => (day + 4) / 7,
        QuotaPeriod::Month => {
            let date = jiff::Timestamp::try_from(now).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
            u64::from(date.year().unsigned_abs()) * 12 + u64::from(date.month().unsigned_abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000) + Duration::from_millis(milliseconds)
    }

    #[test]
    fn row_23_a_bucket_gives_its_burst_at_once_and_its_rate_over_time() {
        let mut bucket = Bucket::new(Throttle { rate: 2.0, burst: 3 });
        let cases = [
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (499, false),
            (500, true),
            (500, false),
            (1500, true),
            (1500, true),
            (1500, false),
            (1000, false),
            (1000, false),
            (60_000, true),
            (60_000, true),
            (60_000, true),
            (60_000, false),
        ];
        for (index, (milliseconds, expected)) in cases.into_iter().enumerate() {
            assert_eq!(bucket.take(at(milliseconds)), expected, "{index}: {milliseconds} ms");
        }
    }

    #[test]
    fn an_empty_bucket_gives_nothing() {
        let mut empty = Bucket::new(Throttle { rate: 100.0, burst: 0 });
        assert!(!empty.take(at(0)) && !empty.take(at(60_000)));
        let mut once = Bucket::new(Throttle { rate: 0.0, burst: 1 });
        assert!(once.take(at(0)) && !once.take(at(u64::from(u32::MAX))));
    }

    #[test]
    fn row_23_a_quota_begins_again_with_each_period() {
        let day = |text: &str| -> SystemTime { text.parse::<jiff::Timestamp>().unwrap().into() };
        let cases = [
            (QuotaPeriod::Day, "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"),
            // A Saturday and a Sunday.
            (QuotaPeriod::Week, "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"),
            (QuotaPeriod::Month, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ];
        for (period, last, next) in cases {
            let mut counter = Counter::new(Quota { limit: 2, offset: 1, period });
            assert!(counter.take(day(last)), "{period:?}: the first period lacks its offset");
            assert!(!counter.take(day(last)), "{period:?}");
            assert!(counter.take(day(next)) && counter.take(day(next)), "{period:?}: the second is whole");
            assert!(!counter.take(day(next)), "{period:?}");
        }
        let same = [
            (QuotaPeriod::Day, "2026-01-31T00:00:00Z", "2026-01-31T23:59:59Z"),
            (QuotaPeriod::Week, "2026-02-01T00:00:00Z", "2026-02-07T23:59:59Z"),
            (QuotaPeriod::Month, "2026-02-01T00:00:00Z", "2026-02-28T23:59:59Z"),
        ];
        for (period, first, last) in same {
            let mut counter = Counter::new(Quota { limit: 1, offset: 0, period });
            assert!(counter.take(day(first)) && !counter.take(day(last)), "{period:?}");
        }
    }
}
