//! The request against a small stub on loopback: what an endpoint can do wrong, and what a fetch makes of it.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::*;

const LIMIT: Duration = Duration::from_millis(400);

/// What the stub does with a connection once it has read the request.
#[derive(Clone)]
enum Answer {
    /// These bytes, then close.
    Bytes(Vec<u8>),
    /// Nothing, for good.
    Silence,
    /// A head, then one byte of the body at a time, for good.
    Drip,
    /// A body of 50 MB, its length told or not.
    Huge { is_told: bool },
    /// Part of a body, then close.
    Short,
}

fn answer(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes(),
    )
}

async fn serve(mut stream: TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).await?;
    // A TLS client opens with a handshake record. It gets the same plain answer.
    let is_tls = request[0] == 0x16;
    assert!(is_tls || request[..length].starts_with(b"GET /jwks HTTP/1.1\r\n"));
    match answer {
        Answer::Bytes(bytes) => stream.write_all(&bytes).await?,
        Answer::Silence => std::future::pending().await,
        Answer::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(LIMIT / 20).await;
            }
        }
        Answer::Huge { is_told } => {
            let length = if is_told { "Content-Length: 50000000\r\n" } else { "" };
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{length}\r\n").as_bytes()).await?;
            for _ in 0..50 {
                stream.write_all(&vec![b' '; 1_000_000]).await?;
            }
        }
        Answer::Short => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{").await?,
    }
    stream.shutdown().await
}

/// A fetch from a stub that gives these answers, one to a connection.
async fn fetcher(answers: Vec<Answer>) -> HttpFetch {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/jwks", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            // The client hangs up where it has had enough.
            tokio::spawn(async move { drop(serve(stream, answer).await) });
        }
    });
    HttpFetch { client: client(LIMIT).unwrap(), url }
}

#[tokio::test]
async fn an_endpoint_that_misbehaves_is_a_failure_with_a_name() {
    let evil = "Location: http://127.0.0.1:1/elsewhere\r\n";
    let cases = [
        ("good", answer("200 OK", "", "{}"), Ok("{}")),
        ("any content type", answer("200 OK", "Content-Type: text/html\r\n", "<html>"), Ok("<html>")),
        ("empty", answer("200 OK", "", ""), Ok("")),
        ("not found", answer("404 Not Found", "", "{}"), Err("status")),
        ("server error", answer("500 Internal Server Error", "", "{}"), Err("status")),
        ("no content", answer("204 No Content", "", ""), Err("status")),
        ("redirect", answer("302 Found", evil, ""), Err("status")),
        ("lasting redirect", answer("308 Permanent Redirect", evil, ""), Err("status")),
        ("no HTTP", Answer::Bytes(b"garbage\r\n\r\n".to_vec()), Err("transport")),
        ("closed at once", Answer::Bytes(Vec::new()), Err("transport")),
        ("cut short", Answer::Short, Err("transport")),
        ("silent", Answer::Silence, Err("timed_out")),
        ("dripping", Answer::Drip, Err("timed_out")),
        ("huge", Answer::Huge { is_told: false }, Err("too_large")),
        ("huge, and says so", Answer::Huge { is_told: true }, Err("too_large")),
    ];
    for (name, answer, expected) in cases {
        let fetcher = fetcher(vec![answer]).await;
        let result = timeout(LIMIT * 3, fetcher.fetch()).await.expect(name);
        let body = result.map(|body| String::from_utf8(body).unwrap());
        assert_eq!(body.as_deref().map_err(FetchError::label), expected, "{name}");
    }
}

#[tokio::test]
async fn bodies_are_taken_up_to_the_limit() {
    for (length, is_taken) in [(524_288, true), (524_289, false)] {
        let fetcher = fetcher(vec![answer("200 OK", "", &" ".repeat(length))]).await;
        assert_eq!(fetcher.fetch().await.is_ok(), is_taken, "{length}");
    }
}

#[tokio::test]
async fn nobody_listening_is_a_broken_connection_whose_text_names_no_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = Url::parse(&format!("http://127.0.0.1:{port}/jwks?secret")).unwrap();
    let error = HttpFetch { client: client(LIMIT).unwrap(), url }.fetch().await.unwrap_err();
    assert_eq!(error.label(), "transport");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_plain_answer_to_a_tls_client_is_a_broken_connection() {
    let mut fetcher = fetcher(vec![answer("200 OK", "", "{}")]).await;
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
