//! Owns the shell of every function: event in, caller rebuilt, route, expiry and scopes looked at again, the service
//! called, answer out, one log line. The rules of the business are left to the services.
//!
//! API Gateway's cached Allow can outlive a token, and a mistake in `template.yaml` can send a route to the wrong
//! function, so nothing that the gateway should have checked is taken for granted. Who calls comes first; what was
//! sent is looked at only then.

mod answer;
mod event;
mod request;

use std::{
    future::Future,
    time::{Duration, SystemTime},
};

use access::{
    Caller, UnixSeconds,
    log::{Level, Log, Outcome},
};
use jiff::Timestamp;
use serde::Serialize;

pub use answer::Answer;
use event::{Event, ProxyRequest, Schedule};
pub use request::Request;

use crate::{error::ApiError, routes::ROUTES};

/// One of the four services, as the shell sees it.
pub trait Service: Send + Sync {
    /// The routes that it serves, as `routes.json` names them; no other is answered.
    const ROUTES: &'static [&'static str];

    /// Does what a checked request asks for.
    fn call(&self, request: Request<'_>) -> impl Future<Output = Result<Answer, ApiError>> + Send;

    /// Does what is to be done when its schedule says that it is `time`. Most services have none.
    fn scheduled(
        &self,
        time: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), ApiError>> + Send {
        let _ = (time, now);
        async { Err(ApiError::fault("no_schedule", "the function has no schedule")) }
    }
}

/// The shell around one service.
#[derive(Debug)]
pub struct Entry<S> {
    service: S,
    clock: fn() -> SystemTime,
    log: Log,
}

/// Why an invocation gave no answer at all. Says nothing of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error_message}")]
pub struct Failure {
    /// The label of the failure.
    pub error_type: &'static str,
    /// A fixed text.
    pub error_message: &'static str,
}

impl From<Failure> for lambda_runtime::Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.error_type.to_owned(), error_message: failure.error_message.to_owned() }
    }
}

impl<S: Service> Entry<S> {
    /// A shell around `service` that reads the time from `clock`.
    pub const fn new(service: S, clock: fn() -> SystemTime, log: Log) -> Self {
        Self { service, clock, log }
    }

    /// Handles one event and returns the JSON that the function answers. `request_id` is the invocation's; a request
    /// has its own, which is preferred.
    ///
    /// # Errors
    /// Only where there is nobody to answer: the event is neither a request nor a schedule, or a scheduled run failed.
    pub async fn handle(&self, event: &[u8], request_id: &str) -> Result<Vec<u8>, Failure> {
        let began = (self.clock)();
        match serde_json::from_slice(event) {
            Ok(Event::Request(event)) => {
                let request_id = event.request_context.request_id().unwrap_or(request_id);
                let mut line = Line::new(request_id);
                let outcome = self.answer(&event, began, &mut line).await;
                self.record(line, began, outcome.as_ref().map(|answer| Some(answer.status)));
                answer::encode(&outcome, request_id).map_err(|_| Failure {
                    error_type: "answer",
                    error_message: "the answer could not be written",
                })
            }
            Ok(Event::Schedule(event)) => {
                let outcome = self.run(&event, began).await;
                let line = Line { route: Some("schedule".to_owned()), ..Line::new(request_id) };
                self.record(line, began, outcome.as_ref().map(|()| None));
                outcome.map(|()| b"null".to_vec()).map_err(|error| Failure {
                    error_type: error.label(),
                    error_message: "the scheduled run failed",
                })
            }
            // The text of a JSON error can quote the event, so none of it goes further.
            Err(_) => {
                let outcome = ApiError::fault("bad_event", "neither a proxy request nor a schedule");
                self.record(Line::new(request_id), began, Err(&outcome));
                Err(Failure { error_type: "bad_event", error_message: "the event is none of this function" })
            }
        }
    }

    async fn answer(
        &self,
        event: &ProxyRequest,
        began: SystemTime,
        line: &mut Line<'_>,
    ) -> Result<Answer, ApiError> {
        let context = event.request_context.authorizer();
        let caller = context.and_then(|context| Caller::from_context(|name| context.get(name)).ok());
        let caller = caller.ok_or_else(|| {
            ApiError::refused(401, "unauthorized", "the request carries no caller that was authorized")
        })?;
        line.client_id = Some(caller.client_id.to_string());
        if caller.is_expired(UnixSeconds::from(began)) {
            return Err(ApiError::refused(401, "token_expired", "the access token has expired"));
        }
        let route = ROUTES
            .by_resource(&event.http_method, &event.resource)
            .filter(|route| S::ROUTES.contains(&route.name()))
            .ok_or_else(|| ApiError::refused(404, "unknown_route", "there is no such route here"))?;
        line.route = Some(route.to_string());
        if !route.is_covered_by(&caller.scopes) {
            return Err(ApiError::refused(
                403,
                "insufficient_scope",
                "the access token lacks a scope of this route",
            ));
        }
        let now = timestamp(began)?;
        // On the heap: the futures of the SDK make a service's own too large to be moved about, and too deep to compile.
        Box::pin(self.service.call(Request { event, route, caller: &caller, now })).await
    }

    async fn run(&self, event: &Schedule, began: SystemTime) -> Result<(), ApiError> {
        if event.source != "aws.events" || event.detail_type != "Scheduled Event" {
            return Err(ApiError::fault("bad_event", "an event that is no schedule"));
        }
        let time =
            event.time.parse().map_err(|_| ApiError::fault("bad_event", "a schedule without a time"))?;
        Box::pin(self.service.scheduled(time, timestamp(began)?)).await
    }

    fn record(&self, line: Line<'_>, began: SystemTime, outcome: Result<Option<u16>, &ApiError>) {
        let ended = (self.clock)();
        let (level, line) = line.of(outcome, ended.duration_since(began).unwrap_or_default());
        self.log.record(level, ended, &line);
    }
}

fn timestamp(time: SystemTime) -> Result<Timestamp, ApiError> {
    Timestamp::try_from(time).map_err(|_| ApiError::fault("clock", "the clock is out of range"))
}

/// The one log line of an invocation.
#[derive(Serialize)]
struct Line<'a> {
    outcome: Outcome,
    reason: Option<&'static str>,
    route: Option<String>,
    client_id: Option<String>,
    status: Option<u16>,
    latency_ms: f64,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl<'a> Line<'a> {
    const fn new(request_id: &'a str) -> Self {
        Self {
            outcome: Outcome::Answered,
            reason: None,
            route: None,
            client_id: None,
            status: None,
            latency_ms: 0.0,
            request_id,
            detail: None,
        }
    }

    /// The line with its end, and how loud it is.
    fn of(mut self, outcome: Result<Option<u16>, &ApiError>, latency: Duration) -> (Level, Self) {
        self.latency_ms = (latency.as_secs_f64() * 1e6).round() / 1e3;
        let error = match outcome {
            Ok(status) => {
                self.status = status;
                return (Level::Info, self);
            }
            Err(error) => error,
        };
        self.reason = Some(error.label());
        self.status = Some(error.status());
        self.detail = error.detail().map(str::to_owned);
        self.outcome = match error.status() {
            401 | 403 => Outcome::Refused,
            500.. => Outcome::Fault,
            _ => Outcome::Answered,
        };
        (if error.is_fault() { Level::Error } else { Level::Info }, self)
    }
}

#[cfg(test)]
mod tests;
