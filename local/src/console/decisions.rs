//! The last decisions, sent as server-sent events. An answer carries what is new and ends; the browser asks again by
//! itself, with the id of the last event that it saw. So no answer outlives the server's limits.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use gateway::{
    http::{Headers, Request, Response},
    rest::served::{Authorization, Served},
};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use uuid::Uuid;

use super::{decision::Decision, error};
use crate::clients::Clients;

const KEPT: usize = 200;
/// Pages that may wait at once.
const SUBSCRIBERS: usize = 16;
/// How long a browser waits before it asks again.
const RETRY_MS: u32 = 100;
/// How long an answer waits for a decision.
const WAIT: Duration = Duration::from_secs(20);

/// The decisions of one run.
pub(crate) struct Decisions {
    /// Tells this run's events from those of another on the same port.
    run: String,
    /// The clients' names by their ids.
    names: BTreeMap<String, String>,
    kept: Mutex<VecDeque<(u64, Decision)>>,
    /// How often the authorizer was called, and how often its cached answer was used.
    calls: AtomicU64,
    hits: AtomicU64,
    /// The number of the last, and whether the system stops.
    last: watch::Sender<(u64, bool)>,
    subscribers: Semaphore,
}

impl Decisions {
    pub(crate) fn new(run: Uuid, clients: &Clients) -> Self {
        let name =
            |(name, client): (&String, &crate::clients::Client)| (client.client_id.clone(), name.clone());
        Self {
            run: run.simple().to_string(),
            names: clients.0.iter().map(name).collect(),
            kept: Mutex::default(),
            calls: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            last: watch::Sender::new((0, false)),
            subscribers: Semaphore::new(SUBSCRIBERS),
        }
    }

    /// What tells this run from another.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Keeps what was decided about a request.
    pub(crate) fn record(&self, served: &Served, at: SystemTime) {
        match served.authorization {
            Authorization::None => {}
            Authorization::Called { .. } => _ = self.calls.fetch_add(1, Ordering::Relaxed),
            Authorization::Cached => _ = self.hits.fetch_add(1, Ordering::Relaxed),
        }
        let client = served.principal_id.as_ref().and_then(|id| self.names.get(id)).cloned();
        let decision = Decision::new(served, client, at);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that numbers are in order.
        self.last.send_modify(|(last, _)| *last += 1);
        kept.push_back((self.last.borrow().0, decision));
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    /// How often the authorizer was called, and how often its cached answer was used.
    pub(super) fn authorizations(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.hits.load(Ordering::Relaxed))
    }

    pub(super) fn close(&self) {
        self.last.send_modify(|(_, closed)| *closed = true);
    }

    /// What came after the event that the request names, at once or when there is some.
    // SPEC: HTML, section 9.2, server-sent events
    pub(super) async fn events(&self, request: &Request) -> Response {
        let Ok(_permit) = self.subscribers.try_acquire() else { return error(503, "too_many_pages") };
        let seen = self.seen(request.headers.first("Last-Event-ID").unwrap_or_default());
        let mut last = self.last.subscribe();
        // Neither a timeout nor the end of the sender is worth telling.
        _ = timeout(WAIT, last.wait_for(|(last, closed)| *last > seen || *closed)).await;
        let mut body = format!("retry: {RETRY_MS}\n\n");
        for (number, decision) in self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if *number > seen
                && let Ok(data) = serde_json::to_string(decision)
            {
                // Writing to a string cannot fail.
                _ = write!(body, "id: {}.{number}\ndata: {data}\n\n", self.run);
            }
        }
        let mut headers = Headers::default();
        headers.push("Content-Type", "text/event-stream");
        Response { status: 200, headers, body: body.into_bytes() }
    }

    /// The number in an event's id; 0, before the first, for an id of another run, or none.
    fn seen(&self, id: &str) -> u64 {
        let number = id.strip_prefix(&self.run).and_then(|rest| rest.strip_prefix('.'));
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
