//! What the tests of several files share: a fake fetch, a clock that is set by hand, and the project's stand-ins.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::{Caller, ClientId, ScopeSet, UnixSeconds};
pub(crate) use test_support::{
    FIRST, FOREIGN, Lines, ROUTES, SECOND, Signer,
    signer::{ARN, CLIENT, ISSUER, NOW, POOL, b64, changed, claims, event, jwks, mac, snapshot, unsigned},
};
use tokio::sync::Semaphore;

use crate::keys::fetch::{Fetch, FetchError, Fetching};

/// A caller with these scopes.
pub(crate) fn caller(scopes: &'static str) -> Caller<'static> {
    Caller {
        client_id: ClientId::parse("a").unwrap(),
        scopes: ScopeSet::parse(scopes).unwrap(),
        expires_at: UnixSeconds(NOW + 3600),
        jti: None,
    }
}

/// A clock that stands still until it is set. It counts microseconds.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW * 1_000_000)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.advance_by(Duration::from_secs(seconds));
    }

    pub(crate) fn advance_by(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.fetch_sub(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn read(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = Arc::clone(&self.0);
        move || UNIX_EPOCH + Duration::from_micros(clock.load(Ordering::SeqCst))
    }
}

/// Answers with what it is given, one after the other, the last again and again; counts; can be held up.
pub(crate) struct FakeFetch {
    answers: Mutex<VecDeque<Result<Vec<u8>, FetchError>>>,
    count: AtomicUsize,
    gate: Semaphore,
}

impl FakeFetch {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Vec<u8>, FetchError>>) -> Arc<Self> {
        let fetch = Self::held_up(answers);
        fetch.open();
        fetch
    }

    /// Answers nothing before it is opened.
    pub(crate) fn held_up(answers: impl IntoIterator<Item = Result<Vec<u8>, FetchError>>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, count: AtomicUsize::new(0), gate: Semaphore::new(0) })
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Answers this many requests that were or will be made.
    pub(crate) fn let_through(&self, requests: usize) {
        self.gate.add_permits(requests);
    }

    /// From now on answers with this.
    pub(crate) fn answer(&self, answer: Result<Vec<u8>, FetchError>) {
        *self.answers.lock().unwrap() = VecDeque::from([answer]);
    }

    /// How many requests were made.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Fetch for FakeFetch {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            self.count.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            let mut answers = self.answers.lock().unwrap();
            let answer = answers.pop_front().unwrap_or(Err(FetchError::Status(500)));
            if answers.is_empty() {
                answers.push_back(answer.clone());
            }
            answer
        })
    }
}
