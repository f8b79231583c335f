use aws_sdk_dynamodb::types::AttributeValue;
use client::Http;
use dynamodb::Embedded;
use test_support::{Reply, Stub, reply};

use super::*;
use crate::testing::{Asked, TABLE, client_of, clock, dynamodb, request, turn_clock};

const LIFE: u64 = 3600;

/// A token endpoint that knows the secrets beginning with `good`, and numbers its tokens.
async fn issuer() -> Stub {
    Stub::new(|number, asked| {
        if asked.body.contains("client_secret=good") {
            token(number)
        } else {
            reply(400, "", r#"{"error":"invalid_client"}"#)
        }
    })
    .await
}

fn token(number: usize) -> Reply {
    reply(
        200,
        "",
        format!(r#"{{"access_token":"token-{number}","expires_in":{LIFE},"token_type":"Bearer"}}"#),
    )
}

fn cache(table: &Embedded, issuer: &Stub, asked: &Asked) -> Cache {
    let table = Table::new(client_of(table, asked), TABLE.to_owned());
    let upstream = Upstream::new(Http::new().unwrap(), issuer.url("/oauth2/token").parse().unwrap(), clock);
    Cache::new(table, upstream, clock)
}

fn soon() -> Instant {
    instant() + Duration::from_secs(20)
}

/// Token, origin and what is left of its life.
async fn ask(cache: &Cache, secret: &str, scopes: &str) -> Result<(String, Origin, u64), CacheError> {
    let granted = cache.token(&request("client", secret, scopes), soon()).await?;
    Ok((granted.token.expose_secret().to_owned(), granted.origin, granted.expires_in))
}

#[expect(clippy::unnecessary_wraps, reason = "what `ask` returns")]
fn granted(token: &str, origin: Origin, left: u64) -> Result<(String, Origin, u64), CacheError> {
    Ok((token.to_owned(), origin, left))
}

const REFUSED: CacheError =
    CacheError::Upstream(UpstreamError::Refused { status: 400, code: "invalid_client" });

#[tokio::test]
async fn a_token_is_asked_for_once_and_a_hit_costs_one_read() {
    let (table, issuer, asked) = (dynamodb().await, issuer().await, Asked::default());
    let one = cache(&table, &issuer, &asked);
    assert_eq!(ask(&one, "good", "a/b").await, granted("token-0", Origin::Miss, LIFE));
    assert_eq!(asked.take(), ["GetItem", "UpdateItem", "PutItem"]);
    turn_clock(100);
    let other = cache(&table, &issuer, &asked);
    assert_eq!(ask(&other, "good", "a/b").await, granted("token-0", Origin::Hit, LIFE - 100));
    assert_eq!(asked.take(), ["GetItem"]);
    assert_eq!(issuer.count(), 1);
}

#[tokio::test]
async fn secrets_and_scopes_are_kept_apart_and_neither_evicts_the_other() {
    let (table, issuer) = (dynamodb().await, issuer().await);
    let cache = cache(&table, &issuer, &Asked::default());
    let all = [("good-1", "a/b"), ("good-2", "a/b"), ("good-1", "a/b a/c"), ("good-1", "")];
    for (n, (secret, scopes)) in all.into_iter().enumerate() {
        let expected = granted(&format!("token-{n}"), Origin::Miss, LIFE);
        assert_eq!(ask(&cache, secret, scopes).await, expected, "{secret} {scopes}");
    }
    for (n, (secret, scopes)) in all.into_iter().enumerate() {
        let expected = granted(&format!("token-{n}"), Origin::Hit, LIFE);
        assert_eq!(ask(&cache, secret, scopes).await, expected, "{secret} {scopes}");
    }
}

#[tokio::test]
async fn a_wrong_secret_learns_nothing_and_leaves_nothing() {
    let (table, issuer, asked) = (dynamodb().await, issuer().await, Asked::default());
    let cache = cache(&table, &issuer, &asked);
    assert_eq!(ask(&cache, "wrong", "a/b").await, Err(REFUSED));
    let cold = asked.take();
    ask(&cache, "good", "a/b").await.unwrap();
    asked.take();
    assert_eq!(ask(&cache, "wrong", "a/b").await, Err(REFUSED));
    assert_eq!(asked.take(), cold, "the same path with and without a cached token");
    assert_eq!(items(&table).await.len(), 1);
    assert_eq!(issuer.count(), 3);
}

async fn items(table: &Embedded) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    client_of(table, &Asked::default()).scan().table_name(TABLE).send().await.unwrap().items.unwrap()
}

#[tokio::test]
async fn the_table_holds_neither_secret_nor_token_and_has_a_time_to_live() {
    let (table, issuer) = (dynamodb().await, issuer().await);
    ask(&cache(&table, &issuer, &Asked::default()), "good-secret", "a/b").await.unwrap();
    let items = items(&table).await;
    let text = format!("{items:?}");
    assert!(!text.contains("good-secret") && !text.contains("token-0"), "{text}");
    let AttributeValue::B(sealed) = &items[0]["sealed"] else { panic!("no bytes") };
    assert!(!String::from_utf8_lossy(sealed.as_ref()).contains("token-0"));
    let expires = seconds(clock()) + LIFE;
    assert_eq!(items[0]["ttl"], AttributeValue::N((expires + 3600).to_string()));
    assert_eq!(items[0]["pk"], AttributeValue::S("client".into()));
}

#[tokio::test]
async fn a_token_that_was_moved_to_another_item_is_not_given_out() {
    let (table, issuer) = (dynamodb().await, issuer().await);
    let cache = cache(&table, &issuer, &Asked::default());
    ask(&cache, "good", "a/b a/c").await.unwrap();
    ask(&cache, "good", "a/b").await.unwrap();
    let database = client_of(&table, &Asked::default());
    let key = |scopes| seal::item_key(&request("client", "good", scopes)).unwrap();
    let found = items(&table).await.into_iter();
    let mut wide = found.clone().find(|item| item["sk"].as_s().unwrap() == &key("a/b a/c")).unwrap();
    wide.insert("sk".into(), AttributeValue::S(key("a/b")));
    database.put_item().table_name(TABLE).set_item(Some(wide)).send().await.unwrap();
    assert_eq!(ask(&cache, "good", "a/b").await, granted("token-2", Origin::Miss, LIFE));
}

#[tokio::test]
async fn one_renews_at_three_quarters_while_the_others_get_the_old_one() {
    let (table, asked) = (dynamodb().await, Asked::default());
    let issuer = Stub::new(|number, _| token(number)).await;
    let cache = cache(&table, &issuer, &asked);
    ask(&cache, "good", "").await.unwrap();
    turn_clock(LIFE / 4 * 3 - 1);
    assert_eq!(ask(&cache, "good", "").await, granted("token-0", Origin::Hit, LIFE / 4 + 1));
    turn_clock(1);
    let each = || Box::pin(ask(&cache, "good", ""));
    let outcomes: [_; 3] = tokio::join!(each(), each(), each()).into();
    let origins: Vec<Origin> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().1).collect();
    assert_eq!(origins.iter().filter(|origin| **origin == Origin::Renewed).count(), 1, "{origins:?}");
    assert_eq!(issuer.count(), 2);
    assert_eq!(ask(&cache, "good", "").await, granted("token-1", Origin::Hit, LIFE));
}

#[tokio::test]
async fn a_failing_issuer_is_bridged_by_the_old_token_until_it_expires() {
    let table = dynamodb().await;
    let issuer = Stub::new(|number, _| if number == 0 { token(0) } else { reply(500, "", "{}") }).await;
    let cache = cache(&table, &issuer, &Asked::default());
    ask(&cache, "good", "").await.unwrap();
    turn_clock(LIFE - 10);
    assert_eq!(ask(&cache, "good", "").await, granted("token-0", Origin::Old, 10));
    let asked = issuer.count();
    assert_eq!(ask(&cache, "good", "").await, granted("token-0", Origin::Old, 10));
    assert_eq!(issuer.count(), asked, "the next attempt is made when the lease ends");
    turn_clock(10);
    let failed = UpstreamError::Unavailable { status: 500, retry_after: None };
    assert_eq!(ask(&cache, "good", "").await, Err(failed.into()));
    assert_eq!(items(&table).await.len(), 0, "nothing of a failure stays");
}

#[tokio::test]
async fn a_secret_that_is_refused_at_renewal_is_refused_to_the_caller() {
    let table = dynamodb().await;
    let issuer =
        Stub::new(
            |number, _| if number == 0 { token(0) } else { reply(400, "", r#"{"error":"invalid_client"}"#) },
        )
        .await;
    let cache = cache(&table, &issuer, &Asked::default());
    ask(&cache, "good", "").await.unwrap();
    turn_clock(LIFE - 10);
    assert_eq!(ask(&cache, "good", "").await, Err(REFUSED));
    assert_eq!(items(&table).await.len(), 0);
}

#[tokio::test]
async fn throttling_in_both_forms_is_backed_off_and_failures_are_not_kept() {
    let table = dynamodb().await;
    let issuer = Stub::new(|number, _| match number {
        0 => reply(429, "", "{}"),
        1 => reply(400, "", r#"{"__type":"TooManyRequestsException"}"#),
        2 => token(2),
        _ => reply(429, "retry-after: 7\r\n", "{}"),
    })
    .await;
    let cache = cache(&table, &issuer, &Asked::default());
    assert_eq!(ask(&cache, "good", "").await, granted("token-2", Origin::Miss, LIFE));
    let throttled = UpstreamError::Throttled { retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(ask(&cache, "good", "a/b").await, Err(throttled.into()));
    assert_eq!(items(&table).await.len(), 1);
}

#[tokio::test]
async fn the_lease_of_one_who_died_is_taken_over_when_it_ends() {
    let (table, issuer) = (dynamodb().await, issuer().await);
    let cache = cache(&table, &issuer, &Asked::default());
    let derived = seal::item_key(&request("client", "good", "")).unwrap();
    let key = Key { client_id: "client".into(), derived };
    let until = millis(clock() + LEASE);
    assert!(cache.table.lease(&key, "dead", None, millis(clock()), until).await.unwrap());
    let brief = instant() + Duration::from_millis(200);
    let waited = cache.token(&request("client", "good", ""), brief).await;
    assert_eq!(waited.map(|_| ()), Err(CacheError::Busy), "nobody asks while the lease runs");
    turn_clock(LEASE.as_secs() + 1);
    assert_eq!(ask(&cache, "good", "").await, granted("token-0", Origin::Miss, LIFE));
    assert!(!cache.table.store(&key, "dead", vec![], 1).await.unwrap(), "the dead one comes too late");
    assert_eq!(ask(&cache, "good", "").await, granted("token-0", Origin::Hit, LIFE));
}

#[tokio::test]
async fn without_the_table_the_issuer_is_asked() {
    let (table, issuer) = (dynamodb().await, issuer().await);
    let cache = cache(&table, &issuer, &Asked::default());
    table.close();
    let found = cache.token(&request("client", "good", ""), soon()).await.unwrap();
    assert_eq!((found.origin, found.token.expose_secret()), (Origin::Unavailable, "token-0"));
    assert!(found.trouble.unwrap().starts_with("GetItem failed: "));
}

#[tokio::test]
async fn a_token_made_for_one_request_is_neither_kept_nor_taken_from_the_table() {
    let (table, issuer, asked) = (dynamodb().await, issuer().await, Asked::default());
    let cache = cache(&table, &issuer, &asked);
    let mut special = request("client", "good", "");
    special.metadata = Some("{}".to_owned());
    let found = cache.token(&special, soon()).await.unwrap();
    assert_eq!(found.origin, Origin::Bypassed);
    assert!(issuer.heard()[0].body.ends_with("&aws_client_metadata=%7B%7D"));
    assert_eq!(asked.take().len(), 0);
}

#[tokio::test]
async fn an_issuer_that_hangs_is_not_waited_for_beyond_the_deadline() {
    let (table, issuer) = (dynamodb().await, Stub::always(Reply::Hang).await);
    let cache = cache(&table, &issuer, &Asked::default());
    let began = instant();
    let until = began + Duration::from_millis(300);
    let failed = cache.token(&request("client", "good", ""), until).await.unwrap_err();
    assert_eq!(failed, UpstreamError::TimedOut.into());
    assert!(instant() - began < Duration::from_secs(3));
}

#[test]
fn what_is_left_is_rounded_down() {
    let plain = Plain { token: "t".into(), token_type: "Bearer".into(), scope: None, asked: 0 };
    let held = Held { plain, expires: 100 };
    for (millis, expected) in
        [(0, 100), (1, 99), (50_000, 50), (50_001, 49), (98_999, 1), (99_001, 0), (200_000, 0)]
    {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(held.expires_in(now), expected, "{millis} ms");
    }
}
