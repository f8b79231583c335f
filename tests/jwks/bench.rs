//! One cell: the cache is put into its state, the endpoint into its fault, and two decisions follow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use authorizer::{Authorizer, Config};
use serde_json::{Value, json};

use test_support::{
    FIRST, Lines, SECOND, Stub, look_up, reply, settings,
    signer::{NOW, changed, claims, event, jwks, snapshot},
};

use crate::faults::{Fault, Kind};

/// The time limit of a fetch where the endpoint hangs, and where it does not: a slow machine must not cause a fault.
const HANGING: Duration = Duration::from_millis(100);
const PATIENT: Duration = Duration::from_secs(10);
/// How much longer a machine under load may take.
pub(crate) const SLACK: Duration = Duration::from_secs(3);

/// The time limit of a fetch with this fault.
pub(crate) fn limit(fault: &Fault) -> Duration {
    if fault.kind == Kind::Hanging { HANGING } else { PATIENT }
}

/// What the cache holds when the fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Cold,
    Warm,
    /// The cache is warm, and the token names a key that it does not hold.
    WarmUnknown,
    /// Older than the age at which keys are refreshed.
    Stale,
    /// Older than the age after which keys decide nothing.
    Dead,
    Snapshot,
    /// A snapshot older than the age at which keys are refreshed.
    OldSnapshot,
}

impl State {
    pub(crate) const ALL: [Self; 7] = [
        Self::Cold,
        Self::Warm,
        Self::WarmUnknown,
        Self::Stale,
        Self::Dead,
        Self::Snapshot,
        Self::OldSnapshot,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::WarmUnknown => "warm, unknown `kid`",
            Self::Stale => "stale",
            Self::Dead => "too old to decide",
            Self::Snapshot => "snapshot",
            Self::OldSnapshot => "stale snapshot",
        }
    }

    fn is_snapshot(self) -> bool {
        matches!(self, Self::Snapshot | Self::OldSnapshot)
    }

    /// How old the keys are.
    const fn age(self) -> u64 {
        match self {
            Self::Stale | Self::OldSnapshot => 3601,
            Self::Dead => 86_401,
            Self::Cold | Self::Warm | Self::WarmUnknown | Self::Snapshot => 0,
        }
    }
}

pub(crate) struct Bench {
    authorizer: Authorizer,
    endpoint: Stub,
    lines: Lines,
    limit: Duration,
    /// Requests before the fault began.
    before: usize,
    /// Failed fetches before.
    failed: usize,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new(fault: &Fault, state: State) -> Self {
        let endpoint = Stub::always(reply(200, "", jwks([FIRST.jwk()]))).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, snapshot(NOW, [FIRST.jwk()])).unwrap();
        let limit = limit(fault);
        let mut settings = settings(&endpoint.url("/jwks.json"));
        settings.push(("JWKS_TIMEOUT_MS", limit.as_millis().to_string()));
        if state.is_snapshot() {
            settings.push(("JWKS_SNAPSHOT", path.to_str().unwrap().to_owned()));
        }
        let (lines, now) = (Lines::default(), Arc::new(AtomicU64::new(NOW)));
        let clock = {
            let now = Arc::clone(&now);
            move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))
        };
        let config = Config::from_vars(look_up(&settings)).unwrap();
        let authorizer = Authorizer::new(config, clock, lines.log()).unwrap();
        if state != State::Cold && !state.is_snapshot() {
            // The limit is real time, and a machine under load may miss it.
            loop {
                let failed = lines.text().len();
                authorizer.prefetch().await;
                if lines.text().len() == failed {
                    break;
                }
            }
        }
        now.fetch_add(state.age(), Ordering::SeqCst);
        match &fault.answer {
            Some(answer) => endpoint.set(answer.clone()),
            None => endpoint.stop().await,
        }
        let before = endpoint.count();
        let failed = lines.text().matches("jwks_fetch_failed").count();
        Self { authorizer, endpoint, lines, limit, before, failed, _folder: folder }
    }

    /// The text of the cell: for each of two decisions the outcome, `jwks` of its log line, and the fetches so far.
    pub(crate) async fn run(&self, fault: &Fault, state: State) -> String {
        let signer = if state == State::WarmUnknown { &SECOND } else { &FIRST };
        let claims = changed(claims(), json!({"exp": NOW + 200_000}));
        let event = event(&format!("Bearer {}", signer.token(&claims))).to_string();
        let first = self.decide(&event).await;
        let fetches = self.fetches(fault);
        let second = self.decide(&event).await;
        format!("{first} {fetches}, {second} {}", self.fetches(fault))
    }

    /// One decision: its outcome and how the key was found. It must not take longer than one fetch.
    async fn decide(&self, event: &str) -> String {
        #[expect(clippy::disallowed_methods, reason = "the bound is one of real time")]
        let began = Instant::now();
        let answer = self.authorizer.handle(event.as_bytes(), "request-1").await;
        assert!(began.elapsed() < self.limit + SLACK, "took {:?}", began.elapsed());
        cell(answer.map_err(|failure| failure.error_type).map(|_| ()), &self.lines.text())
    }

    fn failures(&self) -> usize {
        self.lines.text().matches("jwks_fetch_failed").count() - self.failed
    }

    /// How many fetches there were since the fault began.
    fn fetches(&self, fault: &Fault) -> usize {
        fetches(fault, self.endpoint.count() - self.before, self.failures())
    }
}

/// One decision as a cell shows it: the outcome, and `jwks` of the last decision in the log.
pub(crate) fn cell(answer: Result<(), &str>, log: &str) -> String {
    let outcome = match answer {
        Ok(()) => "allowed",
        Err("unknown_key") => "401",
        Err("keys_unavailable") => "500",
        Err(other) => other,
    };
    let last: Value = log
        .lines()
        .rev()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|line: &Value| line["outcome"].is_string())
        .unwrap();
    format!("{outcome} `{}`", last["jwks"].as_str().unwrap())
}

/// How many fetches there were: counted by the endpoint, or from the log where nobody listens.
pub(crate) fn fetches(fault: &Fault, requests: usize, failures: usize) -> usize {
    if fault.answer.is_none() {
        assert_eq!(requests, 0);
        return failures;
    }
    if matches!(fault.kind, Kind::Failing | Kind::Hanging) {
        assert_eq!(requests, failures, "each failed fetch is one request and one line");
    }
    requests
}
