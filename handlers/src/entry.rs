//! The shell of every function: reads the event, rebuilds the caller, checks expiry, route and scopes again, calls the
//! service, writes the answer and one log line.
//!
//! API Gateway's cached Allow can outlive a token, and a mistake in `template.yaml` can send a route to the wrong
//! function, so nothing that the gateway should have checked is taken for granted. The caller is checked before
//! anything that was sent is read. Calls and writes end with the invocation, and with the time that its caller gives.

mod answer;
mod event;
mod invocation;
mod request;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use access::{
    Caller, UnixSeconds,
    log::{Level, Log, Outcome},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

pub use answer::Answer;
use event::{ProxyRequest, Schedule};
use invocation::AMAZON_TRACE;
pub use invocation::Invocation;
pub use lambda_runtime::Diagnostic;
pub use request::Request;

use crate::{error::ApiError, id::Ids, routes::ROUTES, sweep::Swept, upstream::Trace};

/// How long a request is worked on: API Gateway waits for 29 seconds.
const REQUEST_LIMIT: Duration = Duration::from_secs(28);

/// How long a scheduled run may take if Lambda sets no deadline: Lambda's own maximum.
const SCHEDULE_LIMIT: Duration = Duration::from_mins(15);

/// Time reserved for the answer and the log line.
const RESERVE: Duration = Duration::from_millis(250);

/// One of the four services.
pub trait Service: Send + Sync {
    /// The routes that it serves, as `routes.json` writes them; any other is 404.
    const ROUTES: &'static [&'static str];

    /// Answers a checked request.
    fn call(&self, request: Request<'_>) -> impl Future<Output = Result<Answer, ApiError>> + Send;

    /// Runs the schedule, whose event has this `time`.
    fn scheduled(
        &self,
        time: Timestamp,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Swept, ApiError>> + Send {
        let _ = (time, invocation);
        async { Err(ApiError::fault("no_schedule", "the function has no schedule")) }
    }
}

/// The shell around one service.
#[derive(Debug)]
pub struct Entry<S> {
    service: S,
    clock: fn() -> SystemTime,
    log: Log,
    ids: Arc<Ids>,
}

/// What Lambda passes along with an event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The invocation's id; a request's own is preferred.
    pub request_id: &'a str,
    /// How long it may take.
    pub time_left: Option<Duration>,
    /// The trace that it belongs to, in AWS's form.
    pub trace: Option<&'a str>,
}

impl<S: Service> Entry<S> {
    /// A shell around `service` that reads the time from `clock`.
    pub fn new(service: S, clock: fn() -> SystemTime, log: Log) -> Self {
        Self { service, clock, log, ids: Arc::default() }
    }

    /// Handles one event and returns the JSON that the function answers.
    ///
    /// # Errors
    /// If there is nobody to answer: the event is neither a request nor a schedule, or a scheduled run failed.
    pub async fn handle(&self, event: &[u8], context: Context<'_>) -> Result<Box<RawValue>, Diagnostic> {
        let began = (self.clock)();
        // The text of a JSON error can quote the event, so none of it goes further.
        if let Ok(request) = serde_json::from_slice::<ProxyRequest>(event) {
            return self.request(&request, began, context).await;
        }
        let schedule = serde_json::from_slice::<Schedule>(event).ok();
        if let Some(time) = schedule.and_then(|schedule| schedule.time()) {
            return self.scheduled(time, began, context).await;
        }
        let error = ApiError::fault("bad_event", "neither a proxy request nor a schedule");
        self.record(Line { request_id: context.request_id, ..Line::default() }, began, Err(&error));
        Err(failure(error.label, "the event is none of this function"))
    }

    async fn request(
        &self,
        event: &ProxyRequest,
        began: SystemTime,
        context: Context<'_>,
    ) -> Result<Box<RawValue>, Diagnostic> {
        let request_id = event.request_context.request_id().unwrap_or(context.request_id);
        let own = limit(context.time_left, REQUEST_LIMIT);
        let limit = limit(event.time_left(), own);
        let (invocation, mut line) = self.begin(request_id, began, limit, event.trace(), context);
        let answer = timeout(limit, self.answer(event, &invocation, &mut line)).await;
        let outcome = answer.unwrap_or_else(|_| {
            // That a caller gives little time is no fault of the function.
            let time_over = ApiError::refused(408, "time_over", "the time that the caller gave is over");
            Err(if limit < own { time_over } else { deadline() })
        });
        line.subjects = invocation.subjects.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.record(line, began, outcome.as_ref().map(|answer| Some(answer.status)));
        let answer = outcome.or_else(|error| Answer::failed(&error, request_id)).ok();
        let answer = answer.and_then(|answer| answer.encode().ok());
        answer.ok_or_else(|| failure("answer", "the answer could not be written"))
    }

    async fn scheduled(
        &self,
        time: Timestamp,
        began: SystemTime,
        context: Context<'_>,
    ) -> Result<Box<RawValue>, Diagnostic> {
        let limit = limit(context.time_left, SCHEDULE_LIMIT);
        let (invocation, mut line) = self.begin(context.request_id, began, limit, Trace::new(), context);
        line.route = Some("schedule".to_owned());
        let run = timeout(limit, Box::pin(self.service.scheduled(time, &invocation))).await;
        let outcome = run.unwrap_or_else(|_| Err(deadline()));
        line.swept = outcome.as_ref().ok().cloned();
        self.record(line, began, outcome.as_ref().map(|_| None));
        outcome
            .map(|_| RawValue::NULL.to_owned())
            .map_err(|error| failure(error.label, "the scheduled run failed"))
    }

    /// The context of the work and its log line. An invocation without a trace begins one.
    fn begin<'a>(
        &self,
        request_id: &'a str,
        began: SystemTime,
        limit: Duration,
        mut trace: Trace,
        context: Context<'_>,
    ) -> (Invocation, Line<'a>) {
        // With a clock out of range every token has expired.
        let now = Timestamp::try_from(began).unwrap_or(Timestamp::MAX);
        if trace.is_empty() {
            let new = || {
                let random = self.ids.draw(now)?.to_string().replace('-', "");
                Some(format!("Root=1-{:08x}-{}", now.as_second(), random.get(8..)?))
            };
            let value = context.trace.map(str::to_owned).or_else(new);
            trace.extend(value.map(|value| (AMAZON_TRACE.to_owned(), value)));
        }
        let (clock, ids, deadline) = (self.clock, Arc::clone(&self.ids), began + limit);
        let invocation = Invocation { began: now, clock, deadline, trace, ids, subjects: Mutex::default() };
        let trace_id = invocation.trace_id().map(str::to_owned);
        (invocation, Line { request_id, trace_id, ..Line::default() })
    }

    async fn answer(
        &self,
        event: &ProxyRequest,
        invocation: &Invocation,
        line: &mut Line<'_>,
    ) -> Result<Answer, ApiError> {
        let context = event.request_context.authorizer();
        let caller = context.and_then(|context| Caller::from_context(|name| context.get(name)).ok());
        let caller = caller.ok_or_else(|| {
            ApiError::refused(401, "unauthorized", "the request carries no caller that was authorized")
        })?;
        line.client_id = Some(caller.client_id.to_string());
        if caller.is_expired(UnixSeconds::from(SystemTime::from(invocation.now()))) {
            return Err(ApiError::refused(401, "token_expired", "the access token has expired"));
        }
        let route = ROUTES
            .by_resource(&event.http_method, &event.resource)
            .filter(|route| S::ROUTES.contains(&route.name()))
            .ok_or_else(|| ApiError::refused(404, "unknown_route", "no such route"))?;
        line.route = Some(route.to_string());
        if !route.is_covered_by(&caller.scopes) {
            let message = "the access token lacks a scope of this route";
            return Err(ApiError::refused(403, "insufficient_scope", message));
        }
        // On the heap: the futures of the SDK make a service's own too large to be moved about, and too deep to compile.
        Box::pin(self.service.call(Request { event, route, caller: &caller, invocation })).await
    }

    fn record(&self, line: Line<'_>, began: SystemTime, outcome: Result<Option<u16>, &ApiError>) {
        let ended = (self.clock)();
        let (level, line) = line.of(outcome, ended.duration_since(began).unwrap_or_default());
        self.log.record(level, ended, &line);
    }
}

/// The error of an invocation without an answer. Holds nothing of the event.
fn failure(error_type: &str, error_message: &str) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
}

/// The time for the work when `left` remains, less what the answer needs.
fn limit(left: Option<Duration>, longest: Duration) -> Duration {
    left.map_or(longest, |left| left.saturating_sub(RESERVE).min(longest))
}

/// The work did not end in time. The call or write that it waited for is dropped.
fn deadline() -> ApiError {
    ApiError::unavailable("deadline", "the time of the invocation was over")
}

/// The log line of an invocation.
#[derive(Default, Serialize)]
struct Line<'a> {
    outcome: Option<Outcome>,
    reason: Option<&'static str>,
    route: Option<String>,
    client_id: Option<String>,
    status: Option<u16>,
    latency_ms: f64,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// `order_id`, `payment_id`, `reference`.
    #[serde(flatten)]
    subjects: BTreeMap<&'static str, String>,
    #[serde(flatten)]
    swept: Option<Swept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Line<'_> {
    /// Completes the line with the outcome, and returns its level.
    fn of(mut self, outcome: Result<Option<u16>, &ApiError>, latency: Duration) -> (Level, Self) {
        self.outcome = Some(Outcome::Answered);
        self.latency_ms = (latency.as_secs_f64() * 1e6).round() / 1e3;
        let error = match outcome {
            Ok(status) => {
                self.status = status;
                self.detail = self.swept.as_mut().and_then(|swept| swept.failure.take());
                return (if self.detail.is_some() { Level::Warn } else { Level::Info }, self);
            }
            Err(error) => error,
        };
        self.reason = Some(error.label);
        self.status = Some(error.status);
        self.detail.clone_from(&error.detail);
        self.outcome = Some(match error.status {
            401 | 403 => Outcome::Refused,
            500.. => Outcome::Fault,
            _ => Outcome::Answered,
        });
        (if error.is_fault() { Level::Error } else { Level::Info }, self)
    }
}

#[cfg(test)]
mod tests;
