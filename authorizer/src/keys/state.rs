//! Owns what a key cache remembers: the keys at hand, the pause, the fetch under way, and what each of them means at a
//! given time. When to fetch is left to `keys.rs`.

use std::time::{Duration, SystemTime};

use tokio::{sync::watch, task::AbortHandle};

use super::{NoKey, jwk::KeySet};

/// The times that the cache keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// How long a fetch may take, its one retry included.
    pub(crate) timeout: Duration,
    /// How long no refetch follows one that failed or did not find its key.
    pub(crate) cooldown: Duration,
    /// The age after which keys are refreshed.
    pub(crate) max_age: Duration,
    /// The age after which keys decide nothing any more.
    pub(crate) max_stale: Duration,
}

pub(super) struct State {
    pub(super) held: Option<Held>,
    /// When the last fetch failed or did not find its key, if it did.
    pub(super) paused_at: Option<SystemTime>,
    pub(super) flight: Option<Flight>,
}

pub(super) struct Held {
    pub(super) keys: KeySet,
    pub(super) is_snapshot: bool,
    /// When the fetch began that brought them; of a snapshot, when it was loaded.
    pub(super) since: SystemTime,
}

impl State {
    /// The keys at hand, unless they are too old to decide.
    pub(super) fn usable(&self, now: SystemTime, timing: &Timing) -> Option<&Held> {
        self.held.as_ref().filter(|held| age(held.since, now) <= timing.max_stale)
    }

    pub(super) fn no_key(&self, now: SystemTime, timing: &Timing) -> NoKey {
        if self.usable(now, timing).is_some() { NoKey::Unknown } else { NoKey::Unavailable }
    }

    /// A pause that seems to begin in the future is none: the clock was set back.
    pub(super) fn is_paused(&self, now: SystemTime, timing: &Timing) -> bool {
        let since = self.paused_at.and_then(|paused_at| now.duration_since(paused_at).ok());
        since.is_some_and(|since| since < timing.cooldown)
    }
}

/// A fetch under way, in a task of its own: it outlives the decision that began it.
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
