//! The gateway behind its real front.

use std::{sync::Arc, time::UNIX_EPOCH};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::support::Stage;
use crate::http::{Handle, server::serve};

/// Sends bytes to the gateway behind its real front, and reads until it closes.
async fn exchange(stage: &Stage, sent: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::clone(&stage.gateway) as Arc<dyn Handle>;
    let server = tokio::spawn(serve(listener, handler, || UNIX_EPOCH, std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    server.abort();
    answer
}

#[tokio::test]
async fn rows_19_and_20_names_query_and_path_reach_the_handler_as_sent() {
    let stage = Stage::new(|_| ());
    let sent = "GET /orders/a%2Fb?q=%C3%A9 HTTP/1.1\r\nHOST: 127.0.0.1:3000\r\nauthorization: Bearer token\r\n\
        x_under-SCORE: 1\r\nConnection: close\r\n\r\n";
    assert!(exchange(&stage, sent).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let event = stage.last_event("Handler");
    assert_eq!(event["path"], "/orders/a%2Fb");
    assert_eq!(event["queryStringParameters"]["q"], "é");
    assert_eq!(event["headers"]["x_under-SCORE"], "1");
    assert_eq!(event["headers"]["HOST"], "127.0.0.1:3000");
}

#[tokio::test]
async fn row_25_headers_that_are_no_token_never_reach_a_function() {
    let cases = [
        ("none", "", "401"),
        ("two", "Authorization: Bearer token\r\nAuthorization: Bearer token\r\n", "401"),
        ("two in one casing each", "Authorization: Bearer a\r\nAUTHORIZATION: Bearer b\r\n", "401"),
        ("empty", "Authorization:\r\n", "401"),
        ("blank", "Authorization: \t \r\n", "401"),
        ("a control character", "Authorization: Bearer \u{1}\r\n", "400"),
        ("folded", "Authorization: Bearer\r\n token\r\n", "400"),
        ("a space before the colon", "Authorization : Bearer token\r\n", "400"),
    ];
    for (name, lines, status) in cases {
        let stage = Stage::new(|_| ());
        let sent = format!("GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n");
        let answer = exchange(&stage, &sent).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
        assert!(
            answer.contains("\r\nx-amzn-RequestId: ") && answer.contains("\r\nx-amzn-ErrorType: "),
            "{name}"
        );
        assert_eq!(stage.functions.calls.lock().unwrap().len(), 0, "{name}");
    }
}

#[tokio::test]
async fn row_21_what_the_front_refuses_is_a_gateway_response() {
    let stage = Stage::new(|_| ());
    let long =
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n", "x".repeat(11_000));
    let announced =
        "POST /orders HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10485761\r\n\r\n";
    let cases = [
        (long.as_str(), "431", "Request Header Fields Too Large", "BadRequestException"),
        (announced, "413", "Request Too Long", "RequestTooLargeException"),
        ("GET / HTTP/3.0\r\n\r\n", "505", "HTTP Version Not Supported", "BadRequestException"),
        ("hello\r\n\r\n", "400", "Bad Request", "BadRequestException"),
    ];
    for (sent, status, message, error_type) in cases {
        let answer = exchange(&stage, sent).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{{\"message\":\"{message}\"}}")), "{answer}");
        assert!(answer.contains(&format!("\r\nx-amzn-ErrorType: {error_type}\r\n")), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    assert_eq!(stage.last_served().status, 400);
}
