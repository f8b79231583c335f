//! The one line that each invocation logs: its fields and its level. Whoever runs the functions says where lines go.

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;

/// The level of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The one line of an invocation.
    Info,
    /// Something failed, and the function recovered.
    Warn,
    /// Something needs a person.
    Error,
}

/// How an invocation ended. `template.yaml` counts these names, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The request was answered, if only with what is wrong with it.
    Answered,
    /// The request was refused.
    Refused,
    /// The function failed.
    Fault,
}

/// The fields of a line. None of them ever holds a token, a secret, an event or a body.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// How the invocation ended.
    pub outcome: Outcome,
    /// The label of a refusal or failure.
    pub reason: Option<&'static str>,
    /// `POST /token`, or the step of a rotation.
    pub route: Option<&'static str>,
    /// The client that the request named. Where the request was refused, nobody has proved to be that client.
    pub client_id: Option<String>,
    /// Where the token came from: `hit`, `renewed`, `miss`, `old`, `unavailable` (the table failed) or `bypassed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<&'static str>,
    /// The secret that is rotated: its name or ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the invocation took.
    pub latency_ms: f64,
    /// The request's id, or the invocation's.
    pub request_id: String,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Line {
    /// A line with nothing but the request's id.
    pub(crate) const fn new(request_id: String) -> Self {
        Self {
            outcome: Outcome::Answered,
            reason: None,
            route: None,
            client_id: None,
            cache: None,
            secret: None,
            status: None,
            latency_ms: 0.0,
            request_id,
            detail: None,
        }
    }

    /// Sets the latency, rounded to microseconds.
    pub(crate) fn took(&mut self, latency: Duration) {
        self.latency_ms = (latency.as_secs_f64() * 1e6).round() / 1e3;
    }

    /// The level that belongs to the outcome.
    pub(crate) const fn level(&self) -> Level {
        match self.outcome {
            Outcome::Fault => Level::Error,
            Outcome::Answered | Outcome::Refused if self.detail.is_some() => Level::Warn,
            Outcome::Answered | Outcome::Refused => Level::Info,
        }
    }
}

/// Where lines go.
#[derive(Clone)]
pub struct Log(Arc<Write>);

type Write = dyn Fn(Level, &Line) + Send + Sync;

impl Log {
    /// A log that hands each line to `write`.
    pub fn new(write: impl Fn(Level, &Line) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    pub(crate) fn record(&self, line: &Line) {
        (self.0)(line.level(), line);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}
