//! Fetches that fail: what is kept, the pauses, and how an outage ends.

use super::*;

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
