//! What the embedded DynamoDB never answers: conflicts, throttling, failures. A stub answers them in its place.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};

use super::{item::item, *};
use crate::{error::ApiError, testing::stub};

/// A table whose DynamoDB gives these answers, one to a request.
async fn table(answers: &[(u16, String)]) -> Table {
    let (address, _) = stub(answers).await;
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "secret-of-the-test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(format!("http://{address}"));
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
        ("a condition", vec![cancelled(&["None", CONDITION])], Transaction::Refused(vec![false, true])),
        (
            "a condition beside a conflict",
            vec![cancelled(&[CONFLICT, CONDITION]), cancelled(&[CONDITION, CONDITION])],
            Transaction::Refused(vec![true, true]),
        ),
    ];
    for (name, answers, expected) in cases {
        let table = table(&answers).await;
        let put = || table.put_new(item([("pk", text("a")), ("sk", text("b"))])).unwrap();
        assert_eq!(table.transact(vec![put(), put()]).await, Ok(expected), "{name}");
    }
}

#[tokio::test]
async fn single_writes_that_meet_a_transaction_are_tried_again() {
    let conflict = failure(400, "TransactionConflictException");
    let refused = failure(400, "ConditionalCheckFailedException");
    let put = item([("pk", text("a")), ("sk", text("b"))]);
    let one = table(&[conflict.clone(), (200, DONE.to_owned())]).await;
    assert_eq!(one.put_if_new(put.clone()).await, Ok(true));
    let one = table(&[conflict.clone(), refused.clone()]).await;
    assert_eq!(one.put_if_new(put).await, Ok(false));
    let one = table(&[conflict, refused]).await;
    let values = item([(":one", text("1"))]);
    assert_eq!(one.update(("a", "b"), "SET a = :one", "a = :one", values).await, Ok(None));
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
        let error = ApiError::from(table(&[answer]).await.get("a", "b").await.unwrap_err());
        assert_eq!(error.status(), status, "{name}");
        let detail = error.detail().unwrap();
        assert!(detail.starts_with("GetItem failed: ") && !detail.contains("secret"), "{detail}");
    }
    let nobody = table(&[]).await.get("a", "b").await.unwrap_err();
    assert_eq!(ApiError::from(nobody).status(), 503, "no connection");
    assert_eq!(ApiError::from(StoreError::Busy).status(), 503);
    assert_eq!(ApiError::from(StoreError::Item("x")).status(), 500);
}
