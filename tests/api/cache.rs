//! The policy is cached for its token and used for every route.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use serde_json::json;
use tests::{System, unix_now};

/// How often the authorizer was called.
fn decisions(system: &System) -> usize {
    system.log().iter().filter(|line| line["outcome"] == "allowed" || line["outcome"] == "refused").count()
}

#[tokio::test]
async fn one_decision_serves_every_route_of_its_token() {
    let system = System::start().await;
    let token = system.token("order-service").await;
    for (path, status) in
        [("/inventory", 200), ("/inventory/none", 404), ("/orders", 403), ("/reports/2026-01-31", 403)]
    {
        assert_eq!(system.get(path, &token).await.status, status, "{path}");
    }
    assert_eq!(decisions(&system), 1);
    let other = system.token("order-service").await;
    assert_eq!(system.get("/inventory", &other).await.status, 200);
    assert_eq!(decisions(&system), 2, "another token is another decision");
}

#[tokio::test]
async fn a_decision_made_for_a_route_that_is_denied_opens_those_that_are_granted() {
    let system = System::start().await;
    let token = system.token("order-service").await;
    assert_eq!(system.get("/orders", &token).await.status, 403);
    assert_eq!(system.get("/inventory", &token).await.status, 200);
    assert_eq!(decisions(&system), 1);
}

#[tokio::test]
async fn refusals_are_not_kept() {
    let system = System::start().await;
    for _ in 0..3 {
        assert_eq!(system.get("/inventory", "e30.e30.e30").await.status, 401);
    }
    assert_eq!(decisions(&system), 3);
}

/// The gateway does not know when a token expires and goes on using the cached policy. The functions refuse it.
#[tokio::test]
async fn a_policy_that_outlives_its_token_opens_nothing() {
    static SECONDS: AtomicU64 = AtomicU64::new(0);
    #[expect(clippy::disallowed_methods, reason = "the edge of the system under test")]
    fn clock() -> SystemTime {
        SystemTime::now() + Duration::from_secs(SECONDS.load(Ordering::SeqCst))
    }
    let system = System::start_at(clock, |_| {}).await;
    let mut claims = system.claims();
    claims["exp"] = json!(unix_now().plus(Duration::from_secs(100)));
    let token = system.mint(&claims);
    // A function that refuses calls it `token_expired`.
    let decisions = || {
        let allowed = system.log().iter().filter(|line| line["outcome"] == "allowed").count();
        (allowed, system.outcomes().get("refused expired").copied())
    };
    let routes = ["/inventory", "/orders", "/payments", "/reports/2026-01-31"];
    for path in routes {
        assert!([200, 404].contains(&system.get(path, &token).await.status), "{path}");
    }

    // The template caches policies for 300 seconds.
    SECONDS.store(200, Ordering::SeqCst);
    for path in routes {
        let answer = system.get(path, &token).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("token_expired")), "{path}");
        // API Gateway renames the header of a function.
        let challenge = answer.header("x-amzn-remapped-www-authenticate");
        assert!(challenge.contains(r#"error="invalid_token""#), "{path}");
    }
    assert_eq!(decisions(), (1, None), "the gateway decided by what it kept");

    SECONDS.store(400, Ordering::SeqCst);
    assert_eq!(system.get("/inventory", &token).await.status, 401);
    assert_eq!(decisions(), (1, Some(1)), "now the authorizer refuses it itself");
}
