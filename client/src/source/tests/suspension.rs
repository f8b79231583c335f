//! A process that is suspended during a request: Lambda's freezing, a laptop's sleep.

use std::sync::atomic::AtomicBool;

use tokio::sync::Notify;

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

#[tokio::test]
async fn a_request_is_shared_until_its_maximum_age() {
    let world = World::new(|n, _| if n == 0 { Reply::Hang } else { numbered(n) }).await;
    let tokens = world.tokens.clone();
    tokio::spawn(async move { tokens.token(&["a/read"]).await });
    while world.stub.count() < 1 {
        tokio::task::yield_now().await;
    }
    world.pass(9);
    let sharing = tokio::time::timeout(Duration::from_millis(100), world.token()).await;
    assert!(sharing.is_err() && world.stub.count() == 1, "{sharing:?}");
    world.pass(1);
    let anew = tokio::time::timeout(Duration::from_secs(1), world.token()).await;
    assert_eq!(anew, Ok(Ok(named(1))));
}

/// Credentials that cannot be read, as it turns out once `end` comes.
struct Unreadable {
    error: CredentialsError,
    end: Arc<Notify>,
    reads: Arc<AtomicUsize>,
}

impl CredentialsSource for Unreadable {
    fn read(&self) -> Reading<'_> {
        self.reads.fetch_add(1, SeqCst);
        Box::pin(async {
            self.end.notified().await;
            Err(self.error.clone())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_no_suspension_caused_is_the_answer() {
    let cases = [
        ("at once, but for another reason", CredentialsError::NotJson, 0),
        ("a second after the caller came", CredentialsError::TimedOut, 1),
    ];
    for (name, error, later) in cases {
        let (end, reads, seconds) = (Arc::<Notify>::default(), Arc::default(), Arc::new(AtomicU64::new(0)));
        let source = Unreadable { error, end: Arc::clone(&end), reads: Arc::clone(&reads) };
        let clock = Arc::clone(&seconds);
        let now = move || UNIX_EPOCH + Duration::from_secs(clock.load(SeqCst));
        let tokens = TokenSource::builder(source, Http::without_jitter()).clock(now).build();
        let mut callers = JoinSet::new();
        for age in 0..2 {
            seconds.store(age, SeqCst);
            let tokens = tokens.clone();
            callers.spawn(async move { text(&tokens.token(&[]).await) });
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_secs(later)).await;
        end.notify_waiters();
        assert_eq!(callers.join_all().await, vec![Err("credentials"); 2], "{name}");
        assert_eq!(reads.load(SeqCst), 1, "{name}");
    }
}
