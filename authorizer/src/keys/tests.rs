//! The key cache, by counting requests: every state, every edge of time, no network.

use std::{sync::LazyLock, task::Poll, time::Duration};

use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::testing::{FIRST, FOREIGN, FakeFetch, Lines, NOW, SECOND, TestClock, jwks};

mod age;
mod failure;
mod sharing;

const TIMING: Timing = Timing {
    timeout: Duration::from_millis(1500),
    cooldown: Duration::from_secs(10),
    max_age: Duration::from_hours(1),
    max_stale: Duration::from_hours(24),
};

type Fetched = Result<Vec<u8>, FetchError>;

struct Setup {
    cache: KeyCache,
    clock: TestClock,
    lines: Lines,
    fetch: Arc<FakeFetch>,
}

impl Setup {
    fn new(answers: impl IntoIterator<Item = Fetched>) -> Self {
        Self::with(None, FakeFetch::new(answers))
    }

    fn with(snapshot: Option<Snapshot>, fetch: Arc<FakeFetch>) -> Self {
        Self::timed(TIMING, snapshot, fetch)
    }

    fn timed(timing: Timing, snapshot: Option<Snapshot>, fetch: Arc<FakeFetch>) -> Self {
        let (clock, lines) = (TestClock::new(), Lines::default());
        let shared = Arc::clone(&fetch) as Arc<dyn Fetch>;
        let read: Clock = Arc::new(clock.read());
        let cache = KeyCache::new("issuer".to_owned(), snapshot, shared, timing, read, lines.log());
        Self { cache, clock, lines, fetch }
    }

    /// What a decision gets, and how many requests were made so far.
    async fn key(&self, kid: &str) -> (Result<(), NoKey>, KeyOrigin, usize) {
        let (key, path) = self.cache.key(kid).await;
        (key.map(|_| ()), path, self.fetch.count())
    }
}

/// Lets other tasks run until they wait for something.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// The set with the first key alone, as an answer.
static ONE: LazyLock<Fetched> = LazyLock::new(|| Ok(jwks([FIRST.jwk()])));
static TWO: LazyLock<Fetched> = LazyLock::new(|| Ok(jwks([FIRST.jwk(), SECOND.jwk()])));

fn first() -> Fetched {
    ONE.clone()
}

fn both() -> Fetched {
    TWO.clone()
}

/// The first key, fetched this many seconds before the test's clock begins.
fn snapshot(age: u64) -> Snapshot {
    Snapshot::parse(&crate::testing::snapshot(NOW - age, [FIRST.jwk()])).unwrap()
}

const DOWN: Fetched = Err(FetchError::Status(500));

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let setup = Setup::new([first()]);
    setup.cache.prefetch().await;
    setup.cache.prefetch().await;
    for _ in 0..5 {
        assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 1));
    }
    assert_eq!(setup.lines.take(), "");
}

#[tokio::test]
async fn without_prefetch_the_first_decision_fetches() {
    let setup = Setup::new([first()]);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 1));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 1));
}

#[tokio::test]
async fn nothing_is_left_running_behind_an_answer() {
    for (name, keys) in
        [("a snapshot", Some(snapshot(3601))), ("none", None), ("fresh ones", Some(snapshot(0)))]
    {
        for kid in ["first", "second"] {
            let setup = Setup::with(keys.clone(), FakeFetch::new([first()]));
            let _ = setup.key(kid).await;
            assert!(
                setup.cache.state().flight.as_ref().is_none_or(|flight| flight.succeeded.borrow().is_some()),
                "{name}, {kid}"
            );
        }
    }
}

#[tokio::test]
async fn a_fetch_during_which_the_process_slept_gives_way() {
    let setup = Setup::with(None, FakeFetch::held_up([first()]));
    let left_behind = setup.cache.clone();
    let waiter = tokio::spawn(async move { left_behind.key("first").await });
    settle().await;
    setup.clock.advance(1);
    let second = setup.cache.clone();
    let joiner = tokio::spawn(async move { second.key("first").await });
    settle().await;
    assert_eq!(setup.fetch.count(), 1, "within its limit it is waited for");
    setup.clock.advance(600);
    let fresh = setup.cache.clone();
    let fresh = tokio::spawn(async move { fresh.key("first").await });
    settle().await;
    assert_eq!(setup.fetch.count(), 2, "after it another begins");
    assert_eq!(waiter.await.unwrap().0.err(), Some(NoKey::Unavailable));
    assert_eq!(joiner.await.unwrap().0.err(), Some(NoKey::Unavailable));
    setup.fetch.open();
    assert_eq!(fresh.await.unwrap().1, KeyOrigin::Fetched);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_during_which_the_process_slept_says_nothing_about_the_issuer() {
    // Two limits are room for a slow machine; more than that is sleep.
    for (slept, is_paused) in [(3_000, true), (3_001, false)] {
        let setup = Setup::with(Some(snapshot(3601)), FakeFetch::held_up([both()]));
        let cache = setup.cache.clone();
        let decision = tokio::spawn(async move { cache.key("first").await });
        settle().await;
        setup.clock.advance_by(Duration::from_millis(slept));
        tokio::time::advance(TIMING.timeout).await;
        assert_eq!(decision.await.unwrap().1, KeyOrigin::Snapshot);
        assert_eq!(setup.lines.take().contains("timed_out"), is_paused, "{slept}");
        setup.fetch.open();
        let origin = if is_paused { KeyOrigin::Snapshot } else { KeyOrigin::Fetched };
        assert_eq!(setup.key("first").await.1, origin, "{slept}");
    }
}

#[tokio::test]
async fn a_clock_set_back_ends_a_pause_and_ages_nothing() {
    let setup = Setup::new([first(), DOWN, both()]);
    setup.cache.prefetch().await;
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Failed, 2));
    setup.clock.set_back(1000);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 2));
    assert_eq!(setup.key("second").await, (Ok(()), KeyOrigin::Fetched, 3));
}

#[tokio::test]
async fn another_issuers_set_is_another_set() {
    let (ours, theirs) = (Setup::new([first()]), Setup::new([Ok(jwks([FOREIGN.jwk()]))]));
    let (ours, _) = ours.cache.key("first").await;
    let (theirs, _) = theirs.cache.key("first").await;
    assert_ne!(ours.unwrap(), theirs.unwrap());
}
