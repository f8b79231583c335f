//! Calls as a stub hears them, and what becomes of its answers.

use client::{Credentials, Http};
use serde_json::json;
use test_support::Request;

use super::*;
use crate::testing::{clock, invocation, stub};

/// What is answered to `call`, and what was asked of the API on the way, the token's request left out.
async fn send(call: Call, answers: &[(u16, &str)]) -> (Result<Reply, ApiError>, Vec<Request>) {
    let token = r#"{"access_token":"the-token","token_type":"Bearer","expires_in":3600}"#;
    let mut all = vec![(200, token.to_owned())];
    all.extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
    let stub = stub(&all).await;
    let credentials = json!({
        "client_id": "order-service",
        "client_secret": "the-secret",
        "token_url": stub.url("/oauth2/token"),
        "api_url": stub.url("/prod"),
    });
    let credentials = Credentials::from_json(&credentials.to_string()).unwrap();
    let tokens = TokenSource::builder(credentials, Http::new().unwrap()).clock(clock).build();
    let reply = ClientApi::new(tokens, &["inventory/read"]).send(call).await;
    let mut requests = stub.heard();
    assert!(requests.remove(0).body.contains("scope=inventory%2Fread"));
    (reply, requests)
}

#[tokio::test]
async fn a_call_is_sent_as_it_is_with_the_functions_own_token() {
    let trace = vec![("X-Amzn-Trace-Id".to_owned(), "Root=1-2-3".to_owned())];
    let traced = Invocation::of(clock, clock() + Duration::from_mins(1), trace);
    let mut call = Call::with_body(Method::POST, "/inventory".to_owned(), &json!({"a": 1}), &traced);
    call.query.push(("cursor", "a b".to_owned()));
    let (reply, requests) = send(call, &[(409, r#"{"error":"e","field":"f"}"#)]).await;
    let reply = reply.unwrap();
    assert_eq!((reply.status, reply.error()), (409, ("e".to_owned(), Some("f".to_owned()))));
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(request.head.starts_with("POST /prod/inventory?cursor=a+b HTTP/1.1"), "{request:?}");
    assert_eq!(request.body, r#"{"a":1}"#);
    for (name, value) in [("authorization", "Bearer the-token"), ("x-amzn-trace-id", "Root=1-2-3")] {
        assert_eq!(request.header(name), Some(value));
    }
}

#[tokio::test]
async fn a_transient_failure_is_retried() {
    let call = Call::with_body(Method::POST, "/inventory".to_owned(), &json!({}), &invocation());
    let (reply, requests) = send(call, &[(503, "{}"), (200, "{}")]).await;
    assert_eq!((reply.unwrap().status, requests.len()), (200, 2));
}

#[tokio::test]
async fn a_call_says_how_long_its_caller_waits() {
    for (left, most) in
        [(Duration::from_mins(1), TIME_LIMIT), (Duration::from_secs(2), Duration::from_secs(2))]
    {
        let invocation = Invocation::of(clock, clock() + left, Vec::new());
        let (_, requests) = send(Call::get("/x".to_owned(), &invocation), &[(200, "{}")]).await;
        let header = requests[0].header("x-time-left-ms").unwrap();
        let told = Duration::from_millis(header.parse().unwrap());
        assert!(told <= most && told > most / 4, "{told:?} of {left:?}");
    }
}

#[tokio::test]
async fn what_goes_wrong_upstream_is_told_without_token_or_secret() {
    let call = Call::with_body(Method::POST, "/x".to_owned(), &json!({}), &invocation());
    let (reply, _) = send(call.clone(), &[]).await;
    let error = reply.unwrap_err();
    assert_eq!((error.status, error.label), (503, "upstream_unavailable"));
    assert!(!format!("{error:?}").contains("the-"), "{error:?}");
    let cases =
        [(408, 503), (429, 503), (500, 503), (504, 503), (400, 500), (401, 500), (403, 500), (409, 500)];
    for (status, expected) in cases {
        let reply = Reply { status, body: br#"{"error":"e"}"#.to_vec() };
        let error = reply.unexpected("the price");
        assert_eq!(error.status, expected, "{status}");
        assert_eq!(error.detail.as_deref(), Some(format!("the price: status {status} `e`").as_str()));
    }
    let garbage = Reply { status: 200, body: b"the-token".to_vec() };
    let error = garbage.ok::<u8>("the price").unwrap_err();
    assert!(!format!("{error:?} {garbage:?}").contains("the-"), "{error:?}");
}
