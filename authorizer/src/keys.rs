//! `KeyCache`, the keys of one issuer: one fetch at a time, shared by all waiters; old keys are refreshed before use,
//! kept if that fails, and dropped once they are stale.
//!
//! Lambda freezes the process between invocations, so no fetch may run on after a response: a decision that finds the
//! keys too old waits for the fetch, and uses the old keys only if it fails.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::log::{Level, Log};
use serde::Serialize;
use tokio::{sync::watch, time::timeout};

pub(crate) mod fetch;
pub(crate) mod jwk;
pub(crate) mod signature;
pub(crate) mod snapshot;
mod state;
pub(crate) mod status;

use fetch::{Fetch, FetchError};
use jwk::KeySet;
use signature::PublicKey;
use snapshot::Snapshot;
pub(crate) use state::Timing;
use state::{Flight, Held, State, age};

/// How a long-lived part reads the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Where a decision got its key from: the field `jwks` of the log line. A name never changes once released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyOrigin {
    /// From memory, younger than the refresh age.
    Hit,
    /// From a fetch that this decision waited for and that succeeded, whether or not the key was in it.
    Fetched,
    /// From memory, older than the refresh age: the refresh failed, now or within the pause.
    Stale,
    /// From the packaged snapshot: no fetch has succeeded yet.
    Snapshot,
    /// Not in memory, and no fetch was made because of the pause.
    Cooldown,
    /// Not in memory, and the fetch that this decision waited for failed.
    Failed,
}

/// Why no key was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// Keys of the issuer are held, but none has this name.
    Unknown,
    /// No keys are held, or only keys that are too old.
    Unavailable,
}

/// The keys of one issuer. Clones share them.
#[derive(Clone)]
pub(crate) struct KeyCache(Arc<Shared>);

struct Shared {
    issuer: String,
    fetch: Arc<dyn Fetch>,
    timing: Timing,
    clock: Clock,
    log: Log,
    // INVARIANT: never held across an await.
    state: Mutex<State>,
}

impl KeyCache {
    /// A cache for `issuer`, empty or with the keys of a snapshot.
    pub(crate) fn new(
        issuer: String,
        snapshot: Option<Snapshot>,
        fetch: Arc<dyn Fetch>,
        timing: Timing,
        clock: Clock,
        log: Log,
    ) -> Self {
        let now = clock();
        let held = snapshot.map(|Snapshot { keys, fetched_at }| {
            // A snapshot from the future would be fresh for ever; it is at least as old as the process.
            let since = UNIX_EPOCH.checked_add(Duration::from_secs(fetched_at.0)).unwrap_or(now).min(now);
            Held { keys, is_snapshot: true, since }
        });
        let state = Mutex::new(State { held, pause: None, failures: 0, flight: None });
        Self(Arc::new(Shared { issuer, fetch, timing, clock, log, state }))
    }

    /// Fetches the keys unless fresh ones are held. A failure is logged and starts no pause: the first decision
    /// tries again.
    pub(crate) async fn prefetch(&self) {
        let flight = {
            let mut state = self.state();
            if state.held.as_ref().is_some_and(|held| self.is_fresh(held, (self.0.clock)())) {
                return;
            }
            self.join(&mut state, Purpose::Prefetch)
        };
        succeeded(flight).await;
    }

    /// The key of this name, and where it came from. Waits for one fetch at most, shared with all other callers.
    pub(crate) async fn key(&self, kid: &str) -> (Result<Arc<PublicKey>, NoKey>, KeyOrigin) {
        let flight = {
            let mut state = self.state();
            let now = (self.0.clock)();
            let is_paused = state.is_paused(now, &self.0.timing);
            let held = state.usable(now, &self.0.timing);
            let purpose = match held.and_then(|held| Some((held, held.keys.key(kid)?))) {
                Some((held, key)) if is_paused || self.is_fresh(held, now) => {
                    return (Ok(key), self.origin(held, now));
                }
                None if is_paused => return (Err(NoKey::of(held)), KeyOrigin::Cooldown),
                Some(_) => Purpose::Refresh,
                None => Purpose::Key(kid.to_owned()),
            };
            self.join(&mut state, purpose)
        };
        let is_success = succeeded(flight).await;
        let mut state = self.state();
        let now = (self.0.clock)();
        let found = state.usable(now, &self.0.timing).and_then(|held| Some((held, held.keys.key(kid)?)));
        if let Some((held, key)) = found {
            let origin = if is_success { KeyOrigin::Fetched } else { self.origin(held, now) };
            return (Ok(key), origin);
        }
        if !state.is_paused(now, &self.0.timing) {
            state.pause(now);
        }
        let origin = if is_success { KeyOrigin::Fetched } else { KeyOrigin::Failed };
        (Err(NoKey::of(state.usable(now, &self.0.timing))), origin)
    }

    fn is_fresh(&self, held: &Held, now: SystemTime) -> bool {
        age(held.since, now) <= self.0.timing.max_age
    }

    /// Where a key in memory came from.
    fn origin(&self, held: &Held, now: SystemTime) -> KeyOrigin {
        if held.is_snapshot {
            KeyOrigin::Snapshot
        } else if self.is_fresh(held, now) {
            KeyOrigin::Hit
        } else {
            KeyOrigin::Stale
        }
    }

    /// The fetch under way, or a new one.
    fn join(&self, state: &mut State, purpose: Purpose) -> watch::Receiver<Option<bool>> {
        let now = (self.0.clock)();
        if let Some(flight) = &state.flight {
            if flight.is_under_way(now, self.0.timing.timeout) {
                return flight.succeeded.clone();
            }
            // The process was frozen meanwhile, and the fetch is out of time.
            flight.task.abort();
        }
        let (sender, succeeded) = watch::channel(None);
        let cache = self.clone();
        // In its own task, so it continues for the others if the caller that started it is dropped.
        let task = tokio::spawn(async move {
            let is_success = cache.refresh(&purpose).await;
            // Nobody may be waiting any more.
            let _ = sender.send(Some(is_success));
        });
        state.flight = Some(Flight { began: now, succeeded: succeeded.clone(), task: task.abort_handle() });
        succeeded
    }

    /// Fetches, and on success swaps the keys; the new set is read in full first.
    async fn refresh(&self, purpose: &Purpose) -> bool {
        let began = (self.0.clock)();
        let fetched = timeout(self.0.timing.timeout, self.0.fetch.fetch()).await;
        let keys = match fetched {
            Ok(Ok(body)) => KeySet::parse(&body).map_err(FetchError::Body),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(FetchError::TimedOut),
        };
        let now = (self.0.clock)();
        let mut state = self.state();
        match keys {
            Ok(keys) => {
                let is_found = purpose.kid().is_none_or(|kid| keys.key(kid).is_some());
                state.held = Some(Held { keys, is_snapshot: false, since: began });
                state.failures = 0;
                state.pause = None;
                if !is_found {
                    state.pause(now);
                }
                true
            }
            // A fetch during which the process was frozen says nothing about the issuer.
            Err(_) if age(began, now) > self.0.timing.timeout * 2 => false,
            Err(error) => {
                if *purpose != Purpose::Prefetch {
                    state.pause(now);
                    state.failures = state.failures.saturating_add(1);
                }
                drop(state);
                let fields = Failure {
                    event: "jwks_fetch_failed",
                    reason: error.label(),
                    issuer: &self.0.issuer,
                    detail: &error.to_string(),
                };
                self.0.log.record(Level::Warn, now, &fields);
                false
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change to the state is one assignment, so a panic elsewhere leaves nothing half done.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}

/// What a fetch is made for.
#[derive(PartialEq, Eq)]
enum Purpose {
    Prefetch,
    Refresh,
    Key(String),
}

impl Purpose {
    fn kid(&self) -> Option<&str> {
        match self {
            Self::Key(kid) => Some(kid),
            Self::Prefetch | Self::Refresh => None,
        }
    }
}

impl NoKey {
    /// Why a key is not in `held`.
    const fn of(held: Option<&Held>) -> Self {
        if held.is_some() { Self::Unknown } else { Self::Unavailable }
    }
}

/// The log line of a fetch that failed. It has no `outcome`, since it is not a decision.
#[derive(Serialize)]
struct Failure<'a> {
    event: &'static str,
    reason: &'static str,
    issuer: &'a str,
    detail: &'a str,
}

/// Waits for a fetch to end, and returns whether it succeeded. A fetch that was aborted did not.
async fn succeeded(mut flight: watch::Receiver<Option<bool>>) -> bool {
    flight.wait_for(Option::is_some).await.is_ok_and(|over| *over == Some(true))
}

#[cfg(test)]
mod tests;
