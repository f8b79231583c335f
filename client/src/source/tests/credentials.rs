//! Credentials that rotate, are slow, or cannot be read.

use super::*;

#[tokio::test]
async fn a_rotated_secret_is_read_again_once() {
    let basic = |heard: &Request| heard.header("authorization").unwrap().to_owned();
    let first = Arc::new(Mutex::new(None::<String>));
    let world = World::new(move |n, heard| {
        let old = first.lock().unwrap().get_or_insert_with(|| basic(heard)).clone();
        if n > 0 && basic(heard) == old { refused("invalid_client") } else { numbered(n) }
    })
    .await;
    assert_eq!(world.token().await, Ok(named(0)));
    world.pass(3600);
    assert_eq!(fifty(&world).await, vec![Ok(named(2)); 50]);
    assert_eq!((world.stub.count(), world.reads.load(SeqCst)), (3, 2));
}

#[tokio::test]
async fn a_client_that_stays_unknown_costs_one_more_reading_and_request() {
    let world = World::new(|_, _| refused("invalid_client")).await;
    for call in 1..=3 {
        assert_eq!(world.token().await, Err("invalid_client"));
        assert_eq!((world.stub.count(), world.reads.load(SeqCst)), (2 * call, 1 + call));
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_tried_again_by_the_next_call() {
    struct Broken(Rotating);
    impl CredentialsSource for Broken {
        fn read(&self) -> Reading<'_> {
            if self.0.reads.fetch_add(1, SeqCst) == 0 {
                return Box::pin(async { Err(CredentialsError::NotJson) });
            }
            self.0.read()
        }
    }
    let stub = Stub::new(|n, _| numbered(n)).await;
    let source = Broken(Rotating { token_url: stub.url("/token").parse().unwrap(), reads: Arc::default() });
    let tokens = TokenSource::builder(source, Http::without_jitter()).clock(|| UNIX_EPOCH).build();
    assert_eq!(text(&tokens.token(&[]).await), Err("credentials"));
    assert_eq!(text(&tokens.token(&[]).await), Ok(named(0)));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_never_come_hold_nobody_up_for_long() {
    struct Hanging;
    impl CredentialsSource for Hanging {
        fn read(&self) -> Reading<'_> {
            Box::pin(std::future::pending())
        }
    }
    let tokens = TokenSource::builder(Hanging, Http::without_jitter()).clock(|| UNIX_EPOCH).build();
    for _ in 0..2 {
        let error = tokens.token(&[]).await.unwrap_err();
        assert!(matches!(error, TokenError::Credentials(CredentialsError::TimedOut)), "{error:?}");
    }
}

/// Credentials that take `seconds` to read.
struct Slow {
    source: Rotating,
    seconds: u64,
}

impl CredentialsSource for Slow {
    fn read(&self) -> Reading<'_> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(self.seconds)).await;
            self.source.read().await
        })
    }
}

#[tokio::test]
async fn a_slow_reading_of_the_credentials_takes_no_time_from_the_requests() {
    let stub = Stub::new(|n, _| if n == 0 { refused("invalid_client") } else { numbered(n) }).await;
    let source = Rotating { token_url: stub.url("/token").parse().unwrap(), reads: Arc::default() };
    let tokens = TokenSource::builder(Slow { source, seconds: 1 }, Http::without_jitter())
        .clock(|| UNIX_EPOCH)
        .time_limit(Duration::from_millis(900))
        .build();
    // Two sets of scopes, of which the second waits for the reading of the first.
    let (first, second) = tokio::join!(tokens.token(&["a/read"]), tokens.token(&["b/read"]));
    let mut texts = [text(&first), text(&second)];
    texts.sort();
    assert_eq!(texts, [Ok(named(1)), Ok(named(2))], "also after the secret was read a second time");
}
