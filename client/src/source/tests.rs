//! One request at a time, renewal, rotation, and that no failure is kept. Requests are counted.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    time::UNIX_EPOCH,
};

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use test_support::{Reply, Request, Stub, reply};
use tokio::task::JoinSet;

use super::{slots::PAUSE, *};
use crate::{credentials::Reading, token::tests::jwt, url::ServiceUrl};

mod credentials;
mod events;
mod suspension;

/// A secret that changes with each reading: `secret-1`, `secret-2`, …
struct Rotating {
    token_url: ServiceUrl,
    reads: Arc<AtomicUsize>,
}

impl CredentialsSource for Rotating {
    fn read(&self) -> Reading<'_> {
        let read = self.reads.fetch_add(1, SeqCst) + 1;
        let client_secret = SecretString::from(format!("secret-{read}"));
        let (client_id, token_url) = ("id".to_owned(), self.token_url.clone());
        Box::pin(async { Ok(Credentials { client_id, client_secret, token_url, api_url: None }) })
    }
}

/// A token source over a stub, with a clock to turn.
struct World {
    tokens: TokenSource,
    stub: Stub,
    reads: Arc<AtomicUsize>,
    seconds: Arc<AtomicU64>,
}

impl World {
    async fn new(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let stub = Stub::new(script).await;
        let (reads, seconds) = (Arc::default(), Arc::new(AtomicU64::new(1_000_000)));
        let source = Rotating { token_url: stub.url("/token").parse().unwrap(), reads: Arc::clone(&reads) };
        let clock = Arc::clone(&seconds);
        let now = move || UNIX_EPOCH + Duration::from_secs(clock.load(SeqCst));
        let tokens = TokenSource::builder(source, Http::without_jitter()).clock(now).build();
        Self { tokens, stub, reads, seconds }
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, SeqCst);
    }

    async fn token(&self) -> Result<String, &'static str> {
        text(&self.tokens.token(&["a/read"]).await)
    }

    /// Lets requests that run behind a caller's back come to their end.
    async fn settle(&self) {
        while !self.tokens.0.slots().is_idle() {
            tokio::task::yield_now().await;
        }
    }
}

fn text(token: &Result<AccessToken, TokenError>) -> Result<String, &'static str> {
    token.as_ref().map(|token| token.secret().expose_secret().to_owned()).map_err(TokenError::label)
}

/// A token named after the number of the request, which lives for an hour: due after 2700 seconds.
fn numbered(n: usize) -> Reply {
    lived(n, 3600)
}

fn lived(n: usize, seconds: u64) -> Reply {
    reply(200, "", format!(r#"{{"access_token":"token-{n}","token_type":"Bearer","expires_in":{seconds}}}"#))
}

fn refused(code: &str) -> Reply {
    reply(400, "", format!(r#"{{"error":"{code}"}}"#))
}

fn named(n: usize) -> String {
    format!("token-{n}")
}

#[tokio::test]
async fn a_token_is_asked_for_once_for_each_set_of_scopes() {
    let world = World::new(|n, _| numbered(n)).await;
    let cases: [(&[&str], usize); 7] = [
        (&["b/write", "a/read"], 0),
        (&["a/read", "b/write"], 0),
        (&["a/read b/write", "a/read"], 0),
        (&["a/read"], 1),
        (&[], 2),
        (&["", " "], 2),
        (&["b/write", "a/read"], 0),
    ];
    for (scopes, expected) in cases {
        assert_eq!(text(&world.tokens.token(scopes).await), Ok(named(expected)), "{scopes:?}");
    }
    assert_eq!((world.stub.count(), world.reads.load(SeqCst)), (3, 1));
    assert_eq!(world.stub.heard()[0].body, "grant_type=client_credentials&scope=a%2Fread%20b%2Fwrite");
}

/// What fifty callers at once get.
async fn fifty(world: &World) -> Vec<Result<String, &'static str>> {
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let tokens = world.tokens.clone();
        callers.spawn(async move { text(&tokens.token(&["a/read"]).await) });
    }
    callers.join_all().await
}

#[tokio::test]
async fn fifty_callers_make_one_request_and_share_its_outcome() {
    let world = World::new(|n, _| if n == 0 { refused("invalid_scope") } else { numbered(n) }).await;
    assert_eq!(fifty(&world).await, vec![Err("invalid_scope"); 50]);
    assert_eq!(world.stub.count(), 1);
    assert_eq!(fifty(&world).await, vec![Ok(named(1)); 50]);
    assert_eq!(fifty(&world).await, vec![Ok(named(1)); 50]);
    assert_eq!((world.stub.count(), world.reads.load(SeqCst)), (2, 1));
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing_from_the_others() {
    let world = World::new(|n, _| numbered(n)).await;
    let tokens = world.tokens.clone();
    let first = tokio::spawn(async move { tokens.token(&["a/read"]).await });
    tokio::task::yield_now().await;
    let tokens = world.tokens.clone();
    let second = tokio::spawn(async move { text(&tokens.token(&["a/read"]).await) });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(second.await.unwrap(), Ok(named(0)));
    assert_eq!(world.stub.count(), 1);
}

#[tokio::test]
async fn a_request_that_panics_is_begun_anew_by_the_next_caller() {
    struct Panics(Rotating);
    impl CredentialsSource for Panics {
        fn read(&self) -> Reading<'_> {
            assert!(self.0.reads.fetch_add(1, SeqCst) > 0, "the first reading panics, as this test wants");
            self.0.read()
        }
    }
    let world = World::new(|n, _| numbered(n)).await;
    let source =
        Panics(Rotating { token_url: world.stub.url("/token").parse().unwrap(), reads: Arc::default() });
    let tokens = TokenSource::builder(source, Http::without_jitter()).clock(|| UNIX_EPOCH).build();
    let world = World { tokens, ..world };
    assert_eq!(fifty(&world).await, vec![Err("interrupted"); 50]);
    assert_eq!(fifty(&world).await, vec![Ok(named(0)); 50]);
}

#[tokio::test]
async fn a_token_that_is_due_serves_while_it_is_renewed() {
    let world = World::new(|n, _| numbered(n)).await;
    assert_eq!(world.token().await, Ok(named(0)));
    world.pass(2699);
    assert_eq!(world.token().await, Ok(named(0)));
    world.settle().await;
    assert_eq!(world.stub.count(), 1, "not due yet");
    world.pass(1);
    assert_eq!(fifty(&world).await, vec![Ok(named(0)); 50]);
    world.settle().await;
    assert_eq!(world.token().await, Ok(named(1)));
    assert_eq!(world.stub.count(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_serves_until_it_expires() {
    let world = World::new(|n, _| if n == 0 { numbered(n) } else { refused("invalid_scope") }).await;
    assert_eq!(world.token().await, Ok(named(0)));
    world.pass(2700);
    for requests in [2, 3] {
        for _ in 0..20 {
            assert_eq!(world.token().await, Ok(named(0)));
            world.settle().await;
        }
        assert_eq!(world.stub.count(), requests, "a failed renewal rests");
        world.pass(PAUSE.as_secs());
    }
    world.pass(3600 - 2700 - 2 * PAUSE.as_secs() - 1);
    assert_eq!(world.token().await, Ok(named(0)), "the last second");
    world.settle().await;
    world.pass(1);
    assert_eq!(world.token().await, Err("invalid_scope"));
    assert_eq!(world.token().await, Err("invalid_scope"));
    assert_eq!(world.stub.count(), 6, "without a token each call asks");
}

#[tokio::test]
async fn a_token_is_not_followed_by_one_that_ends_earlier() {
    let world = World::new(|n, _| lived(n, if n == 1 { 100 } else { 3600 })).await;
    assert_eq!(world.token().await, Ok(named(0)));
    world.pass(2700);
    world.token().await.unwrap();
    world.settle().await;
    assert_eq!(world.token().await, Ok(named(0)), "the one that lives for 100 seconds is dropped");
    world.pass(PAUSE.as_secs());
    world.token().await.unwrap();
    world.settle().await;
    assert_eq!(world.token().await, Ok(named(2)));
}

#[tokio::test]
async fn a_renewal_brings_the_new_token_even_if_it_ends_in_the_same_second() {
    let world = World::new(|n, _| lived(n, if n == 0 { 3600 } else { 900 })).await;
    assert_eq!(world.token().await, Ok(named(0)));
    world.pass(2700);
    world.token().await.unwrap();
    world.settle().await;
    assert_eq!(world.token().await, Ok(named(1)));
}

#[tokio::test]
async fn a_proxy_that_answers_with_an_ageing_token_is_not_asked_each_time() {
    let token = jwt(r#"{"iat":1000000,"exp":1003600}"#);
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
    let world = World::new(move |_, _| reply(200, "", &body)).await;
    world.pass(2700);
    for _ in 0..20 {
        assert_eq!(world.token().await, Ok(token.clone()));
        world.settle().await;
    }
    assert_eq!(world.stub.count(), 1, "due from the start, so renewal rests from the start");
    world.pass(900);
    assert_eq!(world.token().await, Err("expired"), "whatever `expires_in` says");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_for_all_callers() {
    let world = World::new(|n, _| numbered(n)).await;
    let old = world.tokens.token(&[]).await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (tokens, old) = (world.tokens.clone(), old.clone());
        callers.spawn(async move { text(&tokens.replacement(&[], &old).await) });
    }
    assert_eq!(callers.join_all().await, vec![Ok(named(1)); 50]);
    assert_eq!(world.stub.count(), 2);

    let new = world.tokens.token(&[]).await.unwrap();
    assert!(world.tokens.replacement(&[], &new).await.unwrap().is(&new), "replaced a moment ago");
    world.pass(PAUSE.as_secs());
    assert_eq!(text(&world.tokens.replacement(&[], &new).await), Ok(named(2)));
}

#[tokio::test]
async fn a_clock_that_is_set_back_ends_a_pause() {
    let world = World::new(|n, _| numbered(n)).await;
    for n in 0..3 {
        let token = world.tokens.token(&[]).await.unwrap();
        assert_eq!(text(&world.tokens.replacement(&[], &token).await), Ok(named(n + 1)));
        world.seconds.fetch_sub(PAUSE.as_secs(), SeqCst);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_by_one_that_ends_earlier() {
    let world = World::new(|n, _| lived(n, if n == 1 { 100 } else { 3600 })).await;
    let old = world.tokens.token(&[]).await.unwrap();
    assert_eq!(text(&world.tokens.replacement(&[], &old).await), Ok(named(1)));
    assert_eq!(text(&world.tokens.token(&[]).await), Ok(named(1)));
}

#[tokio::test]
async fn the_slots_of_what_is_no_longer_needed_are_given_back() {
    let world = World::new(|n, _| if n == 0 { refused("invalid_scope") } else { numbered(n) }).await;
    assert_eq!(world.token().await, Err("invalid_scope"));
    assert_eq!(world.tokens.0.slots().len(), 0, "nothing is kept of a failure");

    let source = Rotating { token_url: world.stub.url("/token").parse().unwrap(), reads: Arc::default() };
    let (seconds, clock) = (Arc::clone(&world.seconds), Arc::clone(&world.seconds));
    let now = move || UNIX_EPOCH + Duration::from_secs(clock.load(SeqCst));
    let tokens = TokenSource::builder(source, Http::without_jitter()).clock(now).capacity(3).build();
    for (scope, requests) in [("a", 2), ("b", 3), ("c", 4), ("a", 4), ("d", 5), ("c", 5), ("d", 5), ("a", 6)]
    {
        tokens.token(&[scope]).await.unwrap();
        assert_eq!(world.stub.count(), requests, "{scope}: the token that expires first was dropped");
        assert!(tokens.0.slots().len() <= 3);
        seconds.fetch_add(1, SeqCst);
    }
    seconds.fetch_add(3600, SeqCst);
    tokens.token(&["e"]).await.unwrap();
    assert_eq!(tokens.0.slots().len(), 1, "expired tokens are dropped together");
}

#[tokio::test]
async fn requests_under_way_are_never_dropped() {
    let world = World::new(|n, _| numbered(n)).await;
    let source = Rotating { token_url: world.stub.url("/token").parse().unwrap(), reads: Arc::default() };
    let builder = TokenSource::builder(source, Http::without_jitter()).capacity(0);
    assert_eq!(format!("{builder:?}"), "TokenSourceBuilder { .. }");
    let tokens = builder.build();
    let mut callers = JoinSet::new();
    for n in 0..20 {
        let tokens = tokens.clone();
        callers.spawn(async move { tokens.token(&[&format!("scope-{}", n % 10)]).await.is_ok() });
    }
    assert_eq!(callers.join_all().await, vec![true; 20]);
    assert_eq!(world.stub.count(), 10, "callers of the same scopes share a request");
    tokens.token(&["another"]).await.unwrap();
    assert_eq!(tokens.0.slots().len(), 1, "the slots beyond the capacity are given back");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However time passes, and whatever the endpoint answers, a token that is handed out has life left.
    #[test]
    fn a_token_handed_out_has_life_left(steps in prop::collection::vec((0_u64..400, 0_u64..500), 1..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let life = Arc::new(AtomicU64::new(0));
            let answer = Arc::clone(&life);
            let world = World::new(move |n, _| match answer.load(SeqCst) {
                seconds if seconds < 150 => refused("invalid_scope"),
                seconds => lived(n, seconds - 150),
            })
            .await;
            for (seconds, answer) in steps {
                world.pass(seconds);
                life.store(answer, SeqCst);
                if let Ok(token) = world.tokens.token(&[]).await {
                    assert!(token.expires_at() > (world.tokens.0.clock)(), "after {seconds} s");
                }
                if answer % 2 == 0 {
                    world.settle().await;
                }
            }
        });
    }
}
