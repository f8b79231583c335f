//! `Authorizer`: event in, answer or error out, and the one log line.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use access::{
    MethodArn, Route, UnixSeconds,
    log::{Level, Log, Outcome},
};
use reqwest::Url;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use crate::{
    config::Config,
    event::Event,
    keys::{
        Clock, KeyCache, KeyOrigin,
        fetch::{ClientError, Fetch, HttpFetch, client},
        signature,
        status::KeyStatus,
    },
    policy::{Ambiguity, Policies},
    refusal::{Fault, Rejection},
    token::Bearer,
    verify::{Issuer, Verifier},
};

mod explain;

pub use explain::{Decided, Explanation, Step, Verdict};

/// The reason in the log if the token is valid but does not cover the route called: API Gateway answers 403.
const INSUFFICIENT_SCOPE: &str = "insufficient_scope";
/// The reason in the log, and the `event` of the line at start, if the policy of a token closes a call that its scopes
/// cover: API Gateway answers 403 too.
const ROUTES_OVERLAP: &str = "routes_overlap";

/// The authorizer. Clones share their keys; invocations may run in parallel.
#[derive(Clone)]
pub struct Authorizer(Arc<Parts>);

struct Parts {
    verifier: Verifier,
    policies: Policies,
    clock: Clock,
    log: Log,
}

/// Why the authorizer cannot start with these settings.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP client for keys cannot be built.
    #[error("the key client: {0}")]
    Client(#[from] ClientError),
}

/// What the function returns instead of a policy. API Gateway answers 401 if the message is `Unauthorized`, and 500
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The label of the refusal or the fault.
    pub error_type: &'static str,
    /// `Unauthorized`, or `no decision`.
    pub error_message: &'static str,
}

impl Authorizer {
    /// An authorizer with these settings.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub fn new(
        config: Config,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        log: Log,
    ) -> Result<Self, StartError> {
        let client = client(config.timing.timeout)?;
        Ok(Self::build(config, clock, log, |url| Arc::new(HttpFetch { client: client.clone(), url })))
    }

    fn build(
        config: Config,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        log: Log,
        fetch: impl Fn(Url) -> Arc<dyn Fetch>,
    ) -> Self {
        signature::install();
        let Config { issuers, rules, timing, snapshot, routes, coverage } = config;
        let clock: Clock = Arc::new(clock);
        let issuer = |config: crate::config::IssuerConfig| {
            let name = config.names.first().cloned().unwrap_or_default();
            let fetch = fetch(config.jwks);
            let keys = KeyCache::new(name, snapshot.clone(), fetch, timing, Arc::clone(&clock), log.clone());
            Issuer { names: config.names, keys }
        };
        let issuers = issuers.into_iter().map(issuer).collect();
        if let Some(snapshot) = &snapshot {
            let now = clock();
            let age = UnixSeconds::from(now).since(snapshot.fetched_at);
            let line = SnapshotLoaded {
                event: "jwks_snapshot_loaded",
                keys: snapshot.keys.len(),
                age_seconds: age.as_secs(),
            };
            log.record(Level::Info, now, &line);
        }
        let policies = Policies::new(routes, coverage);
        for ambiguity in policies.ambiguities() {
            log.record(Level::Warn, clock(), &Overlap { event: ROUTES_OVERLAP, ambiguity });
        }
        let verifier = Verifier { issuers, rules, clock: Arc::clone(&clock) };
        Self(Arc::new(Parts { verifier, policies, clock, log }))
    }

    /// The routes that decisions are about.
    pub fn routes(&self) -> &[Route] {
        self.0.policies.routes()
    }

    /// Whether a policy covers only the requested call (`POLICY=call`).
    pub fn is_policy_per_call(&self) -> bool {
        self.0.policies.is_per_call()
    }

    /// Fetches the keys of every issuer that has no fresh ones, all at once, within the time limit of one fetch. A
    /// failure is logged, and the first invocation tries again.
    pub async fn prefetch(&self) {
        let mut tasks = JoinSet::new();
        for issuer in &self.0.verifier.issuers {
            let keys = issuer.keys.clone();
            tasks.spawn(async move { keys.prefetch().await });
        }
        while tasks.join_next().await.is_some() {}
    }

    /// The current state of every issuer's keys.
    pub fn key_status(&self) -> Vec<KeyStatus> {
        self.0.verifier.issuers.iter().map(|issuer| issuer.keys.status()).collect()
    }

    /// Decides on one event, JSON as API Gateway sends it, and writes the log line. Can be dropped at any time.
    ///
    /// # Errors
    /// The token is refused, or no decision was possible.
    pub async fn handle(&self, event: &[u8], request_id: &str) -> Result<Box<RawValue>, Failure> {
        self.answer(Event::parse(event), request_id).await
    }

    /// Decides about one event, and writes the log line.
    pub(crate) async fn answer(&self, event: Event, request_id: &str) -> Result<Box<RawValue>, Failure> {
        let began = (self.0.clock)();
        let mut line = Line::new(request_id);
        let decided = self.decide(event, &mut line).await;
        let now = (self.0.clock)();
        line.latency_ms = milliseconds(now.duration_since(began).unwrap_or_default());
        let (level, result) = match decided {
            Ok(answer) => (Level::Info, Ok(answer)),
            Err(Rejection::Refused(refusal)) => {
                line.outcome = Outcome::Refused;
                line.reason = Some(refusal.label());
                (Level::Info, Err(Failure { error_type: refusal.label(), error_message: "Unauthorized" }))
            }
            Err(Rejection::Fault(fault)) => {
                line.outcome = Outcome::Fault;
                line.reason = Some(fault.label());
                line.detail = Some(fault.to_string());
                (Level::Error, Err(Failure { error_type: fault.label(), error_message: "no decision" }))
            }
        };
        self.0.log.record(level, now, &line);
        result
    }

    async fn decide<'s>(&'s self, event: Event, line: &mut Line<'s>) -> Result<Box<RawValue>, Rejection> {
        let request = event.token_request()?;
        let method_arn = request.method_arn.unwrap_or_default();
        let arn = MethodArn::parse(&method_arn).map_err(Fault::MethodArn)?;
        let target = self.0.policies.called(&arn);
        line.route = target.map(Route::name);
        let value = request.authorization_token.unwrap_or_default();
        self.judge(&value, &arn, target, line).await
    }

    /// Decides about a header value.
    async fn judge(
        &self,
        value: &str,
        arn: &MethodArn<'_>,
        target: Option<&Route>,
        line: &mut Line<'_>,
    ) -> Result<Box<RawValue>, Rejection> {
        let token = Bearer::parse(value)?.decode()?;
        let verified = self.0.verifier.verify(&token, &mut line.jwks).await?;
        let caller = verified.caller();
        line.client_id = Some(caller.client_id.as_str().to_owned());
        line.jti = caller.jti.as_deref().map(ToOwned::to_owned);
        let (answer, is_closed) = self.0.policies.answer(caller, arn, target)?;
        let is_covered = target.is_some_and(|route| route.is_covered_by(&caller.scopes));
        let reason = if is_covered { is_closed.then_some(ROUTES_OVERLAP) } else { Some(INSUFFICIENT_SCOPE) };
        if reason.is_some() {
            (line.outcome, line.reason) = (Outcome::Refused, reason);
        }
        Ok(serde_json::value::to_raw_value(&answer).map_err(Fault::Answer)?)
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer").field("issuers", &self.0.verifier.issuers).finish_non_exhaustive()
    }
}

/// The one line of a decision. The README says what each field means.
#[derive(Serialize)]
struct Line<'a> {
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    latency_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<KeyOrigin>,
    request_id: &'a str,
}

impl<'a> Line<'a> {
    const fn new(request_id: &'a str) -> Self {
        Self {
            outcome: Outcome::Allowed,
            reason: None,
            detail: None,
            client_id: None,
            route: None,
            jti: None,
            latency_ms: 0.0,
            jwks: None,
            request_id,
        }
    }
}

/// The log line of a snapshot at start. It has no `outcome`, since it is not a decision.
#[derive(Serialize)]
struct SnapshotLoaded {
    event: &'static str,
    keys: usize,
    age_seconds: u64,
}

/// The log line of routes for which the policy of a token is not exact. It has no `outcome`, since it is not a decision.
#[derive(Serialize)]
struct Overlap<'a> {
    event: &'static str,
    #[serde(flatten)]
    ambiguity: &'a Ambiguity,
}

/// To the microsecond; anything finer is noise.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests;
