use std::sync::Mutex;

use serde_json::json;
use test_support::{Reply, Stub, reply};

use super::*;
use crate::{
    rotate::testing::{CLIENT, SECRET, Stand, World, in_use},
    testing::{clock, log},
};

async fn handle(stand: &Stand, event: &str) -> (Result<(), Failure>, String) {
    let (log, written) = log();
    let token_url = "https://t.example/".parse().unwrap();
    let function = RotateFunction::new(stand, stand, token_url, Http::new().unwrap(), clock, log);
    let outcome = function.handle(event.as_bytes(), "i-1", clock() + Duration::from_secs(30)).await;
    let written = written.lock().unwrap().clone();
    (outcome, written)
}

fn request(kind: &str, url: &str) -> String {
    json!({
        "RequestType": kind, "ResponseURL": url, "StackId": "stack", "RequestId": "first", "ResourceType": "Custom::FirstValue",
        "LogicalResourceId": "Order", "PhysicalResourceId": "before",
        "ResourceProperties": {"ServiceToken": "arn", "ServiceTimeout": "120", "Secret": SECRET, "Client": CLIENT},
    })
    .to_string()
}

fn created() -> World {
    World {
        values: [("v0".to_owned(), "{}".to_owned().into())].into(),
        tags: [("client_id".to_owned(), CLIENT.to_owned())].into(),
        watched: false,
        ..in_use()
    }
}

#[tokio::test]
async fn cloudformation_is_told_how_the_first_value_went_and_no_secret() {
    let stack = Stub::always(reply(200, "", "")).await;
    let url = stack.url("/answer?signature=s1gned");
    let stand = Stand(Mutex::new(created()));
    let (outcome, log) = handle(&stand, &request("Create", &url)).await;
    assert_eq!(outcome, Ok(()));
    insta::assert_snapshot!(log, @r#"{"outcome":"answered","reason":null,"route":"firstValue","client_id":null,"secret":"scopegate/order-service","latency_ms":0.0,"request_id":"i-1"}"#);
    assert!(stand.current_gets_token());

    let bare = Stand(Mutex::new(World { cognito: vec![], ..created() }));
    let (outcome, log) = handle(&bare, &request("Update", &url)).await;
    assert_eq!(outcome, Ok(()), "it knows, so nobody has to repeat it");
    assert!(log.contains(r#""reason":"no_original""#), "{log}");
    let calls = bare.0.lock().unwrap().calls;
    assert_eq!(handle(&bare, &request("Delete", &url)).await.0, Ok(()));
    assert_eq!(bare.0.lock().unwrap().calls, calls, "nothing is deleted");

    let heard: Vec<_> = stack.heard();
    assert!(heard.iter().all(|request| request.head.starts_with("PUT /answer?signature=s1gned ")));
    assert!(
        heard.iter().all(|request| request.header("content-type").is_none()),
        "the URL is signed without"
    );
    let answers: Vec<_> = heard.iter().map(|request| request.body.as_str()).collect();
    insta::assert_snapshot!(answers.join("\n"), @r#"
    {"LogicalResourceId":"Order","PhysicalResourceId":"scopegate/order-service","Reason":"","RequestId":"first","StackId":"stack","Status":"SUCCESS"}
    {"LogicalResourceId":"Order","PhysicalResourceId":"scopegate/order-service","Reason":"the client 7abc has no secret of its own","RequestId":"first","StackId":"stack","Status":"FAILED"}
    {"LogicalResourceId":"Order","PhysicalResourceId":"before","Reason":"","RequestId":"first","StackId":"stack","Status":"SUCCESS"}
    "#);
}

#[tokio::test]
async fn an_answer_that_does_not_arrive_is_repeated() {
    for (url, reply, reason) in [
        ("", Some(reply(403, "", "")), "status 403"),
        ("", Some(Reply::Close), "the connection failed"),
        ("http://example.com/answer", None, "its URL is not https"),
        ("nonsense", None, "its URL is not https"),
    ] {
        let stack = Stub::always(reply.unwrap_or(Reply::Hang)).await;
        let url = if url.is_empty() { stack.url("/answer?signature=s1gned") } else { url.to_owned() };
        let (outcome, log) = handle(&Stand(Mutex::new(created())), &request("Create", &url)).await;
        assert_eq!(outcome.unwrap_err().error_type, "call", "{reason}");
        assert!(log.contains(&format!("the answer to CloudFormation failed: {reason}")), "{log}");
        assert!(!log.contains("s1gned"), "{log}");
    }
}

#[tokio::test]
async fn other_events_are_refused() {
    for event in ["{}", "", r#"{"Step":"createSecret"}"#, r#"{"RequestType":"Create"}"#] {
        let (outcome, log) = handle(&Stand(Mutex::new(in_use())), event).await;
        assert_eq!(outcome.unwrap_err().error_type, "bad_event", "{event}");
        assert!(log.contains(r#""outcome":"fault","reason":"bad_event""#), "{log}");
    }
}
