//! The pace of retries: how many, how long to wait between them, and when time is up.

use std::time::Duration;

use tokio::time::Instant;

/// The first wait is at most this long; each further one at most twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// A few attempts at one thing, all within one time limit.
#[derive(Debug)]
pub(crate) struct Pace {
    until: Instant,
    retries_left: u32,
    next_wait: Duration,
    jitter: fn() -> f64,
}

impl Pace {
    /// `retries` after the first attempt at most, none of them later than `limit` from now.
    pub(crate) fn new(limit: Duration, retries: u32, jitter: fn() -> f64) -> Self {
        // A caller that wants no limit may pass a value that overflows the clock.
        let limit = limit.min(Duration::from_hours(24));
        Self { until: now() + limit, retries_left: retries, next_wait: FIRST_WAIT, jitter }
    }

    /// The time left for the current attempt.
    pub(crate) fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(now())
    }

    /// Waits until the next attempt may begin: at least what the server asked for, plus a random part of a time that
    /// doubles, so that clients do not come back all at once. Returns `false`, immediately, if there must be no
    /// further attempt.
    pub(crate) async fn wait(&mut self, retry_after: Option<Duration>) -> bool {
        let spread = self.next_wait.mul_f64((self.jitter)().clamp(0.0, 1.0));
        let wait = retry_after.unwrap_or_default().saturating_add(spread);
        if self.retries_left == 0 || wait >= self.time_left() {
            return false;
        }
        self.retries_left -= 1;
        self.next_wait *= 2;
        tokio::time::sleep(wait).await;
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "how long something takes, on the clock that tests can pause")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    async fn waits(mut pace: Pace, retry_after: Option<Duration>) -> Vec<Duration> {
        let mut waits = Vec::new();
        loop {
            let before = now();
            if !pace.wait(retry_after).await {
                assert_eq!(now(), before, "a refusal comes at once");
                return waits;
            }
            waits.push(now() - before);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_and_end_with_the_retries() {
        assert_eq!(waits(Pace::new(LIMIT, 3, || 1.0), None).await, [200, 400, 800].map(millis));
        assert_eq!(waits(Pace::new(LIMIT, 3, || 0.5), None).await, [100, 200, 400].map(millis));
        assert_eq!(waits(Pace::new(LIMIT, 0, || 0.0), None).await, [Duration::ZERO; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_end_within_the_time_limit() {
        let waited = waits(Pace::new(LIMIT, u32::MAX, || 1.0), None).await;
        assert_eq!(waited, [200, 400, 800, 1600, 3200].map(millis));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_other_side_asks_for_is_waited_and_spread() {
        let asked = Some(Duration::from_secs(2));
        assert_eq!(waits(Pace::new(LIMIT, 2, || 0.5), asked).await, [2100, 2200].map(millis));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_beyond_all_times_is_none() {
        assert_eq!(waits(Pace::new(Duration::MAX, 1, || 1.0), None).await, [millis(200)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_does_not_fit_is_not_begun() {
        for asked in [10, 11, u64::MAX] {
            let waited = waits(Pace::new(LIMIT, 5, || 0.0), Some(Duration::from_secs(asked))).await;
            assert_eq!(waited, [Duration::ZERO; 0], "{asked} s");
        }
    }
}
