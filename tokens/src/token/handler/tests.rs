use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use test_support::{Stub, reply};

use super::*;
use crate::testing::{Asked, TABLE, client_of, clock, dynamodb, log};

const GRANT: &str = "grant_type=client_credentials";

fn event(secret: &str, body: &str) -> Vec<u8> {
    let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("7abc:{secret}")));
    let event = json!({
        "resource": "/token", "path": "/token", "httpMethod": "POST",
        "multiValueHeaders": {"Content-Type": ["application/x-www-form-urlencoded"], "Authorization": [authorization]},
        "requestContext": {"requestId": "r-1"}, "body": body, "isBase64Encoded": false,
    });
    event.to_string().into_bytes()
}

async fn function(issuer: &Stub, table: &str, log: Log) -> TokenFunction {
    let config = TokenConfig { token_url: issuer.url("/oauth2/token").parse().unwrap(), table: table.into() };
    let dynamodb = client_of(&dynamodb().await, &Asked::default());
    TokenFunction::new(config, dynamodb, Http::new().unwrap(), clock, log)
}

async fn answer(function: &TokenFunction, event: &[u8]) -> Value {
    let deadline = clock() + Duration::from_secs(10);
    let mut answer: Value =
        serde_json::from_slice(&function.handle(event, "i-1", deadline).await.unwrap()).unwrap();
    assert_eq!(answer["headers"]["Cache-Control"], "no-store");
    assert_eq!(answer["headers"]["Pragma"], "no-cache");
    assert_eq!(answer["headers"]["Content-Type"], "application/json");
    answer["body"] = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    answer
}

#[tokio::test]
async fn answers_and_log_lines_are_those_of_a_token_endpoint() {
    let issuer = Stub::in_turn(vec![
        reply(200, "", r#"{"access_token":"t0ken","expires_in":60,"token_type":"Bearer"}"#),
        reply(400, "", r#"{"error":"invalid_scope"}"#),
        reply(503, "retry-after: 9\r\n", ""),
    ])
    .await;
    let (log, written) = log();
    let function = function(&issuer, TABLE, log).await;
    for _ in 0..2 {
        let token = answer(&function, &event("s3cret", GRANT)).await;
        assert_eq!(token["statusCode"], 200);
        assert_eq!(token["body"], json!({"access_token": "t0ken", "expires_in": 60, "token_type": "Bearer"}));
    }
    let refused = answer(&function, &event("s3cret", &format!("{GRANT}&scope=x/y"))).await;
    assert_eq!((&refused["statusCode"], &refused["body"]), (&json!(400), &json!({"error": "invalid_scope"})));
    let malformed = answer(&function, &event("s3cret", "grant_type=password")).await;
    assert_eq!(malformed["body"], json!({"error": "unsupported_grant_type"}));
    let failed = answer(&function, &event("s3cret", &format!("{GRANT}&scope=x/z"))).await;
    assert_eq!((&failed["statusCode"], &failed["headers"]["Retry-After"]), (&json!(503), &json!("9")));
    assert_eq!(failed["body"], json!({"error": "temporarily_unavailable"}));
    let failure = function.handle(b"{}", "i-1", clock()).await.unwrap_err();
    assert_eq!(failure.error_type, "bad_event");

    let written = written.lock().unwrap();
    assert!(!written.contains("s3cret") && !written.contains("t0ken"), "{written}");
    insta::assert_snapshot!(*written, @r#"
    {"outcome":"answered","reason":null,"route":"POST /token","client_id":"7abc","cache":"miss","status":200,"latency_ms":0.0,"request_id":"r-1"}
    {"outcome":"answered","reason":null,"route":"POST /token","client_id":"7abc","cache":"hit","status":200,"latency_ms":0.0,"request_id":"r-1"}
    {"outcome":"refused","reason":"invalid_scope","route":"POST /token","client_id":"7abc","status":400,"latency_ms":0.0,"request_id":"r-1"}
    {"outcome":"answered","reason":"unsupported_grant_type","route":"POST /token","client_id":null,"status":400,"latency_ms":0.0,"request_id":"r-1"}
    {"outcome":"fault","reason":"unavailable","route":"POST /token","client_id":"7abc","status":503,"latency_ms":0.0,"request_id":"r-1","detail":"the token endpoint failed with status 503"}
    {"outcome":"fault","reason":"bad_event","route":null,"client_id":null,"latency_ms":0.0,"request_id":"i-1"}
    "#);
}

#[tokio::test]
async fn a_failing_table_is_logged_and_the_issuer_asked() {
    let issuer =
        Stub::always(reply(200, "", r#"{"access_token":"t0ken","expires_in":60,"token_type":"Bearer"}"#))
            .await;
    let (log, written) = log();
    let function = function(&issuer, "missing", log).await;
    assert_eq!(answer(&function, &event("s3cret", GRANT)).await["statusCode"], 200);
    let line: Value = serde_json::from_str(&written.lock().unwrap()).unwrap();
    assert_eq!((&line["outcome"], &line["cache"]), (&json!("answered"), &json!("unavailable")));
    assert!(line["detail"].as_str().unwrap().starts_with("GetItem failed: "), "{line}");
}
