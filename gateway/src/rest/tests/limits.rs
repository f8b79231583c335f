//! Rows about sizes, time-outs, throttles and quotas.

use std::time::Duration;

use serde_json::json;

use super::support::{Stage, authorized, policy, within};
use crate::rest::api::{Api, ApiKey, ApiKeySource, Quota, QuotaPeriod, Throttle, UsagePlan};

const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
const TOO_MANY: &str = r#"{"message":"Too Many Requests"}"#;
const LIMIT: &str = r#"{"message":"Limit Exceeded"}"#;

#[tokio::test]
async fn row_21_an_event_over_6_mb_is_413() {
    let stage = Stage::new(|_| ());
    let mut request = authorized("POST", "/orders");
    request.body = vec![b'x'; 6 * 1024 * 1024 - 4096];
    assert_eq!(stage.ask(request.clone()).await.0, 200);
    request.body = vec![b'x'; 6 * 1024 * 1024];
    assert_eq!(stage.ask(request.clone()).await, (413, r#"{"message":"Request Too Long"}"#.into()));
    request.body = vec![b'"'; 4 * 1024 * 1024];
    assert_eq!(stage.ask(request).await.0, 413, "every quote is two bytes of an event");
    assert_eq!(stage.count("Handler"), 1);
}

#[tokio::test(start_paused = true)]
async fn row_22_a_function_that_does_not_answer_in_time_is_504() {
    let stage = Stage::new(|api| api.methods[1].integration = within(Duration::from_secs(5)));
    stage.ask(authorized("GET", "/orders")).await;
    let timed_out = (504, r#"{"message":"Endpoint request timed out"}"#.to_owned());
    for (path, seconds, expected) in [("/orders", 28, 200), ("/orders", 30, 504), ("/orders/7", 6, 504)] {
        *stage.functions.delay.lock().unwrap() = Duration::from_secs(seconds);
        let answer = stage.ask(authorized("GET", path)).await;
        assert_eq!(answer.0, expected, "{path} {seconds}");
        assert!(expected == 200 || answer == timed_out, "{answer:?}");
    }
}

#[tokio::test]
async fn row_23_a_method_with_a_limit_of_its_own_has_its_own_bucket() {
    let stage = Stage::new(|api| {
        api.throttle = Some(Throttle { rate: 1.0, burst: 3 });
        api.method_throttles.insert(("GET".into(), "/orders".into()), Throttle { rate: 1.0, burst: 1 });
    });
    for (path, expected) in [("/orders", 200), ("/orders", 429), ("/open", 200), ("/open", 200)] {
        assert_eq!(stage.ask(authorized("GET", path)).await.0, expected, "{path}");
    }
}

#[tokio::test]
async fn row_23_the_stage_throttles_all_callers() {
    let stage = Stage::new(|api| api.throttle = Some(Throttle { rate: 1.0, burst: 2 }));
    for expected in [200, 200, 429] {
        assert_eq!(stage.ask(authorized("GET", "/open")).await.0, expected);
    }
    let response = stage.answer(authorized("GET", "/orders")).await;
    assert_eq!(response.body, TOO_MANY.as_bytes());
    assert_eq!(response.headers.first("x-amzn-ErrorType"), Some("TooManyRequestsException"));
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.ask(authorized("GET", "/open")).await.0, 200);
}

fn with_plan(source: ApiKeySource) -> impl FnOnce(&mut Api) {
    move |api| {
        api.methods.iter_mut().for_each(|method| method.api_key_required = true);
        api.api_key_source = source;
        let key = |value: &str, enabled| ApiKey { value: value.into(), enabled };
        api.api_keys =
            vec![key("order-service", true), key("storefront", true), key("off", false), key("idle", true)];
        api.usage_plans = vec![UsagePlan {
            name: "plan".into(),
            api_keys: vec!["order-service".into(), "storefront".into(), "off".into()],
            throttle: Some(Throttle { rate: 10.0, burst: 2 }),
            quota: Some(Quota { limit: 3, offset: 0, period: QuotaPeriod::Day }),
        }];
    }
}

#[tokio::test]
async fn row_23_a_required_key_must_be_known_enabled_and_in_a_plan() {
    let stage = Stage::new(with_plan(ApiKeySource::Header));
    let cases = [
        (None, 403),
        (Some(""), 403),
        (Some("unknown"), 403),
        (Some("off"), 403),
        (Some("idle"), 403),
        (Some("ORDER-SERVICE"), 403),
        (Some("order-service"), 200),
    ];
    for (key, status) in cases {
        let mut request = authorized("GET", "/orders");
        if let Some(key) = key {
            request.headers.push("X-Api-Key", key);
        }
        let answer = stage.ask(request).await;
        assert_eq!(answer.0, status, "{key:?}");
        assert!(status == 200 || answer.1 == FORBIDDEN, "{key:?}");
    }
    assert_eq!(stage.last_event("Handler")["requestContext"]["identity"]["apiKey"], json!("order-service"));
}

#[tokio::test]
async fn row_23_the_authorizers_key_is_counted_by_itself() {
    let stage = Stage::new(with_plan(ApiKeySource::Authorizer));
    let as_client = |key: Option<&str>| {
        let mut answer = policy(&[("Allow", "*")]);
        answer["usageIdentifierKey"] = json!(key);
        stage.set("Authorizer", Ok(answer));
        let mut request = authorized("GET", "/orders");
        request.headers.remove("Authorization");
        request.headers.push("Authorization", &format!("Bearer {key:?}"));
        // Not where the key comes from here.
        request.headers.push("x-api-key", "storefront");
        request
    };
    assert_eq!(stage.ask(as_client(None)).await, (403, FORBIDDEN.into()));
    assert_eq!(stage.ask(as_client(Some("unknown"))).await, (403, FORBIDDEN.into()));
    let orders = || as_client(Some("order-service"));
    assert_eq!(stage.ask(orders()).await.0, 200);
    assert_eq!(stage.ask(orders()).await.0, 200);
    assert_eq!(stage.ask(orders()).await, (429, TOO_MANY.into()), "the burst is two");
    assert_eq!(stage.ask(as_client(Some("storefront"))).await.0, 200, "another client has its own");
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.ask(orders()).await.0, 200, "what was throttled did not count");
    let answer = stage.answer(orders()).await;
    assert_eq!((answer.status, answer.body.as_slice()), (429, LIMIT.as_bytes()));
    assert_eq!(answer.headers.first("x-amzn-ErrorType"), Some("LimitExceededException"));
    stage.pass(Duration::from_hours(24));
    assert_eq!(stage.ask(orders()).await.0, 200, "another day");
}

#[tokio::test]
async fn row_23_what_a_key_has_left_is_told_as_it_is_counted() {
    let stage = Stage::new(with_plan(ApiKeySource::Header));
    let mut orders = authorized("GET", "/orders");
    orders.headers.push("x-api-key", "order-service");
    let standing = || {
        let standings = stage.gateway.standings();
        let keys: Vec<_> = standings.iter().map(|standing| standing.api_key.as_str()).collect();
        assert_eq!(keys, ["order-service", "storefront"], "a key that is off or in no plan counts nothing");
        assert!(!format!("{standings:?}").contains("storefront"), "no key is shown");
        let standing = standings.into_iter().next().unwrap();
        let tokens = standing.throttle.map(|(_, tokens)| tokens).unwrap();
        (tokens, standing.quota.map(|(_, left)| left).unwrap(), standing.throttled, standing.over_quota)
    };
    assert_eq!(standing(), (2.0, 3, 0, 0));
    for (status, expected) in [(200, (1.0, 2, 0, 0)), (200, (0.0, 1, 0, 0)), (429, (0.0, 1, 1, 0))] {
        assert_eq!(stage.ask(orders.clone()).await.0, status);
        assert_eq!(standing(), expected);
    }
    stage.pass(Duration::from_secs(1));
    assert_eq!(standing(), (2.0, 1, 1, 0), "the bucket fills while nobody asks");
    assert_eq!(stage.ask(orders.clone()).await.0, 200);
    assert_eq!(stage.ask(orders.clone()).await.0, 429);
    assert_eq!(standing(), (0.0, 0, 1, 1));
    stage.pass(Duration::from_hours(24));
    assert_eq!(standing(), (2.0, 3, 1, 1), "another day");
}
