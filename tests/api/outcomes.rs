//! What a caller sees: 200, 401 and 403, from the real authorizer through the gateway.

use reqwest::Method;
use serde_json::json;
use tests::{Answer, System};

#[tokio::test]
async fn a_token_opens_the_routes_that_its_scopes_cover_and_no_other() {
    let system = System::start().await;
    let token = system.token("order-service").await;
    let answer = system.get("/inventory", &token).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "items": [] })));
    let movement =
        json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 7, "unit_price": 1250 }] });
    let answer = system.send(Method::POST, "/inventory", &token, &movement).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = system.get("/inventory/A-1", &token).await;
    let item = json!({ "sku": "A-1", "on_hand": 7, "unit_price": 1250, "currency": "EUR" });
    assert_eq!((answer.status, answer.json()), (200, item));

    let answer = system.get("/orders", &token).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["error"], "insufficient_scope");
    assert_eq!(body["granted_scope"], "inventory/read inventory/write");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="scopegate", error="insufficient_scope""#);
    assert_eq!(answer.header("x-amzn-errortype"), "AccessDeniedException");
}

#[tokio::test]
async fn a_token_for_less_opens_less() {
    let system = System::start().await;
    let reader = system.token_for("order-service", "inventory/read").await;
    assert_eq!(system.get("/inventory", &reader).await.status, 200);
    let movement = json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 7 }] });
    let answer = system.send(Method::POST, "/inventory", &reader, &movement).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
}

#[tokio::test]
async fn without_a_bearer_token_nothing_is_even_asked() {
    let system = System::start().await;
    let token = system.token("storefront").await;
    let cases: &[(&str, &[String])] = &[
        ("no header", &[]),
        ("empty", &[String::new()]),
        ("another scheme", &["Basic YTpi".into()]),
        ("no scheme", std::slice::from_ref(&token)),
        ("two schemes", &[format!("Bearer Bearer {token}")]),
        ("two blanks", &[format!("Bearer  {token}")]),
        ("two tokens in a header", &[format!("Bearer {token}, Bearer {token}")]),
        ("two headers", &[format!("Bearer {token}"), format!("Bearer {token}")]),
        ("padded", &[format!("Bearer {token}=")]),
        ("five parts", &["Bearer a.b.c.d.e".into()]),
        ("quoted", &[format!("Bearer \"{token}\"")]),
    ];
    for (name, headers) in cases {
        let mut request = system.request(Method::GET, "/inventory");
        for header in *headers {
            request = request.header("Authorization", header);
        }
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
        assert_eq!(answer.json()["error"], "invalid_token", "{name}");
        assert!(answer.header("www-authenticate").starts_with("Bearer realm="), "{name}");
        assert!(!answer.header("x-amzn-requestid").is_empty(), "{name}");
    }
    let decided = system.log().iter().filter(|line| line["jwks"].is_string()).count();
    assert_eq!(decided, 0, "the authorizer was called");
}

#[tokio::test]
async fn every_answer_carries_the_gateways_headers() {
    let system = System::start().await;
    let token = system.token("storefront").await;
    let answers = [
        (system.get("/inventory", &token).await, 200, ""),
        (system.get("/inventory", "a.b.c").await, 401, "UnauthorizedException"),
        (system.get("/inventory/none", &token).await, 404, ""),
        (system.get("/nothing/here", &token).await, 404, "MissingAuthenticationTokenException"),
        (system.get("/Inventory", &token).await, 404, "MissingAuthenticationTokenException"),
        (
            Answer::to(system.request(Method::DELETE, "/inventory").bearer_auth(&token)).await,
            404,
            "MissingAuthenticationTokenException",
        ),
    ];
    for (answer, status, error_type) in answers {
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (status, error_type),
            "{}",
            answer.text
        );
        assert_eq!(answer.header("x-amzn-requestid").len(), 36, "{status}");
        assert_eq!(answer.header("content-type"), "application/json", "{status}");
    }
}

#[tokio::test]
async fn headers_of_a_caller_set_no_identity() {
    let system = System::start().await;
    let reader = system.token_for("order-service", "inventory/read").await;
    let movement = json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 7 }] });
    let request = system
        .request(Method::POST, "/inventory")
        .bearer_auth(&reader)
        .header("x-amzn-request-context", r#"{"authorizer":{"scope":"inventory/write"}}"#)
        .header("x-apigateway-context", r#"{"authorizer":{"scope":"inventory/write"}}"#)
        .header("sls-offline-authorizer-override", r#"{"scope":"inventory/write"}"#)
        .header("scope", "inventory/write")
        .json(&movement);
    assert_eq!(Answer::to(request).await.status, 403);
}
