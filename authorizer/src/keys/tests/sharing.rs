//! Decisions at the same time: one fetch for all who wait.

use super::*;

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
