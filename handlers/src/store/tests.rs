//! What the embedded DynamoDB never answers: conflicts, throttling, failures. A stub answers them in its place.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};

use serde_json::{Value, json};

use super::*;
use crate::{error::ApiError, testing::stub};

/// A table whose DynamoDB gives these answers, one to a request.
async fn table(answers: &[(u16, String)]) -> Table {
    let stub = stub(answers).await;
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "secret-of-the-test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(client::Http::new().unwrap())
        .endpoint_url(stub.url("/"));
    Table::new(Client::from_conf(config.build()), "table".to_owned())
}

fn failure(status: u16, name: &str) -> (u16, String) {
    (status, format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{name}","message":"m"}}"#))
}

fn cancelled(codes: &[&str]) -> (u16, String) {
    let reasons: Vec<_> = codes.iter().map(|code| format!(r#"{{"Code":"{code}"}}"#)).collect();
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let reasons = reasons.join(",");
    (400, format!(r#"{{"__type":"{name}","Message":"m","CancellationReasons":[{reasons}]}}"#))
}

const DONE: &str = "{}";
const CONDITION: &str = "ConditionalCheckFailed";
const CONFLICT: &str = "TransactionConflict";

#[tokio::test]
async fn a_transaction_is_tried_again_until_nothing_but_conditions_decides() {
    let done = (200, DONE.to_owned());
    let cases = [
        ("done at once", vec![done.clone()], Transaction::Done),
        ("one conflict", vec![cancelled(&["None", CONFLICT]), done.clone()], Transaction::Done),
        (
            "in progress",
            vec![failure(400, "TransactionInProgressException"), done.clone()],
            Transaction::Done,
        ),
        ("throttled", vec![cancelled(&["ThrottlingError", "None"]), done], Transaction::Done),
        ("a condition", vec![cancelled(&["None", CONDITION])], Transaction::Refused(1)),
        (
            "a condition beside a conflict",
            vec![cancelled(&[CONFLICT, CONDITION]), cancelled(&[CONDITION, CONDITION])],
            Transaction::Refused(0),
        ),
    ];
    for (name, answers, expected) in cases {
        let table = table(&answers).await;
        let put = || table.put_new(&Key::new("a", "b"), None, &json!({})).unwrap();
        assert_eq!(table.transact(vec![put(), put()]).await, Ok(expected), "{name}");
    }
}

#[tokio::test]
async fn a_single_write_that_meets_a_transaction_is_tried_again() {
    let conflict = failure(400, "TransactionConflictException");
    let refused = failure(400, "ConditionalCheckFailedException");
    let change = Change::new("SET #a = :a", "", &json!({"a": 1})).unwrap();
    let one = table(&[conflict.clone(), conflict.clone(), refused]).await;
    assert_eq!(one.update::<Value>(&Key::new("a", "b"), &change).await, Ok(None));
    let always = table(&vec![conflict; 10]).await;
    assert_eq!(always.update::<Value>(&Key::new("a", "b"), &change).await, Err(StoreError::Busy));
}

#[tokio::test]
async fn failures_are_told_apart_and_name_no_secret() {
    let cases = [
        ("throttled", failure(400, "ThrottlingException"), 503),
        ("their fault", failure(500, "InternalServerError"), 503),
        ("no such table", failure(400, "ResourceNotFoundException"), 500),
        ("not allowed", failure(400, "AccessDeniedException"), 500),
    ];
    for (name, answer, status) in cases {
        let error =
            ApiError::from(table(&[answer]).await.get::<Value>(&Key::new("a", "b")).await.unwrap_err());
        assert_eq!(error.status, status, "{name}");
        let detail = error.detail.as_deref().unwrap();
        assert!(detail.starts_with("GetItem failed: ") && !detail.contains("secret"), "{detail}");
    }
    let nobody = table(&[]).await.get::<Value>(&Key::new("a", "b")).await.unwrap_err();
    assert_eq!(ApiError::from(nobody).status, 503, "no connection");
    assert_eq!(ApiError::from(StoreError::Busy).status, 503);
    assert_eq!(ApiError::from(StoreError::Item("x")).status, 500);
}
