//! Owns the last decisions, and telling of them as server-sent events. An answer carries what is new and ends; the
//! browser asks again by itself, with the id of the last event that it saw. So no answer outlives the server's limits.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde::Serialize;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use super::error;
use crate::gateway::{
    http::{Headers, Request, Response},
    served::{Authorization, Served},
};

const KEPT: usize = 200;
const SUBSCRIBERS: usize = 16;
/// How long an answer waits for something to tell.
const WAIT: Duration = Duration::from_secs(20);

/// One decision. There is no token in it, nor anything else that a client could have chosen freely.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Decision {
    at_ms: u128,
    client: Option<String>,
    client_id: Option<String>,
    route: Option<String>,
    status: u16,
    outcome: &'static str,
    reason: Option<String>,
    /// `None` where the authorizer was not asked.
    cached: Option<bool>,
    latency_ms: f64,
}

impl Decision {
    pub(super) fn new(served: &Served, client: Option<String>, at: SystemTime) -> Self {
        // A policy that does not allow the route: the authorizer's own log calls that insufficient scope.
        let is_denied = served.error_type == Some("AccessDeniedException");
        let reason = served.reason.clone().or_else(|| is_denied.then(|| "insufficient_scope".to_owned()));
        Self {
            at_ms: at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis(),
            client,
            client_id: served.principal_id.clone(),
            route: served.route.clone(),
            status: served.status,
            outcome: match (served.error_type, served.status) {
                (None, status) if !matches!(status, 401 | 403) => "allowed",
                (_, 500..) => "fault",
                _ => "refused",
            },
            reason: reason.or_else(|| served.error_type.map(str::to_owned)),
            cached: match served.authorization {
                Authorization::None => None,
                Authorization::Called { .. } => Some(false),
                Authorization::Cached => Some(true),
            },
            latency_ms: (served.latency.as_secs_f64() * 100_000.0).round() / 100.0,
        }
    }
}

pub(super) struct Decisions {
    kept: Mutex<VecDeque<(u64, Decision)>>,
    /// The id of the last, and whether the system stops.
    last: watch::Sender<(u64, bool)>,
    subscribers: Semaphore,
}

impl Default for Decisions {
    fn default() -> Self {
        let last = watch::Sender::new((0, false));
        Self { kept: Mutex::default(), last, subscribers: Semaphore::new(SUBSCRIBERS) }
    }
}

impl Decisions {
    pub(super) fn push(&self, decision: Decision) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.last.send_modify(|(last, _)| *last += 1);
        kept.push_back((self.last.borrow().0, decision));
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    pub(super) fn close(&self) {
        self.last.send_modify(|(_, closed)| *closed = true);
    }

    /// What came after the event that the request names, at once or when there is some.
    // SPEC: HTML, section 9.2, server-sent events
    pub(super) async fn events(&self, request: &Request) -> Response {
        let Ok(_permit) = self.subscribers.try_acquire() else { return error(503, "too_many_pages") };
        let seen = request.headers.first("Last-Event-ID").and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
        let mut last = self.last.subscribe();
        // An id from before a restart is ahead of ours.
        let seen = if seen > last.borrow().0 { 0 } else { seen };
        // Neither a timeout nor the end of the sender is worth telling.
        _ = timeout(WAIT, last.wait_for(|(last, closed)| *last > seen || *closed)).await;
        let mut body = "retry: 100\n\n".to_owned();
        for (id, decision) in self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if *id > seen
                && let Ok(data) = serde_json::to_string(decision)
            {
                // Writing to a string cannot fail.
                _ = write!(body, "id: {id}\ndata: {data}\n\n");
            }
        }
        let mut headers = Headers::default();
        headers.push("Content-Type", "text/event-stream");
        Response { status: 200, headers, body: body.into_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision() -> Decision {
        let served = Served {
            request_id: "r-1".into(),
            route: Some("GET /inventory".into()),
            status: 403,
            principal_id: Some("7abc".into()),
            authorization: Authorization::Cached,
            error_type: Some("AccessDeniedException"),
            reason: None,
            latency: Duration::from_micros(1234),
        };
        Decision::new(&served, Some("storefront".into()), SystemTime::UNIX_EPOCH)
    }

    fn request(seen: &str) -> Request {
        let mut headers = Headers::default();
        headers.push("Last-Event-ID", seen);
        let peer = ([127, 0, 0, 1], 1).into();
        Request { method: "GET".into(), target: "/_local/events".into(), headers, body: Vec::new(), peer }
    }

    #[tokio::test]
    async fn an_answer_holds_what_is_new_and_no_more_than_is_kept() {
        let decisions = Decisions::default();
        for _ in 0..=KEPT {
            decisions.push(decision());
        }
        let count = async |seen: &str| {
            let body = decisions.events(&request(seen)).await.body;
            String::from_utf8(body).unwrap().matches("data: ").count()
        };
        assert_eq!(count("0").await, KEPT);
        assert_eq!(count("199").await, 2);
        assert_eq!(count("9999").await, KEPT, "from before a restart");
        decisions.close();
        assert_eq!(count("201").await, 0, "nobody waits when the system stops");
        let text = serde_json::to_string(&decision()).unwrap();
        insta::assert_snapshot!(text, @r#"{"at_ms":0,"client":"storefront","client_id":"7abc","route":"GET /inventory","status":403,"outcome":"refused","reason":"insufficient_scope","cached":true,"latency_ms":1.23}"#);
    }
}
