//! Least privilege: who may call what, every client and every single scope against every route.

use access::{Route, ScopeSet};
use handlers::routes::ROUTES;
use reqwest::Method;
use serde_json::json;
use tests::{Answer, System};

/// Whether the gateway lets a call of `route` through, however the function answers an empty request.
async fn is_let_through(system: &System, route: &Route, token: &str) -> bool {
    let path = route.path().replace("{sku}", "A-1").replace("{id}", "7").replace("{date}", "2026-01-31");
    let method = Method::from_bytes(route.method().as_str().as_bytes()).unwrap();
    let mut request = system.request(method.clone(), &path).bearer_auth(token);
    if method != Method::GET {
        request = request.json(&json!({}));
    }
    let answer = Answer::to(request).await;
    match answer.status {
        403 => {
            assert_eq!(
                answer.header("x-amzn-errortype"),
                "AccessDeniedException",
                "{route}: {}",
                answer.text
            );
            false
        }
        200 | 400 | 404 => true,
        other => panic!("{route}: {other} {}", answer.text),
    }
}

async fn assert_exactly(system: &System, who: &str, scopes: &str, token: &str) {
    let held = ScopeSet::parse(scopes).unwrap();
    for route in ROUTES.routes() {
        let expected = route.is_covered_by(&held);
        assert_eq!(is_let_through(system, route, token).await, expected, "{who} with `{scopes}`: {route}");
    }
}

#[tokio::test]
async fn a_client_reaches_the_routes_of_its_scopes_and_no_other() {
    let system = System::start().await;
    for (name, client) in &system.local().clients().0 {
        let token = system.token(name).await;
        assert_exactly(&system, name, &client.scopes.join(" "), &token).await;
    }
}

#[tokio::test]
async fn a_token_for_one_scope_reaches_the_routes_of_that_scope_and_no_other() {
    let system = System::start().await;
    for (name, client) in &system.local().clients().0 {
        for scope in &client.scopes {
            let token = system.token_for(name, scope).await;
            assert_exactly(&system, name, scope, &token).await;
        }
    }
}
