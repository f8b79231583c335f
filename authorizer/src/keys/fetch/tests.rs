//! The request against an endpoint on loopback: what an endpoint can do wrong, and what a fetch makes of it.

use test_support::{Reply, Stub, reply, unused_address};
use tokio::time::timeout;

use super::*;

const LIMIT: Duration = Duration::from_millis(400);

/// A fetch from an endpoint that gives this answer.
async fn fetcher(reply: Reply) -> HttpFetch {
    let endpoint = Stub::new(move |_, request| {
        assert!(request.head.is_empty() || request.head.starts_with("GET /jwks HTTP/1.1\r\n"));
        reply.clone()
    });
    let url = Url::parse(&endpoint.await.url("/jwks")).unwrap();
    HttpFetch { client: client(LIMIT).unwrap(), url }
}

/// A body, sent a byte at a time and never to its end.
fn drip() -> Reply {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec();
    Reply::Pieces([vec![head], vec![b" ".to_vec(); 999]].concat(), LIMIT / 20)
}

/// A body whose length is not told.
fn huge() -> Reply {
    Reply::Bytes([b"HTTP/1.1 200 OK\r\n\r\n", " ".repeat(4_000_000).as_bytes()].concat())
}

#[tokio::test]
async fn an_endpoint_that_misbehaves_is_a_failure_with_a_name() {
    let evil = "location: http://127.0.0.1:1/elsewhere\r\n";
    let cases = [
        ("good", reply(200, "", "{}"), Ok("{}")),
        ("any content type", reply(200, "content-type: text/html\r\n", "<html>"), Ok("<html>")),
        ("empty", reply(200, "", ""), Ok("")),
        ("not found", reply(404, "", "{}"), Err("status")),
        ("server error", reply(500, "", "{}"), Err("status")),
        ("no content", reply(204, "", ""), Err("status")),
        ("redirect", reply(302, evil, ""), Err("status")),
        ("lasting redirect", reply(308, evil, ""), Err("status")),
        ("no HTTP", Reply::Bytes(b"garbage\r\n\r\n".to_vec()), Err("transport")),
        ("closed at once", Reply::Close, Err("transport")),
        ("cut short", reply(200, "", " ".repeat(1000)).without_last(999), Err("transport")),
        ("silent", Reply::Hang, Err("timed_out")),
        ("dripping", drip(), Err("timed_out")),
        ("huge", huge(), Err("too_large")),
        ("huge, and says so", reply(200, "", " ".repeat(4_000_000)), Err("too_large")),
    ];
    for (name, reply, expected) in cases {
        let fetcher = fetcher(reply).await;
        let result = timeout(LIMIT * 3, fetcher.fetch()).await.expect(name);
        let body = result.map(|body| String::from_utf8(body).unwrap());
        assert_eq!(body.as_deref().map_err(FetchError::label), expected, "{name}");
    }
}

#[tokio::test]
async fn bodies_are_taken_up_to_the_limit() {
    for (length, is_taken) in [(524_288, true), (524_289, false)] {
        let fetcher = fetcher(reply(200, "", " ".repeat(length))).await;
        assert_eq!(fetcher.fetch().await.is_ok(), is_taken, "{length}");
    }
}

#[tokio::test]
async fn nobody_listening_is_a_broken_connection_whose_text_names_no_address() {
    let url = Url::parse(&format!("http://{}/jwks?secret", unused_address())).unwrap();
    let error = HttpFetch { client: client(LIMIT).unwrap(), url }.fetch().await.unwrap_err();
    assert_eq!(error.label(), "transport");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_plain_answer_to_a_tls_client_is_a_broken_connection() {
    let mut fetcher = fetcher(reply(200, "", "{}")).await;
    fetcher.url.set_scheme("https").unwrap();
    assert_eq!(fetcher.fetch().await.unwrap_err().label(), "transport");
}

#[test]
fn the_pages_name_the_reasons() {
    let reasons = [
        FetchError::TimedOut,
        FetchError::Transport(String::new()),
        FetchError::Status(500),
        FetchError::TooLarge,
        FetchError::Body(KeySetError::Malformed),
    ]
    .map(|error| error.label());
    let readme = include_str!("../../../README.md");
    let (_, rows) = readme.split_once("| `reason` | Meaning |\n| --- | --- |\n").unwrap();
    let rows: Vec<&str> =
        rows.lines().map_while(|row| Some(row.strip_prefix("| `")?.split_once('`')?.0)).collect();
    assert_eq!(rows, reasons);
    let operate = include_str!("../../../../docs/operate.md");
    let (_, alarm) =
        operate.split_once("`event = jwks_fetch_failed` in the authorizer's log has the `reason`. ").unwrap();
    let (alarm, _) = alarm.split_once(" mean that").unwrap();
    let named: Vec<&str> = alarm.split('`').skip(1).step_by(2).collect();
    assert!(named.iter().all(|name| reasons.contains(name)) && named.len() == reasons.len(), "{named:?}");
}
