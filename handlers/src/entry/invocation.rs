//! The context of an invocation, for everything that it causes: its time and deadline, its trace, and the ids for its log
//! line.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::{
    error::ApiError,
    id::{Id, Ids},
    upstream::Trace,
};

/// The header in which AWS passes traces on.
pub(super) const AMAZON_TRACE: &str = "X-Amzn-Trace-Id";

/// The context of one invocation.
#[derive(Debug)]
pub struct Invocation {
    pub(super) began: Timestamp,
    pub(super) clock: fn() -> SystemTime,
    pub(super) deadline: SystemTime,
    /// The headers that calls made for it pass on.
    pub(crate) trace: Trace,
    pub(super) ids: Arc<Ids>,
    /// The ids for its log line.
    pub(super) subjects: Mutex<BTreeMap<&'static str, String>>,
}

impl Invocation {
    /// When it began.
    pub const fn now(&self) -> Timestamp {
        self.began
    }

    /// The time left for it.
    pub fn time_left(&self) -> Duration {
        self.deadline.duration_since((self.clock)()).unwrap_or_default()
    }

    /// The trace that it belongs to: the root of AWS's header, or the id of W3C's.
    pub fn trace_id(&self) -> Option<&str> {
        let header = |wanted: &str| {
            let found = self.trace.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.as_str())
        };
        let root = header(AMAZON_TRACE)
            .and_then(|value| value.split(';').find_map(|part| part.strip_prefix("Root=")));
        root.or_else(|| header("traceparent")?.split('-').nth(1))
    }

    /// Draws an id of this moment, greater than any before it.
    pub fn draw(&self) -> Result<Id, ApiError> {
        self.ids.draw(self.began).ok_or_else(|| ApiError::fault("clock", "the clock is out of range"))
    }

    /// Adds an id to the log line.
    pub fn about(&self, name: &'static str, id: impl fmt::Display) {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner).insert(name, id.to_string());
    }
}
