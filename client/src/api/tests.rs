//! What is sent, what is tried again, and that nothing printed holds a secret. The stub is token endpoint and API.

use std::time::UNIX_EPOCH;

use ::http::Method;
use secrecy::SecretString;
use test_support::{Reply, Request, Stub, reply};

use super::*;
use crate::{Credentials, TokenFuture};

/// A client of a stub that hands out `token-0`, `token-1`, … and answers calls with what `script` says to the
/// number of the call and the call.
async fn client(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> (ApiClient, Stub) {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let stub = Stub::new(move |_, heard| {
        let call = calls.load(std::sync::atomic::Ordering::SeqCst);
        if heard.head.starts_with("POST /token ") {
            let body =
                format!(r#"{{"access_token":"token-{call}","token_type":"Bearer","expires_in":3600}}"#);
            return reply(200, "", &body);
        }
        calls.store(call + 1, std::sync::atomic::Ordering::SeqCst);
        script(call, heard)
    })
    .await;
    let tokens = tokens(credentials(&stub));
    (ApiClient::new(tokens, Duration::from_secs(10)), stub)
}

fn tokens(credentials: Credentials) -> TokenSource {
    TokenSource::builder(credentials, Http::without_jitter()).clock(|| UNIX_EPOCH).build()
}

fn credentials(stub: &Stub) -> Credentials {
    Credentials {
        client_id: "id".to_owned(),
        client_secret: SecretString::from("s3cr3t"),
        token_url: stub.url("/token").parse().unwrap(),
        api_url: Some(stub.url("/prod").parse().unwrap()),
    }
}

/// The calls of the API that the stub heard, without the requests for tokens.
fn calls(stub: &Stub) -> Vec<Request> {
    stub.heard().into_iter().filter(|heard| !heard.head.starts_with("POST /token ")).collect()
}

fn get() -> ApiRequest {
    ApiRequest::new(Method::GET, "/orders")
}

fn post() -> ApiRequest {
    ApiRequest::new(Method::POST, "/orders").json_text("{}")
}

#[tokio::test]
async fn a_call_carries_bearer_query_headers_traces_and_body() {
    let (api, stub) = client(|_, _| reply(201, "location: /orders/o1\r\n", r#"{"order_id":"o1"}"#)).await;
    let incoming = [
        ("Traceparent", "00-abc-def-01"),
        ("tracestate", "a=b"),
        ("X-Amzn-Trace-Id", "Root=1-2-3"),
        ("traceparent", "two\r\nlines: 1"),
        ("authorization", "Bearer of-the-caller"),
        ("cookie", "x"),
    ];
    let request = ApiRequest::new(Method::POST, format!("/orders/{}", segment("a/ü ?")))
        .query("date", "2026-01-02&x")
        .header("Idempotency-Key", "k1")
        .trace(incoming)
        .json(&serde_json::json!({"lines": []}))
        .unwrap();
    let answer = api.send(&request, &["orders/write"]).await.unwrap();
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.json::<serde_json::Value>().unwrap()["order_id"], "o1");
    assert_eq!(answer.headers["location"], "/orders/o1");
    assert_eq!(stub.heard()[0].body, "grant_type=client_credentials&scope=orders%2Fwrite");

    let heard = calls(&stub).pop().unwrap();
    let target = heard.head.lines().next().unwrap();
    assert_eq!(target, "POST /prod/orders/a%2F%C3%BC%20%3F?date=2026-01-02%26x HTTP/1.1");
    let expected = [
        ("authorization", Some("Bearer token-0")),
        ("content-type", Some("application/json")),
        ("idempotency-key", Some("k1")),
        ("traceparent", Some("00-abc-def-01")),
        ("tracestate", Some("a=b")),
        ("x-amzn-trace-id", Some("Root=1-2-3")),
        ("cookie", None),
        ("user-agent", Some(concat!("scopegate-client/", env!("CARGO_PKG_VERSION")))),
    ];
    for (name, value) in expected {
        assert_eq!(heard.header(name), value, "{name}");
    }
    assert_eq!(heard.body, r#"{"lines":[]}"#);
}

#[tokio::test]
async fn a_401_is_tried_again_once_with_a_fresh_token() {
    let refuse = |bad: &'static [&'static str]| {
        move |_: usize, heard: &Request| {
            let token = heard.header("authorization").unwrap().trim_start_matches("Bearer ");
            if bad.contains(&token) { reply(401, "", "{}") } else { reply(200, "", "{}") }
        }
    };
    let (api, stub) = client(refuse(&["token-0"])).await;
    assert_eq!(api.send(&post(), &[]).await.unwrap().status, StatusCode::OK);
    assert_eq!(api.send(&post(), &[]).await.unwrap().status, StatusCode::OK);
    assert_eq!((calls(&stub).len(), stub.count()), (3, 5));

    let (api, stub) = client(refuse(&["token-0", "token-1"])).await;
    for (calls_so_far, requests) in [(2, 4), (3, 5)] {
        assert_eq!(api.send(&get(), &[]).await.unwrap().status, StatusCode::UNAUTHORIZED);
        assert_eq!((calls(&stub).len(), stub.count()), (calls_so_far, requests));
    }
}

#[tokio::test]
async fn transient_failures_are_tried_again_where_that_is_safe() {
    let (get, post, safe) = (get(), post(), post().safe_to_repeat());
    let cases = [
        ("429", reply(429, "retry-after: 0\r\n", ""), true),
        ("500", reply(500, "", ""), true),
        ("502", reply(502, "", ""), true),
        ("503", reply(503, "", ""), true),
        ("504", reply(504, "", ""), true),
        ("closed", Reply::Close, true),
        ("reset", Reply::Reset, true),
        ("429 for long", reply(429, "retry-after: 11\r\n", ""), false),
        ("400", reply(400, "", ""), false),
        ("403", reply(403, "", ""), false),
        ("409", reply(409, "", ""), false),
        ("501", reply(501, "", ""), false),
        ("a redirect", reply(302, "location: /orders\r\n", ""), false),
        ("too large", reply(200, "", "x".repeat(MAX_ANSWER + 1)), false),
    ];
    for (name, bad, is_transient) in cases {
        for (request, is_repeatable) in [(&get, true), (&post, false), (&safe, true)] {
            let again = bad.clone();
            let (api, stub) = client(move |_, _| again.clone()).await;
            let outcome = api.send(request, &[]).await;
            let expected = if is_transient && is_repeatable { 3 } else { 1 };
            assert_eq!(calls(&stub).len(), expected, "{name}: {request:?}: {outcome:?}");
        }
        let (api, _) = client(move |n, _| if n < 2 { bad.clone() } else { reply(200, "", "[]") }).await;
        let is_ok = api.send(&get, &[]).await.is_ok_and(|answer| answer.status == StatusCode::OK);
        assert_eq!(is_ok, is_transient, "{name}");
    }
}

#[tokio::test]
async fn answers_are_taken_up_to_ten_mebibytes() {
    for (length, expected) in [(10_485_760, Ok(10_485_760)), (10_485_761, Err("too_large"))] {
        let (api, _stub) = client(move |_, _| reply(200, "", "x".repeat(length))).await;
        let answer = api.send(&get(), &[]).await;
        let taken = answer.as_ref().map(|answer| answer.body.len()).map_err(ApiError::label);
        assert_eq!(taken, expected);
    }
}

#[tokio::test]
async fn what_the_caller_may_not_send_is_refused_unsent() {
    let (api, stub) = client(|_, _| reply(200, "", "")).await;
    let cases = [
        ("dot segments", ApiRequest::new(Method::GET, "/orders/../payments"), "path"),
        ("a query in the path", ApiRequest::new(Method::GET, "/orders?x=1"), "path"),
        ("no slash", ApiRequest::new(Method::GET, "orders"), "path"),
        ("a bearer", get().header("Authorization", "Bearer x"), "header"),
        ("a host", get().header("host", "example.com"), "header"),
        ("a length", get().header("Content-Length", "0"), "header"),
        ("a line end", get().header("x", "a\r\nb: c"), "header"),
        ("no name", get().header("", "a"), "header"),
    ];
    for (name, request, label) in cases {
        assert_eq!(api.send(&request, &[]).await.unwrap_err().label(), label, "{name}");
    }
    assert_eq!(calls(&stub).len(), 0);
    assert_eq!(segment("a-b.c_d~e/\\%"), "a-b.c_d~e%2F%5C%25");
}

#[tokio::test]
async fn credentials_without_an_api_call_none() {
    let stub =
        Stub::new(|_, _| reply(200, "", r#"{"access_token":"t","token_type":"bearer","expires_in":9}"#))
            .await;
    let credentials = Credentials { api_url: None, ..credentials(&stub) };
    let tokens = tokens(credentials);
    let error = ApiClient::new(tokens, Duration::from_secs(1)).send(&get(), &[]).await.unwrap_err();
    assert_eq!(error.label(), "no_api_url");
}

#[tokio::test]
async fn no_token_is_told_with_its_cause() {
    let stub = Stub::always(reply(400, "", r#"{"error":"invalid_scope"}"#)).await;
    let tokens = tokens(credentials(&stub));
    let error = ApiClient::new(tokens, Duration::from_secs(9)).send(&get(), &["x"]).await.unwrap_err();
    assert!(matches!(&error, ApiError::Token(cause) if cause.label() == "invalid_scope"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_api_ends_the_call_within_its_time_limit() {
    let stub = Stub::always(Reply::Hang).await;
    for request in [get(), post()] {
        let tokens = tokens(credentials(&stub));
        let api = ApiClient::new(tokens, Duration::from_secs(5));
        let before = tokio::time::sleep(Duration::ZERO).deadline();
        assert_eq!(api.send(&request, &[]).await.unwrap_err().label(), "timed_out");
        let took = tokio::time::sleep(Duration::ZERO).deadline() - before;
        assert!(took <= Duration::from_millis(5010), "{took:?}");
    }
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_token_a_secret_or_a_body() {
    let (api, stub) = client(|_, _| reply(200, "", "private")).await;
    let credentials = credentials(&stub);
    let http = Http::new().unwrap();
    let tokens = tokens(credentials.clone());
    let token = tokens.token(&[]).await.unwrap();
    let request = post().json_text("private").header("x", "private").query("x", "private");
    let answer = api.send(&request, &[]).await.unwrap();
    let broken = answer.json::<u8>().unwrap_err();
    let printed = [
        ("Credentials", format!("{credentials:?}")),
        ("TokenSource", format!("{tokens:?}")),
        ("AccessToken", format!("{token:?}")),
        ("ApiClient", format!("{api:?}")),
        ("ApiRequest", format!("{request:?}")),
        ("Response", format!("{answer:?}")),
        ("Malformed", format!("{broken:?} {broken}")),
        ("Http", format!("{http:?}")),
    ];
    for (name, text) in printed {
        assert!(text.starts_with(name), "{name}: {text}");
        for secret in ["s3cr3t", "token-", "private"] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
}

/// A provider that a caller might write for a test.
struct Fixed;

impl TokenProvider for Fixed {
    fn token<'a>(&'a self, _: &'a [&'a str]) -> TokenFuture<'a> {
        Box::pin(async { Ok(AccessToken::new("fixed", UNIX_EPOCH)) })
    }
}

#[tokio::test]
async fn tokens_of_any_provider_are_sent_to_the_given_address() {
    let stub = Stub::always(reply(401, "", "")).await;
    let base_url = stub.url("/v1").parse().unwrap();
    let api = ApiClient::with_provider(Fixed, Http::without_jitter(), base_url, Duration::from_secs(9));
    assert_eq!(api.send(&get(), &[]).await.unwrap().status, StatusCode::UNAUTHORIZED);
    let heard = stub.heard();
    assert_eq!(heard.len(), 1, "there is no other token to repeat the call with");
    assert!(heard[0].head.starts_with("GET /v1/orders "), "{}", heard[0].head);
    assert_eq!(heard[0].header("authorization"), Some("Bearer fixed"));
}

#[tokio::test]
async fn a_request_with_a_time_limit_says_at_each_attempt_how_much_is_left() {
    let (api, stub) = client(|call, _| reply(if call == 0 { 503 } else { 200 }, "", "{}")).await;
    assert_eq!(
        api.send(&get().time_limit(Duration::from_secs(5)), &[]).await.unwrap().status,
        StatusCode::OK
    );
    assert_eq!(
        api.send(&get().time_limit(Duration::from_mins(5)), &[]).await.unwrap().status,
        StatusCode::OK
    );
    assert_eq!(api.send(&get(), &[]).await.unwrap().status, StatusCode::OK);
    let told: Vec<Option<u64>> = calls(&stub)
        .iter()
        .map(|heard| heard.header("x-time-left-ms").map(|millis| millis.parse().unwrap()))
        .collect();
    let [Some(first), Some(second), Some(longest), None] = told.as_slice() else { panic!("{told:?}") };
    assert!(*first <= 5000 && second < first, "{told:?}");
    assert!(*longest <= 10_000, "no more than the client's own limit: {told:?}");
}
