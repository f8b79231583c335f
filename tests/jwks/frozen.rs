//! The real binary in a process that is stopped between invocations, as Lambda does it.

use std::time::Duration;

use serde_json::json;
use test_support::{
    FIRST, Outcome, Process, Stub, built, reply, settings,
    signer::{changed, claims, event, jwks},
    unix_now,
};
use tokio::time::sleep;

use crate::{
    bench::{cell, fetches, limit},
    faults::Fault,
};

/// The age after which the process refreshes its keys.
const MAX_AGE: Duration = Duration::from_secs(3);

/// The process of the authorizer, and the event that it gets.
pub(crate) struct Decider {
    process: Process,
    event: String,
    decisions: usize,
}

impl Decider {
    pub(crate) async fn start(keys: &Stub, limit: Duration) -> Self {
        let mut settings = settings(&keys.url("/jwks.json"));
        settings.push(("JWKS_TIMEOUT_MS", limit.as_millis().to_string()));
        settings.push(("JWKS_MAX_AGE_SECONDS", MAX_AGE.as_secs().to_string()));
        let process = Process::start(&built("authorizer", "authorizer").await, &settings).await;
        let claims = changed(claims(), json!({"exp": unix_now().plus(Duration::from_hours(1))}));
        let event = event(&format!("Bearer {}", FIRST.token(&claims))).to_string();
        Self { process, event, decisions: 0 }
    }

    /// One decision, and its line of the log.
    pub(crate) async fn decide(&mut self) -> String {
        let outcome = self.process.invoke(&self.event).await;
        self.decisions += 1;
        let log = loop {
            let log = self.process.log();
            if log.matches("\"outcome\"").count() == self.decisions {
                break log;
            }
            sleep(Duration::from_millis(1)).await;
        };
        let answer = match &outcome {
            Outcome::Answer(_) => Ok(()),
            Outcome::Failed { error_type, .. } => Err(error_type.as_str()),
        };
        cell(answer, &log)
    }

    /// Thaws the process for one decision, and freezes it three milliseconds after its answer.
    async fn thaw_and_decide(&mut self) -> String {
        self.process.thaw();
        let decision = self.decide().await;
        sleep(Duration::from_millis(3)).await;
        self.process.freeze();
        decision
    }

    /// Failed fetches so far.
    fn failures(&self) -> usize {
        self.process.log().matches("jwks_fetch_failed").count()
    }
}

/// The cell of a fault: the keys become stale while the process is frozen, and the fault begins meanwhile.
pub(crate) async fn run(fault: &Fault) -> String {
    let endpoint = Stub::always(reply(200, "", jwks([FIRST.jwk()]))).await;
    let mut decider = Decider::start(&endpoint, limit(fault)).await;
    // The limit is real time, and a machine under load may miss it.
    while decider.thaw_and_decide().await != "allowed `hit`" {
        sleep(Duration::from_millis(50)).await;
    }
    match &fault.answer {
        Some(answer) => endpoint.set(answer.clone()),
        None => endpoint.stop().await,
    }
    let (before, failed) = (endpoint.count(), decider.failures());
    sleep(MAX_AGE + Duration::from_millis(100)).await;
    let first = decider.thaw_and_decide().await;
    let between = fetches(fault, endpoint.count() - before, decider.failures() - failed);
    // Longer than a fetch may take: one that was left running would have timed out by now.
    sleep(limit(fault).min(Duration::from_millis(300)) * 2).await;
    let second = decider.thaw_and_decide().await;
    let after = fetches(fault, endpoint.count() - before, decider.failures() - failed);
    format!("{first} {between}, {second} {after}")
}
