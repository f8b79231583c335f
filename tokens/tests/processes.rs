//! Eight processes of the function `token` over one table, as Lambda runs them.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::{path::Path, sync::Arc, time::Duration};

use dynamodb::Embedded;
use serde_json::{Value, json};
use test_support::{Outcome, Process, Stub, open, reply};
use tokio::{runtime::Handle, task::JoinSet, task::block_in_place};

const TABLE: &str = "tokens";

/// A DynamoDB for other processes, which answers to this access key only.
async fn served(access_key: String) -> Stub {
    let database = Embedded::memory().unwrap();
    let attributes = ["pk", "sk"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let key = [("pk", "HASH"), ("sk", "RANGE")];
    let key = key.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind}));
    let table = json!({
        "TableName": TABLE, "AttributeDefinitions": attributes, "KeySchema": key, "BillingMode": "PAY_PER_REQUEST",
    });
    let (status, _) = database.run("CreateTable", table.to_string().as_bytes()).await.unwrap();
    assert_eq!(status, 200);
    Stub::new(move |_, request| {
        let authorization = request.header("authorization").unwrap_or_default();
        if !authorization.contains(&format!("Credential={access_key}/")) {
            return reply(403, "", "");
        }
        let (_, operation) = request.header("x-amz-target").unwrap().split_once('.').unwrap();
        let answer = database.run(operation, request.body.as_bytes());
        let (status, body) = block_in_place(|| Handle::current().block_on(answer)).unwrap();
        open(status, "", body)
    })
    .await
}

/// Asks until there is a token: a caller whose patience ends asks again, as `Retry-After` tells it to.
async fn token(process: &Process, event: &str) -> String {
    loop {
        let Outcome::Answer(answer) = process.invoke(event).await else { panic!("an answer") };
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        match answer["statusCode"].as_u64() {
            Some(200) => return body["access_token"].as_str().unwrap().to_owned(),
            Some(503) => {}
            _ => panic!("{answer}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_in_eight_processes_make_three_requests_at_most() {
    let access_key = format!("AKID{:016X}", fastrand::u64(..));
    let database = served(access_key.clone()).await;
    let issuer = Stub::new(|number, _| {
        let token =
            json!({"access_token": format!("token-{number}"), "expires_in": 3600, "token_type": "Bearer"});
        reply(200, "", token.to_string()).late(Duration::from_millis(200))
    })
    .await;
    let settings = [
        ("TOKEN_URL", issuer.url("/oauth2/token")),
        ("TOKENS_TABLE", TABLE.to_owned()),
        ("AWS_ENDPOINT_URL", database.url("")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", access_key),
        ("AWS_SECRET_ACCESS_KEY", "example".to_owned()),
        ("AWS_LAMBDA_MAX_CONCURRENCY", "4".to_owned()),
    ];
    let event = json!({
        "resource": "/token", "path": "/token", "httpMethod": "POST", "requestContext": {"requestId": "r"},
        "headers": {"Content-Type": "application/x-www-form-urlencoded"}, "isBase64Encoded": false,
        "body": "grant_type=client_credentials&client_id=7abc&client_secret=s3cret&scope=orders/read",
    });
    let event: Arc<str> = event.to_string().into();

    let mut processes = Vec::new();
    for _ in 0..8 {
        processes.push(Arc::new(Process::start(Path::new(env!("CARGO_BIN_EXE_token")), &settings).await));
    }
    for process in &processes {
        process.idle().await;
    }
    let mut callers = JoinSet::new();
    for process in &processes {
        for _ in 0..125 {
            let (process, event) = (Arc::clone(process), Arc::clone(&event));
            callers.spawn(async move { token(&process, &event).await });
        }
    }
    let tokens = callers.join_all().await;
    assert_eq!(tokens.len(), 1000);
    assert!((1..=3).contains(&issuer.count()), "{} requests", issuer.count());
    for process in processes {
        let hits = process.log().matches(r#""cache":"hit""#).count();
        assert!(hits > 0, "a process that no caller reached");
    }
}
