//! Owns the try of one cell: a cache brought into its state, the endpoint into its fault, two decisions.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, UNIX_EPOCH},
};

use authorizer::{Authorizer, Config};
use serde_json::{Value, json};

use crate::{
    endpoint::{Answer, Endpoint},
    faults::{Fault, Kind},
    lines::Lines,
    signer::{CLIENT, FIRST, NOW, POOL, SECOND, changed, claims, event, jwks},
};

/// The limit of a fetch where the endpoint hangs, and where it does not: a slow machine shall not make a fault.
const HANGING: Duration = Duration::from_millis(100);
const PATIENT: Duration = Duration::from_secs(10);
/// How long a machine under load may need for what takes no time.
const SLACK: Duration = Duration::from_secs(3);

/// What the cache holds when the fault comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Cold,
    Warm,
    /// The cache is warm, and the token names a key that it does not hold.
    WarmUnknown,
    /// Older than the age at which keys are refreshed.
    Stale,
    /// Older than the age after which they decide nothing.
    Dead,
    Snapshot,
}

impl State {
    pub(crate) const ALL: [Self; 6] =
        [Self::Cold, Self::Warm, Self::WarmUnknown, Self::Stale, Self::Dead, Self::Snapshot];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::WarmUnknown => "warm, unknown `kid`",
            Self::Stale => "stale",
            Self::Dead => "too old to decide",
            Self::Snapshot => "snapshot",
        }
    }

    /// How old the keys are.
    const fn age(self) -> u64 {
        match self {
            Self::Stale => 3601,
            Self::Dead => 86_401,
            Self::Cold | Self::Warm | Self::WarmUnknown | Self::Snapshot => 0,
        }
    }
}

pub(crate) struct Bench {
    authorizer: Authorizer,
    endpoint: Endpoint,
    lines: Lines,
    limit: Duration,
    /// Requests before the fault came.
    before: usize,
    /// Failed fetches before.
    failed: usize,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new(fault: &Fault, state: State) -> Self {
        let good = jwks([FIRST.jwk()]);
        let mut endpoint = Endpoint::start(Answer::ok(&good)).await;
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join("jwks.json");
        std::fs::write(&snapshot, &good).unwrap();
        let limit = if fault.kind == Kind::Hanging { HANGING } else { PATIENT };
        let vars = |name: &str| match name {
            "JWKS_URI" => Some(endpoint.url()),
            "USER_POOL_ID" => Some(POOL.to_owned()),
            "CLIENT_IDS" => Some(CLIENT.to_owned()),
            "JWKS_TIMEOUT_MS" => Some(limit.as_millis().to_string()),
            "JWKS_SNAPSHOT" if state == State::Snapshot => Some(snapshot.to_str().unwrap().to_owned()),
            _ => None,
        };
        let (lines, now) = (Lines::default(), Arc::new(AtomicU64::new(NOW)));
        let clock = {
            let now = Arc::clone(&now);
            move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst))
        };
        let config = Config::from_vars(vars).unwrap();
        let authorizer = Authorizer::new(config, access::ROUTES, clock, lines.log()).unwrap();
        if !matches!(state, State::Cold | State::Snapshot) {
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

    /// The cell's text: outcome, `jwks` of the log and fetches so far, of two decisions.
    pub(crate) async fn run(&self, fault: &Fault, state: State) -> String {
        let signer = if state == State::WarmUnknown { &SECOND } else { &FIRST };
        let claims = changed(claims(), json!({"exp": NOW + 200_000}));
        let event = event(&format!("Bearer {}", signer.token(&claims))).to_string();
        let first = self.decide(&event).await;
        if matches!(state, State::Stale | State::Snapshot) {
            // One thread runs both, so that a decision that waited would have let the refresh go on.
            assert_eq!(self.failures(), 0, "the decision waited for the refresh");
            self.refresh(fault).await;
        }
        let fetches = self.fetches(fault);
        let mut second = self.decide(&event).await;
        // A refresh that brings keys takes effect when it has ended; until then the held ones decide.
        while second == first && Self::is_refreshed(fault, state) {
            tokio::task::yield_now().await;
            second = self.decide(&event).await;
        }
        format!("{first} {fetches}, {second} {}", self.fetches(fault))
    }

    /// One decision: its outcome and how the key was found. It takes no longer than one fetch may.
    async fn decide(&self, event: &str) -> String {
        #[expect(clippy::disallowed_methods, reason = "the bound is one of real time")]
        let began = Instant::now();
        let answer = self.authorizer.handle(event.as_bytes(), "request-1").await;
        assert!(began.elapsed() < self.limit + SLACK, "took {:?}", began.elapsed());
        let outcome = match answer {
            Ok(_) => "allowed",
            Err(failure) if failure.error_type == "unknown_key" => "401",
            Err(failure) if failure.error_type == "keys_unavailable" => "500",
            Err(failure) => failure.error_type,
        };
        let text = self.lines.text();
        let last: Value = text
            .lines()
            .rev()
            .map(|line| serde_json::from_str(line).unwrap())
            .find(|line: &Value| line["outcome"].is_string())
            .unwrap();
        format!("{outcome} `{}`", last["jwks"].as_str().unwrap())
    }

    /// Waits for the refresh in the background to have been made, or to have failed where it fails.
    async fn refresh(&self, fault: &Fault) {
        let is_failing = matches!(fault.kind, Kind::Failing | Kind::Hanging);
        while if is_failing { self.failures() == 0 } else { self.endpoint.count() == self.before } {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn is_refreshed(fault: &Fault, state: State) -> bool {
        matches!(state, State::Stale | State::Snapshot) && matches!(fault.kind, Kind::Changed | Kind::Mixed)
    }

    fn failures(&self) -> usize {
        self.lines.text().matches("jwks_fetch_failed").count() - self.failed
    }

    /// How many fetches there were since the fault, as the endpoint saw them; as the log tells where nobody listens.
    fn fetches(&self, fault: &Fault) -> usize {
        let requests = self.endpoint.count() - self.before;
        let failures = self.failures();
        if fault.requests == 0 {
            assert_eq!(requests, 0);
            return failures;
        }
        assert_eq!(requests % fault.requests, 0, "{requests} requests");
        if matches!(fault.kind, Kind::Failing | Kind::Hanging) {
            assert_eq!(requests / fault.requests, failures, "each failed fetch is logged once");
        }
        requests / fault.requests
    }
}
