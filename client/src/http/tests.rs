//! What the settings of the HTTP client do, on real connections.

use test_support::{Reply, Stub, reply};

use super::*;

async fn get(http: &Http, url: &str) -> Result<Response, ExchangeError> {
    let request = ::http::Request::get(url).body(Vec::new()).unwrap();
    http.exchange(request, 100, Duration::from_secs(5)).await
}

/// An address that cannot be connected to: a listener that accepts nothing, with its queue full.
pub(crate) async fn unconnectable() -> (String, Vec<tokio::net::TcpStream>, tokio::net::TcpListener) {
    const PATIENCE: Duration = Duration::from_millis(300);
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let (address, mut queued) = (listener.local_addr().unwrap(), Vec::new());
    while let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tokio::net::TcpStream::connect(address)).await {
        queued.push(stream);
    }
    (format!("http://{address}"), queued, listener)
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_a_time_out() {
    let (url, _queued, _listener) = unconnectable().await;
    let http = Http::builder().connect_limit(Duration::from_millis(200)).build().unwrap();
    // Without a limit of its own a connection may take 3 seconds.
    let answer = tokio::time::timeout(Duration::from_millis(2500), get(&http, &url)).await;
    assert!(matches!(answer, Ok(Err(ExchangeError::TimedOut))));
}

#[tokio::test]
async fn a_lost_connection_says_why_and_not_where() {
    let stub = Stub::always(Reply::Close).await;
    let Err(ExchangeError::Connection(error)) = get(&Http::new().unwrap(), &stub.url("/?q=private")).await
    else {
        panic!("the connection was closed")
    };
    assert_eq!(error.to_string(), "error sending request");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("client error (SendRequest)"));
    let debug = format!("{error:?}");
    assert!(debug.contains("SendRequest") && !debug.contains("private"), "{debug}");
}

#[tokio::test]
async fn the_user_agent_is_ours_or_the_callers() {
    let stub = Stub::always(reply(200, "", "")).await;
    let ours = concat!("scopegate-client/", env!("CARGO_PKG_VERSION"));
    let theirs = Http::builder().user_agent("billing/1.4").build().unwrap();
    for (http, expected) in [(Http::new().unwrap(), ours), (theirs, "billing/1.4")] {
        assert!(get(&http, &stub.url("/")).await.is_ok());
        assert_eq!(stub.heard().pop().unwrap().header("user-agent"), Some(expected));
    }
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = Stub::always(reply(200, "", "")).await;
    let url = proxy.url("").replace("http://", "http://user:secret@");
    let http = Http::builder().proxy(url).build().unwrap();
    assert!(get(&http, "http://127.0.0.1:1/path").await.is_ok());
    let heard = proxy.heard().pop().unwrap();
    assert!(heard.head.starts_with("GET http://127.0.0.1:1/path HTTP/1.1"), "{}", heard.head);
    assert_eq!(heard.header("proxy-authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
    assert!(!format!("{http:?}").contains("secret"), "{http:?}");
}

#[tokio::test]
async fn a_response_has_a_bounded_size() {
    for (length, is_small) in [(0, true), (100, true), (101, false)] {
        let stub = Stub::always(reply(200, "", "x".repeat(length))).await;
        let response = get(&Http::new().unwrap(), &stub.url("/")).await;
        let is_too_large = matches!(response, Err(ExchangeError::TooLarge));
        assert_eq!((response.is_ok(), is_too_large), (is_small, !is_small), "{length}");
        assert_eq!(response.map_or(0, |response| response.body.len()), if is_small { length } else { 0 });
    }
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    assert!(matches!(get(&Http::new().unwrap(), "/path").await, Err(ExchangeError::Url)));
}

#[test]
fn debug_shows_settings_without_the_proxys_password() {
    let builder = Http::builder().proxy("http://user:secret@proxy").user_agent("billing/1.4");
    assert_eq!(format!("{builder:?}"), r#"HttpBuilder { connect_limit: 3s, user_agent: "billing/1.4", .. }"#);
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let cases = [
        (
            "not PEM",
            Http::builder().roots_pem("nonsense"),
            "the root certificates are not certificates in PEM",
        ),
        (
            "not a certificate",
            Http::builder().roots_pem(pem),
            "the root certificates are not certificates in PEM",
        ),
        ("not a URL", Http::builder().proxy("http://user:secret@"), "the proxy's address is not a URL"),
        ("not a header", Http::builder().user_agent("a\nb"), "the HTTP client could not be built"),
    ];
    for (name, builder, message) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!(error.to_string(), message, "{name}");
        assert!(!format!("{error:?}").contains("secret"), "{name}");
    }
}

#[cfg(feature = "aws")]
#[test]
fn clients_are_shared_by_their_limit_for_a_connection() {
    let http = Http::new().unwrap();
    for n in 0..100 {
        drop(http.with_connect_limit(Duration::from_millis(n % 50)));
    }
    assert_eq!(http.by_connect_limit.clients.lock().unwrap().len(), MAX_CONNECT_LIMITS);
}
