//! The current state of a key cache, for display.

use std::time::Duration;

use super::{KeyCache, state::age};

/// The keys of one issuer as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// How many keys are held.
    pub keys: usize,
    /// How long ago their fetch began; `None` without keys.
    pub age: Option<Duration>,
    /// How long no fetch is made, after one that failed or did not find its key.
    pub pause: Option<Duration>,
}

impl KeyCache {
    pub(crate) fn status(&self) -> KeyStatus {
        let (state, now) = (self.state(), (self.0.clock)());
        let held = state.held.as_ref();
        KeyStatus {
            keys: held.map_or(0, |held| held.keys.len()),
            age: held.map(|held| age(held.since, now)),
            pause: state.pause_left(now, &self.0.timing),
        }
    }
}
