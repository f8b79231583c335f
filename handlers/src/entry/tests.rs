//! The shell by itself, around a service that only says what reached it.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::testing::{CONTEXT, clock, event, log, read, with_body};

impl Invocation {
    /// One that begins now and ends at `deadline`.
    pub(crate) fn of(clock: fn() -> SystemTime, deadline: SystemTime, trace: Trace) -> Self {
        let (began, ids) = (clock().try_into().unwrap(), Arc::default());
        Self { began, clock, deadline, trace, ids, subjects: Mutex::default() }
    }
}

#[derive(Default)]
struct Probe(AtomicUsize);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Body {
    a: i64,
}

impl Service for Probe {
    const ROUTES: &'static [&'static str] = &["GET /inventory", "GET /inventory/{sku}", "POST /inventory"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        if request.parameter("sku").as_deref() == Some("fault") {
            return Err(ApiError::fault("store", "the table is gone"));
        }
        if request.query("cursor")? == Some("c") {
            return Answer::ok(&json!({ "client_id": request.caller.client_id.as_str() }));
        }
        let body = request.body::<Body>()?;
        request.invocation.about("order_id", body.a);
        if body.a == 2 {
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        Answer::created("/inventory/1".to_owned(), &body)
    }
}

async fn handle(event: &Value) -> ((i64, Value), usize, String) {
    let (log, written) = log();
    let entry = Entry::new(Probe::default(), clock, log);
    let answer = entry
        .handle(event.to_string().as_bytes(), Context { request_id: "invocation-1", ..CONTEXT })
        .await
        .unwrap();
    let lines = written.lock().unwrap().clone();
    (read(&answer), entry.service.0.into_inner(), lines)
}

#[tokio::test]
async fn a_good_request_reaches_the_service_and_is_logged_once() {
    let mut event = with_body(event("POST", "/inventory", "inventory/write"), r#"{"a":1}"#);
    event["multiValueHeaders"]["X-Amzn-Trace-Id"] = json!(["Root=1-2-3"]);
    let (answer, calls, lines) = handle(&event).await;
    assert_eq!((answer, calls), ((201, json!({"a": 1})), 1));
    insta::assert_snapshot!(lines, @r#"{"timestamp":"2026-02-03T04:05:06.789Z","level":"INFO","outcome":"answered","reason":null,"route":"POST /inventory","client_id":"storefront","status":201,"latency_ms":0.0,"request_id":"api-request-1","trace_id":"1-2-3","order_id":"1"}"#);
}

#[tokio::test]
async fn identity_comes_before_everything_and_only_from_the_authorizer() {
    let good = || with_body(event("POST", "/inventory", "inventory/write"), "this is no JSON");
    let edit = |path: &str, value: Value| {
        let mut event = good();
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let forged = json!({
        "X-Client-Id": ["storefront"], "client_id": ["storefront"], "Authorization": ["Bearer x.y.z"],
        "x-amzn-authorizer": [r#"{"client_id":"storefront"}"#],
    });
    let mut headers_only = edit("/requestContext/authorizer", Value::Null);
    headers_only["multiValueHeaders"] = forged;
    let authorizer = "/requestContext/authorizer";
    let at = |member: &str| format!("{authorizer}/{member}");
    let expired = (crate::testing::NOW_MS / 1000).to_string();
    let cases = [
        ("no authorizer", edit(authorizer, Value::Null), 401, "unauthorized"),
        ("no context but headers", headers_only, 401, "unauthorized"),
        ("authorizer a text", edit(authorizer, json!("storefront")), 401, "unauthorized"),
        ("authorizer a list", edit(authorizer, json!([])), 401, "unauthorized"),
        ("authorizer empty", edit(authorizer, json!({})), 401, "unauthorized"),
        ("client_id malformed", edit(&at("client_id"), json!("a\"b")), 401, "unauthorized"),
        ("scope missing", edit(&at("scope"), Value::Null), 401, "unauthorized"),
        ("exp missing", edit(&at("exp"), Value::Null), 401, "unauthorized"),
        ("exp negative", edit(&at("exp"), json!("-1")), 401, "unauthorized"),
        ("expired this very second", edit(&at("exp"), json!(expired)), 401, "token_expired"),
        ("another scope", edit(&at("scope"), json!("inventory/read")), 403, "insufficient_scope"),
        ("a longer scope", edit(&at("scope"), json!("inventory/writex")), 403, "insufficient_scope"),
        ("no scope", edit(&at("scope"), json!("")), 403, "insufficient_scope"),
        ("another function's route", edit("/resource", json!("/orders")), 404, "unknown_route"),
        ("a path for a resource", edit("/resource", json!("/inventory/A-1")), 404, "unknown_route"),
        ("another verb", edit("/httpMethod", json!("DELETE")), 404, "unknown_route"),
    ];
    for (name, event, status, code) in cases {
        let ((answered, body), calls, lines) = handle(&event).await;
        assert_eq!((answered, &body["error"], calls), (status, &json!(code), 0), "{name}");
        assert_eq!(body["request_id"], "api-request-1", "{name}");
        let outcome = if status == 404 { "answered" } else { "refused" };
        assert!(lines.contains(&format!(r#""outcome":"{outcome}","reason":"{code}""#)), "{name}: {lines}");
    }
}

#[tokio::test]
async fn the_body_must_say_that_it_is_json() {
    let good = || with_body(event("POST", "/inventory", "inventory/write"), r#"{"a":1}"#);
    let content_type = |values: Value| {
        let mut event = good();
        event["multiValueHeaders"] = json!({ "Content-Type": values });
        event
    };
    let mut base64 = good();
    base64["isBase64Encoded"] = json!(true);
    let garbled = base64.clone();
    base64["body"] = json!(STANDARD.encode(r#"{"a":1}"#));
    let mut single = good();
    single["headers"] = json!({"CONTENT-TYPE": "application/json"});
    single["multiValueHeaders"] = Value::Null;
    let mut odd = good();
    odd["multiValueHeaders"]["x-\u{e9}_ "] = json!(["\u{1f600}\n"]);
    let mut absent = good();
    absent["body"] = Value::Null;
    let cases = [
        ("plain", good(), 201),
        ("charset", content_type(json!(["application/json; charset=utf-8"])), 201),
        ("base64", base64, 201),
        ("only single headers", single, 201),
        ("an odd header", odd, 201),
        ("not base64", garbled, 400),
        ("no body", absent, 400),
        ("no content type", content_type(json!([])), 415),
        ("text", content_type(json!(["text/plain"])), 415),
        ("two content types", content_type(json!(["application/json", "application/json"])), 400),
    ];
    for (name, event, status) in cases {
        let ((answered, body), ..) = handle(&event).await;
        assert_eq!(answered, status, "{name}: {body}");
    }
}

#[tokio::test]
async fn nothing_outlives_the_invocation() {
    let event = with_body(event("POST", "/inventory", "inventory/write"), r#"{"a":2}"#);
    let (log, written) = log();
    let entry = Entry::new(Probe::default(), clock, log);
    let time_left = Some(RESERVE + Duration::from_millis(20));
    let answer = entry.handle(event.to_string().as_bytes(), Context { time_left, ..CONTEXT }).await.unwrap();
    assert_eq!(read(&answer).0, 503);
    let line = written.lock().unwrap().clone();
    assert!(line.contains(r#""reason":"deadline""#) && line.contains(r#""order_id":"2""#), "{line}");
    assert_eq!(entry.service.0.into_inner(), 1);
}

#[tokio::test]
async fn what_is_made_has_a_location() {
    let event = with_body(event("POST", "/inventory", "inventory/write"), r#"{"a":1}"#);
    let entry = Entry::new(Probe::default(), clock, log().0);
    let answer = entry.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap();
    let answer: Value = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(answer["headers"]["Location"], "/inventory/1");
}

#[tokio::test]
async fn a_trace_is_taken_over_or_begun() {
    let trace_id = async |headers: Value, trace: Option<&str>| {
        let mut event = event("GET", "/inventory", "inventory/read");
        event["multiValueHeaders"] = headers;
        let (log, written) = log();
        let entry = Entry::new(Probe::default(), clock, log);
        entry.handle(event.to_string().as_bytes(), Context { trace, ..CONTEXT }).await.unwrap();
        let line: Value = serde_json::from_str(&written.lock().unwrap()).unwrap();
        line["trace_id"].as_str().unwrap().to_owned()
    };
    let amazon = json!({"x-amzn-trace-id": ["Self=1-2-3;Root=1-67891233-abc;Sampled=1"]});
    assert_eq!(trace_id(amazon, Some("Root=1-2-3")).await, "1-67891233-abc");
    let w3c = json!({"Traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]});
    assert_eq!(trace_id(w3c, None).await, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(trace_id(Value::Null, Some("Root=1-2-3;Sampled=0")).await, "1-2-3");
    let begun = trace_id(Value::Null, None).await;
    assert!(begun.starts_with("1-698173f2-") && begun.len() == 35, "{begun}");
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let mut event = event("GET", "/inventory", "inventory/read");
    event["queryStringParameters"] = json!({"cursor": "c"});
    assert_eq!(handle(&event).await.0, (200, json!({"client_id": "storefront"})));
    event["multiValueQueryStringParameters"] = json!({"cursor": ["c", "c"]});
    let ((status, body), ..) = handle(&event).await;
    assert_eq!((status, &body["field"]), (400, &json!("cursor")));
}

#[tokio::test]
async fn a_fault_tells_the_log_what_the_caller_does_not_see() {
    let mut event = event("GET", "/inventory/{sku}", "inventory/read");
    event["pathParameters"] = json!({"sku": "fault"});
    event["requestContext"]["requestId"] = Value::Null;
    event["multiValueHeaders"] = json!({"X-Amzn-Trace-Id": ["Root=1-2-3"]});
    let ((status, body), _, lines) = handle(&event).await;
    assert_eq!(status, 500);
    insta::assert_snapshot!(body, @r#"{"error":"internal_error","message":"the request could not be completed, try again later","request_id":"invocation-1"}"#);
    insta::assert_snapshot!(lines, @r#"{"timestamp":"2026-02-03T04:05:06.789Z","level":"ERROR","outcome":"fault","reason":"store","route":"GET /inventory/{sku}","client_id":"storefront","status":500,"latency_ms":0.0,"request_id":"invocation-1","trace_id":"1-2-3","detail":"the table is gone"}"#);
}

#[tokio::test]
async fn refusals_carry_the_header_that_says_why() {
    let header = |event: Value| async move {
        let entry = Entry::new(Probe::default(), clock, log().0);
        let answer = entry.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        answer["headers"]["WWW-Authenticate"].clone()
    };
    let event = event("GET", "/inventory", "");
    assert_eq!(header(event.clone()).await, r#"Bearer error="insufficient_scope""#);
    let mut nobody = event;
    nobody["requestContext"]["authorizer"] = Value::Null;
    assert_eq!(header(nobody).await, r#"Bearer error="invalid_token""#);
}

#[tokio::test]
async fn what_is_no_event_of_ours_fails_without_being_quoted() {
    let schedule = r#"{"source":"aws.events","detail-type":"Scheduled Event","time":"2026-02-04T00:05:00Z"}"#;
    let cases = [
        ("no JSON", "secret", "bad_event"),
        ("a list", "[]", "bad_event"),
        ("another event", r#"{"Records":["secret"]}"#, "bad_event"),
        ("a context missing", r#"{"resource":"/inventory","httpMethod":"GET","body":"secret"}"#, "bad_event"),
        ("a schedule", schedule, "no_schedule"),
        ("a rule of one's own", r#"{"source":"secret","detail-type":"x","time":"y"}"#, "bad_event"),
    ];
    for (name, event, error_type) in cases {
        let (log, written) = log();
        let failure =
            Entry::new(Probe::default(), clock, log).handle(event.as_bytes(), CONTEXT).await.unwrap_err();
        assert_eq!(failure.error_type, error_type, "{name}");
        let lines = written.lock().unwrap().clone();
        assert!(lines.contains(r#""outcome":"fault""#) && lines.lines().count() == 1, "{name}: {lines}");
        assert!(!format!("{failure:?} {lines}").contains("secret"), "{name}");
    }
}
