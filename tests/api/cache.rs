//! The policy is kept for its token and used for every route.

use tests::System;

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
