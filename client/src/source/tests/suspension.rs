//! A process that is suspended during a request: Lambda's freezing, a laptop's sleep.

use std::sync::atomic::AtomicBool;

use super::*;

#[tokio::test]
async fn a_request_that_a_suspension_made_old_is_not_waited_for() {
    let hangs = Arc::new(AtomicBool::new(false));
    let silent = Arc::clone(&hangs);
    let world = World::new(move |n, _| if silent.load(SeqCst) { Reply::Hang } else { numbered(n) }).await;
    world.token().await.unwrap();
    world.pass(2700);
    hangs.store(true, SeqCst);
    assert_eq!(world.token().await, Ok(named(0)), "renewed in the background");
    while world.stub.count() < 2 {
        tokio::task::yield_now().await;
    }
    // Lambda freezes the process for an hour; the connection does not survive it.
    world.pass(3600);
    hangs.store(false, SeqCst);
    let answered = tokio::time::timeout(Duration::from_secs(1), fifty(&world)).await;
    assert_eq!(answered.expect("at once"), vec![Ok(named(2)); 50]);
}

#[tokio::test]
async fn a_renewal_that_a_suspension_ended_does_not_fail_the_next_caller() {
    let hangs = Arc::new(AtomicBool::new(false));
    let silent = Arc::clone(&hangs);
    let world = World::new(move |n, _| if silent.load(SeqCst) { Reply::Hang } else { numbered(n) }).await;
    world.token().await.unwrap();
    world.pass(3599);
    hangs.store(true, SeqCst);
    assert_eq!(world.token().await, Ok(named(0)), "renewed in the background");
    while world.stub.count() < 2 {
        tokio::task::yield_now().await;
    }
    // Frozen for nine seconds: the request's timers fire as soon as the next caller has joined it.
    hangs.store(false, SeqCst);
    world.pass(9);
    tokio::time::pause();
    let ((), caller, ()) = tokio::join!(
        biased;
        tokio::time::advance(Duration::from_secs(9)),
        world.token(),
        async { tokio::time::resume() }
    );
    assert_eq!(caller, Ok(named(2)));
}
