//! Each answer a token endpoint may give, over a real connection.

use std::time::UNIX_EPOCH;

use secrecy::SecretString;
use test_support::{Reply, Stub, reply, unused_address};

use super::*;
use crate::token::tests::jwt;

const NOW: Duration = Duration::from_secs(1_000_000);
const GOOD: &str = r#"{"access_token":"opaque","token_type":"Bearer","expires_in":3600}"#;

fn clock() -> SystemTime {
    UNIX_EPOCH + NOW
}

fn credentials(stub: &Stub) -> Credentials {
    Credentials {
        client_id: "an id:1".to_owned(),
        client_secret: SecretString::from("s3cr3t/+&"),
        token_url: stub.url("/oauth2/token").parse().unwrap(),
        api_url: None,
    }
}

/// What comes of answers given in turn, the last one for ever, and how many requests it took.
async fn outcome(replies: Vec<Reply>) -> (Result<AccessToken, TokenError>, usize) {
    let stub = Stub::in_turn(replies).await;
    let pace = Pace::new(Duration::from_secs(8), 4, || 0.0);
    let (grant, http) = (Grant::default(), Http::without_jitter());
    let outcome = request(&credentials(&stub), &grant, "a/read b/write", pace, &http, &clock).await;
    (outcome, stub.count())
}

#[tokio::test]
async fn the_request_is_the_one_of_the_protocol() {
    let stub = Stub::always(reply(200, "", GOOD)).await;
    let http = Http::new().unwrap();
    for (scopes, body) in [
        ("a/read b/write", "grant_type=client_credentials&scope=a%2Fread%20b%2Fwrite"),
        ("", "grant_type=client_credentials"),
    ] {
        let pace = Pace::new(Duration::from_secs(8), 0, || 0.0);
        let grant = Grant::default();
        let token = request(&credentials(&stub), &grant, scopes, pace, &http, &clock).await.unwrap();
        assert_eq!(token.secret().expose_secret(), "opaque");
        assert_eq!(token.expires_at(), clock() + Duration::from_hours(1));
        let heard = stub.heard().pop().unwrap();
        assert!(heard.head.starts_with("POST /oauth2/token HTTP/1.1\r\n"), "{}", heard.head);
        assert_eq!(heard.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(heard.body, body);
        let basic = heard.header("authorization").unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(basic).unwrap(), b"an%20id%3A1:s3cr3t%2F%2B%26");
    }
}

#[tokio::test]
async fn other_issuers_get_what_they_ask_for() {
    let stub = Stub::always(reply(200, "", GOOD)).await;
    let grant = Grant {
        authentication: ClientAuthentication::Body,
        audience: Some("https://api.example".to_owned()),
        resources: vec!["urn:a".to_owned(), "urn:b c".to_owned()],
        token_url: Some(stub.url("/cache").parse().unwrap()),
    };
    let pace = Pace::new(Duration::from_secs(8), 0, || 0.0);
    request(&credentials(&stub), &grant, "a/read", pace, &Http::new().unwrap(), &clock).await.unwrap();
    let heard = stub.heard().pop().unwrap();
    assert!(heard.head.starts_with("POST /cache HTTP/1.1\r\n"), "{}", heard.head);
    assert_eq!(heard.header("authorization"), None);
    assert_eq!(
        heard.body,
        "grant_type=client_credentials&scope=a%2Fread&audience=https%3A%2F%2Fapi.example&resource=urn%3Aa\
         &resource=urn%3Ab%20c&client_id=an%20id%3A1&client_secret=s3cr3t%2F%2B%26"
    );
}

#[tokio::test]
async fn permanent_failures_are_told_at_once() {
    let secret = "SECRET-TEXT";
    let error = |code: &str| format!(r#"{{"error":"{code}","error_description":"{secret}"}}"#);
    let token =
        |token: &str, more: &str| format!(r#"{{"access_token":"{token}","token_type":"Bearer"{more}}}"#);
    let huge = "x".repeat(MAX_ANSWER + 1);
    let location = "location: http://127.0.0.1:1/\r\n";
    let cases = [
        ("invalid_client", reply(400, "", error("invalid_client")), "invalid_client"),
        ("invalid_client as 401", reply(401, "", error("invalid_client")), "invalid_client"),
        ("401 without a body", reply(401, "", ""), "invalid_client"),
        ("invalid_scope", reply(400, "", error("invalid_scope")), "invalid_scope"),
        ("unauthorized_client", reply(400, "", error("unauthorized_client")), "unauthorized_client"),
        ("unsupported_grant_type", reply(400, "", error("unsupported_grant_type")), "unsupported_grant_type"),
        ("invalid_request", reply(400, "", error("invalid_request")), "invalid_request"),
        ("invalid_grant", reply(400, "", error("invalid_grant")), "invalid_grant"),
        ("an unknown code", reply(400, "", error(secret)), "unexpected_status"),
        ("400 without JSON", reply(400, "", secret), "unexpected_status"),
        ("403", reply(403, "", error("invalid_client")), "unexpected_status"),
        ("404", reply(404, "", secret), "unexpected_status"),
        ("a redirect", reply(302, location, GOOD), "unexpected_status"),
        ("a redirect that keeps the method", reply(307, location, GOOD), "unexpected_status"),
        ("201", reply(201, "", GOOD), "unexpected_status"),
        ("a page", reply(200, "", format!("<html>{secret}</html>")), "malformed_answer"),
        ("nothing", reply(200, "", ""), "malformed_answer"),
        ("a huge answer", reply(200, "", &huge), "malformed_answer"),
        ("a huge refusal", reply(400, "", &huge), "malformed_answer"),
        ("no token", reply(200, "", r#"{"token_type":"Bearer","expires_in":3600}"#), "malformed_answer"),
        (
            "no type",
            reply(200, "", r#"{"access_token":"SECRET-TEXT","expires_in":3600}"#),
            "malformed_answer",
        ),
        ("another type", reply(200, "", GOOD.replace("Bearer", "mac")), "malformed_answer"),
        ("an empty token", reply(200, "", token("", r#","expires_in":9"#)), "malformed_answer"),
        (
            "a token with a line end",
            reply(200, "", token(r"SECRET-TEXT\r\nx: y", r#","expires_in":9"#)),
            "malformed_answer",
        ),
        (
            "a token beyond a header",
            reply(200, "", token(&"x".repeat(MAX_TOKEN + 1), r#","expires_in":9"#)),
            "malformed_answer",
        ),
        ("an opaque token of unknown life", reply(200, "", token(secret, "")), "malformed_answer"),
        ("a negative life", reply(200, "", token(secret, r#","expires_in":-5"#)), "malformed_answer"),
        ("a life of nothing", reply(200, "", token(secret, r#","expires_in":0"#)), "expired"),
        (
            "a JWT that has expired",
            reply(200, "", token(&jwt(r#"{"exp":999999}"#), r#","expires_in":3600"#)),
            "expired",
        ),
    ];
    for (name, reply, label) in cases {
        let (outcome, requests) = outcome(vec![reply]).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.label(), requests, error.is_transient()), (label, 1, false), "{name}");
        let texts = format!("{error} {error:?}");
        assert!(!texts.contains(secret) && !texts.contains("s3cr3t"), "{name}: {texts}");
    }
}

#[tokio::test]
async fn answers_are_taken_up_to_64_kibibytes() {
    let token = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;
    for (length, expected) in [(65_536, None), (65_537, Some("malformed_answer"))] {
        let (outcome, _) =
            outcome(vec![reply(200, "", &(token.to_owned() + &" ".repeat(length - token.len())))]).await;
        assert_eq!(outcome.err().map(|error| error.label()), expected, "{length}");
    }
}

#[tokio::test]
async fn transient_failures_are_tried_again() {
    let aws = |member: &str, name: &str| {
        reply(400, "", format!(r#"{{"{member}":"{name}","message":"slow down"}}"#))
    };
    let cases = [
        ("429", reply(429, "retry-after: 0\r\n", ""), "throttled"),
        ("429 with a date", reply(429, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""), "throttled"),
        ("400 by error", aws("error", "TooManyRequestsException"), "throttled"),
        ("400 by type", aws("__type", "com.amazonaws.cognito#TooManyRequestsException"), "throttled"),
        ("400 by code", aws("code", "TooManyRequestsException"), "throttled"),
        ("500", reply(500, "", "<html>"), "unavailable"),
        ("503", reply(503, "retry-after: 0\r\n", ""), "unavailable"),
        ("500 with a code", reply(500, "", r#"{"error":"invalid_client"}"#), "unavailable"),
        ("closed", Reply::Close, "connection"),
        ("reset", Reply::Reset, "connection"),
        ("no HTTP", Reply::Bytes(b"\0\xff\r\n\r\n".to_vec()), "connection"),
        ("cut off", Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec()), "connection"),
    ];
    for (name, bad, label) in cases {
        let (last, requests) = outcome(vec![bad.clone(), bad.clone(), reply(200, "", GOOD)]).await;
        assert!(last.is_ok(), "{name}: {last:?}");
        assert_eq!(requests, 3, "{name}");

        let (last, requests) = outcome(vec![bad]).await;
        let error = last.unwrap_err();
        assert_eq!((error.label(), requests, error.is_transient()), (label, 5, true), "{name}");
    }
}

#[tokio::test]
async fn a_wait_beyond_the_time_limit_is_left_to_the_caller() {
    let (outcome, requests) = outcome(vec![reply(429, "retry-after: 30\r\n", "")]).await;
    let TokenError::Throttled { retry_after } = outcome.unwrap_err() else { panic!("not throttled") };
    assert_eq!((retry_after, requests), (Some(Duration::from_secs(30)), 1));
}

#[tokio::test]
async fn no_one_listening_is_a_failed_connection() {
    let url = format!("http://{}/", unused_address());
    let stub = Stub::always(Reply::Close).await;
    let credentials = Credentials { token_url: url.parse().unwrap(), ..credentials(&stub) };
    let pace = Pace::new(Duration::from_secs(8), 1, || 0.0);
    let (grant, http) = (Grant::default(), Http::without_jitter());
    let error = request(&credentials, &grant, "", pace, &http, &clock).await.unwrap_err();
    assert_eq!(error.label(), "connection");
}

#[tokio::test(start_paused = true)]
async fn slow_answers_end_within_the_time_limit() {
    for (name, slow) in
        [("silent", Reply::Hang), ("dripping", reply(200, "", GOOD).drip(Duration::from_secs(1)))]
    {
        let before = tokio::time::sleep(Duration::ZERO).deadline();
        let (outcome, _) = outcome(vec![slow]).await;
        assert_eq!(outcome.unwrap_err().label(), "timed_out", "{name}");
        let took = tokio::time::sleep(Duration::ZERO).deadline() - before;
        assert!((ATTEMPT_LIMIT..Duration::from_millis(8100)).contains(&took), "{name}: {took:?}");
    }
}
