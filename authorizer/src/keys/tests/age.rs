//! Keys that grow old, and snapshots: each edge to the second.

use super::*;

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
