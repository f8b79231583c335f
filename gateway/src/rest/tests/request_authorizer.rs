//! Rows about REQUEST authorizers: their identity sources, and what they see.

use std::time::Duration;

use serde_json::json;

use super::support::{ARN, Stage, request};
use crate::{
    http::Request,
    rest::api::{Identity, IdentitySource},
};

const UNAUTHORIZED: &str = r#"{"message":"Unauthorized"}"#;

/// A stage whose authorizer goes by the request: a header, a parameter of the query, a stage variable and the path.
fn request_stage(cache_time: Duration) -> Stage {
    Stage::new(|api| {
        api.stage_variables.insert("tier".into(), "gold".into());
        for authorizer in api.authorizers.values_mut() {
            authorizer.cache_time = cache_time;
            authorizer.identity = Identity::Request(vec![
                IdentitySource::Header("X-Key".into()),
                IdentitySource::QueryString("tenant".into()),
                IdentitySource::StageVariable("tier".into()),
                IdentitySource::Context("identity.sourceIp".into()),
            ]);
        }
    })
}

fn keyed(target: &str, keys: &[&str]) -> Request {
    let mut request = request("GET", target);
    for key in keys {
        request.headers.push("x-key", key);
    }
    request
}

#[tokio::test]
async fn row_3_a_missing_identity_source_is_401_without_a_call() {
    for cache_time in [Duration::from_mins(5), Duration::ZERO] {
        let stage = request_stage(cache_time);
        let cases = [
            ("no header", keyed("/orders?tenant=a", &[])),
            ("an empty header", keyed("/orders?tenant=a", &[""])),
            ("no parameter", keyed("/orders", &["k"])),
            ("an empty parameter", keyed("/orders?tenant=", &["k"])),
            ("another parameter", keyed("/orders?Tenant=a", &["k"])),
        ];
        for (name, request) in cases {
            assert_eq!(stage.ask(request).await, (401, UNAUTHORIZED.to_owned()), "{name}");
        }
        assert_eq!(stage.count("Authorizer"), 0);
        assert_eq!(stage.ask(keyed("/orders?tenant=a", &["k"])).await.0, 200);
    }
    let stage = Stage::new(|api| {
        for authorizer in api.authorizers.values_mut() {
            authorizer.identity = Identity::Request(vec![IdentitySource::StageVariable("none".into())]);
        }
    });
    assert_eq!(stage.ask(request("GET", "/orders")).await.0, 401);
}

#[tokio::test]
async fn row_1_the_values_of_the_identity_sources_in_order_are_the_key_of_the_cache() {
    let stage = request_stage(Duration::from_mins(5));
    let calls = [
        ("first", keyed("/orders?tenant=a", &["k"]), 1),
        ("the same", keyed("/orders?tenant=a&more=1", &["k"]), 1),
        ("another tenant", keyed("/orders?tenant=b", &["k"]), 2),
        ("another key", keyed("/orders?tenant=a", &["l"]), 3),
        ("exchanged", keyed("/orders?tenant=k", &["a"]), 4),
        ("two values", keyed("/orders?tenant=a", &["k", "l"]), 5),
        ("the same values cut in another way", keyed("/orders?tenant=a", &["k,l"]), 6),
    ];
    for (name, request, expected) in calls {
        assert_eq!(stage.ask(request).await.0, 200, "{name}");
        assert_eq!(stage.count("Authorizer"), expected, "{name}");
    }
    let stage = request_stage(Duration::ZERO);
    for expected in 1..=3 {
        stage.ask(keyed("/orders?tenant=a", &["k"])).await;
        assert_eq!(stage.count("Authorizer"), expected, "nothing is cached");
    }
}

#[tokio::test]
async fn a_request_authorizer_gets_the_documented_event() {
    let stage = request_stage(Duration::ZERO);
    let mut request = keyed("/orders/a%2Fb?tenant=a", &["k"]);
    request.body = b"{}".to_vec();
    stage.answer(request).await;
    let event = stage.last_event("Authorizer");
    let names: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "headers",
        "httpMethod",
        "methodArn",
        "multiValueHeaders",
        "multiValueQueryStringParameters",
        "path",
        "pathParameters",
        "queryStringParameters",
        "requestContext",
        "resource",
        "stageVariables",
        "type",
    ];
    assert_eq!(names, expected);
    assert_eq!(event["type"], "REQUEST");
    assert_eq!(event["methodArn"], format!("{ARN}/GET/orders/a%2Fb"));
    assert_eq!((&event["resource"], &event["path"]), (&json!("/orders/{id}"), &json!("/orders/a%2Fb")));
    assert_eq!(event["pathParameters"], json!({"id": "a%2Fb"}));
    assert_eq!(event["headers"]["x-key"], "k");
    assert_eq!(event["queryStringParameters"], json!({"tenant": "a"}));
    assert_eq!(event["stageVariables"], json!({"tier": "gold"}));
    assert_eq!(event["requestContext"].get("authorizer"), None);
    stage.answer(keyed("/orders?tenant=a", &["k"])).await;
    assert_eq!(stage.last_event("Authorizer")["pathParameters"], json!({}), "empty, not null");
}
