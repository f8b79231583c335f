//! The state of a key cache: its keys, the pause after a fetch that did not help, the fetch in progress.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::{sync::watch, task::AbortHandle};

use super::jwk::KeySet;

/// The first and the longest pause while there are no keys: an endpoint that is back is noticed within about a second.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The limits of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// How long a fetch may take.
    pub(crate) timeout: Duration,
    /// How long to wait after a fetch that failed or did not find its key.
    pub(crate) cooldown: Duration,
    /// The age after which keys are refreshed before they decide.
    pub(crate) max_age: Duration,
    /// The age after which keys are no longer used.
    pub(crate) max_stale: Duration,
}

pub(super) struct State {
    pub(super) held: Option<Held>,
    pub(super) pause: Option<Pause>,
    /// How many fetches failed in a row.
    pub(super) failures: u32,
    pub(super) flight: Option<Flight>,
}

pub(super) struct Held {
    pub(super) keys: KeySet,
    pub(super) is_snapshot: bool,
    /// When the fetch of these keys began.
    pub(super) since: SystemTime,
}

/// The time after a fetch that failed or did not find its key.
#[derive(Clone, Copy)]
pub(super) struct Pause {
    began: SystemTime,
    /// How long it lasts while there are no keys.
    without_keys: Duration,
}

impl State {
    /// The keys we hold, unless they are too old to decide.
    pub(super) fn usable(&self, now: SystemTime, timing: &Timing) -> Option<&Held> {
        self.held.as_ref().filter(|held| age(held.since, now) <= timing.max_stale)
    }

    /// Begins a pause: the shortest after the first failed fetch in a row, twice as long after each further one.
    pub(super) fn pause(&mut self, now: SystemTime) {
        let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures));
        let without_keys = jittered(doubled.min(LONGEST_PAUSE), now);
        self.pause = Some(Pause { began: now, without_keys });
    }

    /// Whether the pause still runs.
    pub(super) fn is_paused(&self, now: SystemTime, timing: &Timing) -> bool {
        self.pause_left(now, timing).is_some()
    }

    /// What is left of the pause. One that seems to begin in the future is over: the clock was set back.
    pub(super) fn pause_left(&self, now: SystemTime, timing: &Timing) -> Option<Duration> {
        let pause = self.pause?;
        let is_held = self.usable(now, timing).is_some();
        let length = if is_held { timing.cooldown } else { pause.without_keys.min(timing.cooldown) };
        length.checked_sub(now.duration_since(pause.began).ok()?).filter(|left| !left.is_zero())
    }
}

/// Takes up to a quarter off, by the nanoseconds of the clock, so processes whose fetches failed together do not retry
/// together.
fn jittered(length: Duration, now: SystemTime) -> Duration {
    let nanoseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    length / 4000 * (4000 - nanoseconds / 1000 % 1000)
}

/// A fetch under way.
pub(super) struct Flight {
    pub(super) began: SystemTime,
    /// Whether the fetch succeeded, once it is over.
    pub(super) succeeded: watch::Receiver<Option<bool>>,
    pub(super) task: AbortHandle,
}

impl Flight {
    pub(super) fn is_under_way(&self, now: SystemTime, limit: Duration) -> bool {
        self.succeeded.borrow().is_none() && !self.task.is_finished() && age(self.began, now) <= limit
    }
}

pub(super) fn age(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}
