//! The key cache, by counting requests: every state, every edge of time, no network.

use std::{sync::LazyLock, task::Poll, time::Duration};

use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::testing::{FIRST, FOREIGN, FakeFetch, Lines, NOW, SECOND, TestClock, jwks};

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
async fn fifty_decisions_with_an_unknown_key_make_one_request() {
    for (name, answer, expected) in [
        ("the key is there", both(), (true, KeyOrigin::Fetched)),
        ("it is not", first(), (false, KeyOrigin::Fetched)),
        ("the fetch fails", DOWN, (false, KeyOrigin::Failed)),
    ] {
        let setup = Setup::with(Some(snapshot(0)), FakeFetch::held_up([answer]));
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            let cache = setup.cache.clone();
            tasks.spawn(async move { cache.key("second").await });
        }
        settle().await;
        assert_eq!(setup.fetch.count(), 1, "{name}");
        setup.fetch.open();
        while let Some(result) = tasks.join_next().await {
            let (key, path) = result.unwrap();
            assert_eq!((key.is_ok(), path), expected, "{name}");
        }
        assert_eq!(setup.fetch.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_makes_a_handful_of_requests_and_hides_no_new_key() {
    let setup = Setup::new([first(), first(), first(), first(), both()]);
    setup.cache.prefetch().await;
    for kid in 0..500 {
        let _ = setup.key(&format!("kid-{kid}")).await;
    }
    assert_eq!(setup.fetch.count(), 2, "init and the first unknown key");
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Cooldown, 2));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 2), "known keys are not slowed");
    setup.clock.advance(9);
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Cooldown, 2));
    setup.clock.advance(1);
    assert_eq!(setup.key("kid-501").await, (Err(NoKey::Unknown), KeyOrigin::Fetched, 3));
    setup.clock.advance(10);
    assert_eq!(setup.key("kid-502").await, (Err(NoKey::Unknown), KeyOrigin::Fetched, 4));
    setup.clock.advance(10);
    assert_eq!(setup.key("kid-503").await, (Err(NoKey::Unknown), KeyOrigin::Fetched, 5));
    assert_eq!(setup.key("second").await, (Ok(()), KeyOrigin::Hit, 5), "the rotated key came with it");
}

#[tokio::test]
async fn a_fetch_that_brings_another_ones_key_starts_a_pause_for_who_did_not_find_theirs() {
    let setup = Setup::with(None, FakeFetch::held_up([both()]));
    let cache = setup.cache.clone();
    let found = tokio::spawn(async move { cache.key("second").await });
    settle().await;
    let other = {
        let cache = setup.cache.clone();
        tokio::spawn(async move { cache.key("nobodys").await })
    };
    settle().await;
    setup.fetch.open();
    assert!(found.await.unwrap().0.is_ok());
    assert_eq!(other.await.unwrap().0.err(), Some(NoKey::Unknown));
    assert_eq!(setup.key("nobodys").await, (Err(NoKey::Unknown), KeyOrigin::Cooldown, 1));
}

#[tokio::test]
async fn a_failed_refetch_keeps_the_keys_and_is_told_once() {
    let setup = Setup::new([first(), DOWN]);
    setup.cache.prefetch().await;
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Failed, 2));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 2));
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Cooldown, 2));
    insta::assert_snapshot!(setup.lines.take(), @r#"{"timestamp":"2023-11-14T22:13:20.000Z","level":"WARN","event":"jwks_fetch_failed","reason":"status","issuer":"issuer","detail":"the response has status 500"}"#);
}

#[tokio::test]
async fn without_any_keys_a_failed_fetch_leaves_nothing_to_decide_with() {
    let setup = Setup::new([DOWN, DOWN, first()]);
    setup.cache.prefetch().await;
    assert_eq!(
        setup.key("first").await,
        (Err(NoKey::Unavailable), KeyOrigin::Failed, 2),
        "no pause after init"
    );
    assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Cooldown, 2));
    setup.clock.advance_by(Duration::from_millis(250));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 3));
}

#[tokio::test]
async fn without_any_keys_the_pause_doubles_up_to_a_second_and_has_jitter() {
    // With nothing behind the millisecond the jitter takes nothing off; with 999 microseconds it takes a quarter.
    for (microseconds, shortest) in [(0, 250_000_u64), (999, 250_000 * 3001 / 4000)] {
        let setup = Setup::new([DOWN]);
        setup.clock.advance_by(Duration::from_micros(microseconds));
        let mut fetches = 0;
        for factor in [1, 2, 4, 4, 4] {
            fetches += 1;
            let failed = (Err(NoKey::Unavailable), KeyOrigin::Failed, fetches);
            assert_eq!(setup.key("first").await, failed, "{factor}");
            // Whole milliseconds, so that the next pause has the same jitter.
            let pause = factor * shortest / 1000;
            setup.clock.advance_by(Duration::from_millis(pause - 1));
            assert_eq!(setup.key("first").await.1, KeyOrigin::Cooldown, "{factor}");
            setup.clock.advance_by(Duration::from_millis(2));
        }
    }
}

#[tokio::test]
async fn without_any_keys_no_pause_is_longer_than_the_cooldown() {
    let timing = Timing { cooldown: Duration::from_millis(100), ..TIMING };
    let setup = Setup::timed(timing, None, FakeFetch::new([DOWN, first()]));
    assert_eq!(setup.key("first").await.1, KeyOrigin::Failed);
    setup.clock.advance_by(Duration::from_millis(99));
    assert_eq!(setup.key("first").await.1, KeyOrigin::Cooldown);
    setup.clock.advance_by(Duration::from_millis(1));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 2));
}

/// Twenty calls a second, whatever the moment at which the endpoint comes back.
#[tokio::test]
async fn an_outage_at_a_cold_start_costs_few_fetches_and_ends_within_a_second_of_the_endpoints_return() {
    const STEP: Duration = Duration::from_millis(50);
    for offset in (0..1000).step_by(37) {
        let setup = Setup::new([DOWN]);
        setup.clock.advance_by(Duration::from_micros(offset));
        setup.cache.prefetch().await;
        for _ in 0..100 {
            assert_eq!(setup.key("first").await.0, Err(NoKey::Unavailable));
            setup.clock.advance_by(STEP);
        }
        assert!(setup.fetch.count() <= 12, "{} fetches", setup.fetch.count());
        setup.fetch.answer(first());
        let mut waited = Duration::ZERO;
        while setup.key("first").await.0.is_err() {
            setup.clock.advance_by(STEP);
            waited += STEP;
        }
        assert!(waited <= Duration::from_millis(1200), "{waited:?}");
    }
}

#[tokio::test]
async fn the_pause_begins_anew_after_a_fetch_that_succeeded() {
    let setup = Setup::new([DOWN, DOWN, first(), DOWN, first()]);
    for _ in 0..3 {
        let _ = setup.key("first").await;
        setup.clock.advance(1);
    }
    setup.clock.advance(86_400);
    assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Failed, 4));
    setup.clock.advance_by(Duration::from_millis(250));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 5));
}

#[tokio::test]
async fn sets_that_hold_no_usable_key_count_as_failed() {
    for bad in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"EC"}]}"#, "<html>"] {
        let setup = Setup::new([first(), Ok(bad.into())]);
        setup.cache.prefetch().await;
        assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Failed, 2), "{bad}");
        assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 2), "{bad}");
    }
}

#[tokio::test]
async fn old_keys_are_refreshed_before_they_decide() {
    let setup = Setup::new([first(), both()]);
    setup.cache.prefetch().await;
    setup.clock.advance(3600);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Hit, 1), "not older than the age");
    setup.clock.advance(1);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 2));
    assert_eq!(setup.key("second").await, (Ok(()), KeyOrigin::Hit, 2));
}

#[tokio::test]
async fn decisions_share_a_refresh_and_one_that_failed_is_not_repeated_within_the_pause() {
    let setup = Setup::with(None, FakeFetch::held_up([first(), DOWN]));
    setup.fetch.let_through(1);
    setup.cache.prefetch().await;
    setup.clock.advance(3601);
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let cache = setup.cache.clone();
        tasks.spawn(async move { cache.key("first").await });
    }
    settle().await;
    assert_eq!(setup.fetch.count(), 2, "all wait for one refresh");
    setup.fetch.open();
    while let Some(result) = tasks.join_next().await {
        let (key, origin) = result.unwrap();
        assert_eq!((key.is_ok(), origin), (true, KeyOrigin::Stale));
    }
    setup.clock.advance_by(Duration::from_millis(9_999));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Stale, 2));
    setup.clock.advance_by(Duration::from_millis(1));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Stale, 3));
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
async fn keys_that_could_not_be_refreshed_decide_nothing_in_the_end() {
    let setup = Setup::new([first(), DOWN, DOWN, first()]);
    setup.cache.prefetch().await;
    setup.clock.advance(86_400);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Stale, 2));
    setup.clock.advance(1);
    assert_eq!(
        setup.key("first").await,
        (Err(NoKey::Unavailable), KeyOrigin::Failed, 3),
        "the pause is a short one now"
    );
    assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Cooldown, 3));
    setup.clock.advance(1);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 4));
}

#[tokio::test]
async fn a_withdrawn_key_is_gone_with_the_next_set() {
    let setup = Setup::new([both(), first()]);
    setup.cache.prefetch().await;
    setup.clock.advance(3601);
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Fetched, 2));
    assert_eq!(setup.key("second").await, (Err(NoKey::Unknown), KeyOrigin::Cooldown, 2));
}

#[tokio::test]
async fn a_fresh_snapshot_needs_no_network_and_an_old_one_is_refreshed() {
    let setup = Setup::with(Some(snapshot(3000)), FakeFetch::new([DOWN, DOWN, both()]));
    setup.cache.prefetch().await;
    setup.clock.advance(600);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Snapshot, 0), "as old as it may be");
    setup.clock.advance(1);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Snapshot, 1), "the refresh failed");
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Snapshot, 1), "the pause");
    setup.clock.advance(10);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Snapshot, 2));
    setup.clock.advance(10);
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Fetched, 3));
    assert_eq!(setup.key("second").await, (Ok(()), KeyOrigin::Hit, 3));
}

#[tokio::test]
async fn a_snapshot_older_than_the_refresh_age_is_refreshed_at_init() {
    for (age, fetches) in [(3600, 0), (3601, 1), (100_000, 1)] {
        let setup = Setup::with(Some(snapshot(age)), FakeFetch::new([both()]));
        setup.cache.prefetch().await;
        assert_eq!(setup.fetch.count(), fetches, "{age}");
    }
}

#[tokio::test]
async fn a_snapshot_is_trusted_as_long_as_other_keys() {
    let setup = Setup::with(Some(snapshot(86_400)), FakeFetch::new([DOWN]));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Snapshot, 1));
    let setup = Setup::with(Some(snapshot(86_401)), FakeFetch::new([DOWN]));
    assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Failed, 1));
}

#[tokio::test]
async fn a_snapshot_of_the_future_ages_from_the_start() {
    let keys = Snapshot { fetched_at: access::UnixSeconds(NOW + 1_000_000), ..snapshot(0) };
    let setup = Setup::with(Some(keys), FakeFetch::new([DOWN]));
    assert_eq!(setup.key("first").await, (Ok(()), KeyOrigin::Snapshot, 0));
    setup.clock.advance(86_401);
    assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Failed, 1));
}

#[tokio::test]
async fn a_key_unknown_to_the_snapshot_is_fetched() {
    let setup = Setup::with(Some(snapshot(0)), FakeFetch::new([both()]));
    assert_eq!(setup.key("second").await, (Ok(()), KeyOrigin::Fetched, 1));
}

#[tokio::test]
async fn a_fetch_is_one_request() {
    let broken = Err(FetchError::Transport("reset".to_owned()));
    for answer in [broken, DOWN, Ok(b"x".to_vec())] {
        let setup = Setup::new([answer, first()]);
        assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Failed, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_takes_no_longer_than_its_limit() {
    let setup = Setup::with(None, FakeFetch::held_up([first()]));
    #[expect(clippy::disallowed_methods, reason = "the clock of a test, which stands still but for timers")]
    let began = tokio::time::Instant::now();
    assert_eq!(setup.key("first").await, (Err(NoKey::Unavailable), KeyOrigin::Failed, 1));
    assert!(began.elapsed() < TIMING.timeout + Duration::from_millis(10));
    assert!(setup.lines.take().contains("timed_out"));
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
async fn a_decision_that_is_given_up_leaves_the_fetch_and_its_pause_to_the_others() {
    for (kid, expected) in
        [("first", (Ok(()), KeyOrigin::Hit, 1)), ("nobodys", (Err(NoKey::Unknown), KeyOrigin::Cooldown, 1))]
    {
        let setup = Setup::with(None, FakeFetch::held_up([first()]));
        let mut given_up = Box::pin(setup.cache.key(kid));
        std::future::poll_fn(|context| {
            assert!(given_up.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(given_up);
        settle().await;
        setup.fetch.open();
        settle().await;
        assert_eq!(setup.key(kid).await, expected, "{kid}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_share_one_fetch() {
    let setup = Setup::new([both()]);
    let mut tasks = JoinSet::new();
    for index in 0..200 {
        let cache = setup.cache.clone();
        tasks
            .spawn(async move { cache.key(if index % 2 == 0 { "first" } else { "second" }).await.0.is_ok() });
    }
    assert!(tasks.join_all().await.into_iter().all(|is_found| is_found));
    assert_eq!(setup.fetch.count(), 1);
}
