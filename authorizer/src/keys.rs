//! Owns `KeyCache`, the keys of one issuer: one fetch at a time that every waiter shares, a pause after a fetch
//! that did not help, keys kept when a fetch fails, refreshed once they are old, dropped once they are stale.
//! HTTP is left to `keys/fetch.rs`, what a key must be to `keys/jwk.rs`.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use access::log::{Level, Log};
use serde::Serialize;
use tokio::{sync::watch, time::timeout};

pub(crate) mod fetch;
pub(crate) mod jwk;
mod state;

use fetch::{Fetch, FetchError};
use jwk::{KeySet, PublicKey};
pub(crate) use state::Timing;
use state::{Flight, Held, State, age};

/// How a long-lived part reads the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How a decision came by its key: the field `jwks` of the log line. A name once released never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyOrigin {
    /// From memory, younger than the refresh age.
    Hit,
    /// After a fetch that this decision waited for and that succeeded, whether or not the key was in it.
    Fetched,
    /// From memory, older than the refresh age: a refresh runs in the background, or has failed of late.
    Stale,
    /// From the packaged snapshot: no fetch has succeeded yet.
    Snapshot,
    /// Not at hand, and no fetch was made because the last one failed or brought nothing new.
    Cooldown,
    /// Not at hand, and the fetch that this decision waited for failed.
    Failed,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// The issuer's keys are at hand, and none has this name.
    Unknown,
    /// No keys are at hand that may decide.
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
        snapshot: Option<KeySet>,
        fetch: Arc<dyn Fetch>,
        timing: Timing,
        clock: Clock,
        log: Log,
    ) -> Self {
        let since = clock();
        let held = snapshot.map(|keys| Held { keys, is_snapshot: true, since });
        let state = Mutex::new(State { held, paused_at: None, flight: None });
        Self(Arc::new(Shared { issuer, fetch, timing, clock, log, state }))
    }

    /// Fetches the keys unless some are at hand. A failure is logged and starts no pause: the first decision
    /// tries again.
    pub(crate) async fn prefetch(&self) {
        let flight = {
            let mut state = self.state();
            if state.held.is_some() {
                return;
            }
            self.join(&mut state, Purpose::Prefetch)
        };
        succeeded(flight).await;
    }

    /// The key of this name, and how it was found. Waits for a fetch only if the keys at hand cannot decide.
    pub(crate) async fn key(&self, kid: &str) -> (Result<Arc<PublicKey>, NoKey>, KeyOrigin) {
        let flight = {
            let mut state = self.state();
            let now = (self.0.clock)();
            if let Some(held) = state.usable(now, &self.0.timing)
                && let Some(key) = held.keys.key(kid)
            {
                let origin = self.origin(held, now);
                if origin != KeyOrigin::Hit && !state.is_paused(now, &self.0.timing) {
                    self.join(&mut state, Purpose::Refresh);
                }
                return (Ok(key), origin);
            }
            if state.is_paused(now, &self.0.timing) {
                return (Err(state.no_key(now, &self.0.timing)), KeyOrigin::Cooldown);
            }
            self.join(&mut state, Purpose::Key(kid.to_owned()))
        };
        let origin = if succeeded(flight).await { KeyOrigin::Fetched } else { KeyOrigin::Failed };
        let mut state = self.state();
        let now = (self.0.clock)();
        let key = state.usable(now, &self.0.timing).and_then(|held| held.keys.key(kid));
        if key.is_none() && !state.is_paused(now, &self.0.timing) {
            state.paused_at = Some(now);
        }
        (key.ok_or_else(|| state.no_key(now, &self.0.timing)), origin)
    }

    fn origin(&self, held: &Held, now: SystemTime) -> KeyOrigin {
        if held.is_snapshot {
            KeyOrigin::Snapshot
        } else if age(held.since, now) > self.0.timing.max_age {
            KeyOrigin::Stale
        } else {
            KeyOrigin::Hit
        }
    }

    /// The fetch under way, or a new one.
    fn join(&self, state: &mut State, purpose: Purpose) -> watch::Receiver<Option<bool>> {
        let now = (self.0.clock)();
        if let Some(flight) = &state.flight {
            if flight.is_under_way(now, self.0.timing.timeout) {
                return flight.succeeded.clone();
            }
            // A fetch that a frozen sandbox left behind gives way.
            flight.task.abort();
        }
        let (sender, succeeded) = watch::channel(None);
        let cache = self.clone();
        let task = tokio::spawn(async move {
            let is_success = cache.refresh(&purpose).await;
            // Nobody may be waiting any more.
            let _ = sender.send(Some(is_success));
        });
        state.flight = Some(Flight { began: now, succeeded: succeeded.clone(), task: task.abort_handle() });
        succeeded
    }

    /// Fetches, and on success swaps the keys. The new set is read in full before.
    async fn refresh(&self, purpose: &Purpose) -> bool {
        let began = (self.0.clock)();
        let fetched = timeout(self.0.timing.timeout, self.fetch()).await.unwrap_or(Err(FetchError::TimedOut));
        let now = (self.0.clock)();
        let mut state = self.state();
        match fetched {
            Ok(keys) => {
                let is_found = purpose.kid().is_none_or(|kid| keys.key(kid).is_some());
                state.paused_at = if is_found { None } else { Some(now) };
                state.held = Some(Held { keys, is_snapshot: false, since: began });
                true
            }
            Err(error) => {
                // One that slept in a frozen sandbox says nothing of the issuer.
                let is_left_behind = age(began, now) > self.0.timing.timeout * 2;
                if *purpose != Purpose::Prefetch && !is_left_behind {
                    state.paused_at = Some(now);
                }
                drop(state);
                let detail = error.to_string();
                let reason = error.label();
                let fields =
                    Failure { event: "jwks_fetch_failed", reason, issuer: &self.0.issuer, detail: &detail };
                self.0.log.record(Level::Warn, now, &fields);
                false
            }
        }
    }

    /// One request, and at once another if the connection failed: one kept from before may have died while the
    /// sandbox was frozen.
    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let body = match self.0.fetch.fetch().await {
            Err(FetchError::Transport(_)) => self.0.fetch.fetch().await?,
            fetched => fetched?,
        };
        Ok(KeySet::parse(&body)?)
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

/// The log line of a fetch that failed. It has no `outcome`: it is no decision.
#[derive(Serialize)]
struct Failure<'a> {
    event: &'static str,
    reason: &'static str,
    issuer: &'a str,
    detail: &'a str,
}

/// Waits for a fetch to end. One that was given up did not succeed.
async fn succeeded(mut flight: watch::Receiver<Option<bool>>) -> bool {
    flight.wait_for(Option::is_some).await.is_ok_and(|over| *over == Some(true))
}

#[cfg(test)]
mod tests;
