//! Tests over real sockets, with raw bytes.

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use super::*;
use crate::http::{Refused, Request, Response};

/// Answers with what it understood.
struct Echo;

impl Handle for Echo {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        let headers: Vec<_> = request.headers.iter().map(|(name, _)| name).collect();
        let text =
            format!("{} {} {} {}", request.method, request.target, headers.join(","), request.body.len());
        Box::pin(async move { Response::json(200, text) })
    }

    fn refuse(&self, refused: Refused, _: SocketAddr) -> Response {
        Response::json(400, format!("{refused:?}"))
    }
}

fn epoch() -> SystemTime {
    UNIX_EPOCH
}

async fn start() -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(listener, Arc::new(Echo), epoch, stopped));
    (address, stop, server)
}

/// Sends bytes over a socket of their own and reads until the server closes.
async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let sent = sent.to_vec();
    let sending = tokio::spawn(async move {
        // The server may stop reading in the middle of it.
        let _ = writer.write_all(&sent).await;
        let _ = writer.shutdown().await;
    });
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).await.unwrap();
    sending.await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn bodies(answers: &str) -> Vec<&str> {
    answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer.split_once("\r\n\r\n").map_or(answer, |(_, body)| body))
        .collect()
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_in_order() {
    let (address, _stop, _server) = start().await;
    let sent =
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
        \r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n\
        GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /5 HTTP/1.1\r\nHost: a\r\n\r\n";
    let answers = exchange(address, sent).await;
    assert_eq!(
        bodies(&answers),
        [
            "GET /1 Host 0",
            "POST /2 Host,Content-Length 3",
            "POST /3 Host,Transfer-Encoding 5",
            "GET /4 Host,Connection 0"
        ]
    );
}

#[tokio::test]
async fn row_25_a_smuggled_request_is_never_answered() {
    let (address, _stop, _server) = start().await;
    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = inner.len() + 5;
    let cases = [
        ("CL.TE", format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}")),
        ("TE.CL", format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{inner}")),
        ("TE.TE", format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n{inner}")),
        ("CL.CL", format!("Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{inner}")),
        ("space before the colon", format!("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}")),
        ("bare line feeds", format!("X: 1\n\n{inner}")),
        ("an empty chunk size", format!("Transfer-Encoding: chunked\r\n\r\n\r\n{inner}")),
    ];
    for (name, rest) in cases {
        let answers = exchange(address, format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}").as_bytes()).await;
        assert_eq!(bodies(&answers), ["Malformed"], "{name}");
        assert!(answers.contains("Connection: close\r\n"), "{name}");
    }
}

#[tokio::test]
async fn row_21_sizes_are_bounded_and_the_refusal_still_arrives() {
    let (address, _stop, _server) = start().await;
    let megabyte = "x".repeat(1024 * 1024);
    let sent = format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {megabyte}\r\n\r\n");
    let answer = exchange(address, sent.as_bytes()).await;
    assert_eq!(bodies(&answer), ["HeadTooLarge"], "a token of a megabyte");

    let start = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ";
    for (over, expected) in [(0, "GET / Host,Connection,X 0"), (1, "HeadTooLarge")] {
        let filler = "x".repeat(10_240 - start.len() - 4 + over);
        let answer = exchange(address, format!("{start}{filler}\r\n\r\n").as_bytes()).await;
        assert_eq!(bodies(&answer), [expected], "{over} over 10,240 bytes");
    }

    let body = megabyte.repeat(10);
    let post = |length: usize, body: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    let answer = exchange(address, post(body.len(), &body).as_bytes()).await;
    assert_eq!(bodies(&answer), ["POST / Host,Connection,Content-Length 10485760"], "exactly 10 MB");
    let answer = exchange(address, post(body.len() + 1, &(body + "x")).as_bytes()).await;
    assert_eq!(bodies(&answer), ["BodyTooLarge"], "10 MB and a byte");
    let answer = exchange(address, post(usize::MAX, "").as_bytes()).await;
    assert!(!bodies(&answer).is_empty(), "more than there is");
}

#[tokio::test]
async fn expect_continue_is_met_before_the_body_is_sent() {
    let (address, _stop, _server) = start().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ab").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(bodies(&answer), ["POST / Host,Expect,Connection,Content-Length 2"]);
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let (address, _stop, _server) = start().await;
    let answer = exchange(address, b"GET /old HTTP/1.0\r\n\r\nGET /next HTTP/1.0\r\n\r\n").await;
    assert_eq!(bodies(&answer), ["GET /old  0"]);
}

#[tokio::test]
async fn other_protocols_are_refused() {
    let (address, _stop, _server) = start().await;
    for (sent, expected) in [
        (&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], "Version"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "Malformed"),
        (b"GET /\r\n\r\n", "Malformed"),
    ] {
        assert_eq!(bodies(&exchange(address, sent).await), [expected]);
    }
}

#[tokio::test]
async fn a_request_cut_short_gets_no_answer() {
    let (address, _stop, _server) = start().await;
    for sent in ["", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"] {
        assert_eq!(exchange(address, sent.as_bytes()).await, "", "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_clients_are_cut_off() {
    let cases: [(&str, &[u8], &str); 6] = [
        ("silence", b"", ""),
        // What can never become a request is not waited for.
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "Malformed"),
        ("bare line feeds", b"GET / HTTP/1.1\nHost: a\n\n", "Malformed"),
        ("a bare carriage return", b"GET / HTTP/1.1\r\nX: 1\r2", "Malformed"),
        ("headers that never end", b"GET / HTTP/1.1\r\nX", "TooSlow"),
        ("a body that never ends", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", "TooSlow"),
    ];
    for (name, sent, expected) in cases {
        let (mut client, server) = tokio::io::duplex(64 * 1024);
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let shared = Shared { budget: Budget::new(), is_crowded: Notify::new() };
        let serving = tokio::spawn(async move {
            connection::serve(server, peer, &Echo, &shared, epoch, std::future::pending()).await;
        });
        client.write_all(sent).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(bodies(&answer).concat(), expected, "{name}");
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn an_idle_connection_makes_room_for_one_beyond_the_bound() {
    let (address, _stop, _server) = start().await;
    let sent = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..=CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        open.push(stream);
    }
    let ends: Vec<_> =
        open.iter_mut().map(|stream| Box::pin(async { stream.read_to_end(&mut Vec::new()).await })).collect();
    let (ended, _, others) = futures_util::future::select_all(ends).await;
    ended.unwrap();
    let others = futures_util::future::select_all(others);
    assert!(timeout(Duration::from_millis(100), others).await.is_err(), "one has to go, and no more");
}

/// Answers once it is let go.
struct Slow(Semaphore, Semaphore);

impl Handle for Slow {
    fn answer(&self, _: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            self.0.add_permits(1);
            self.1.acquire().await.unwrap().forget();
            Response::json(200, "done")
        })
    }

    fn refuse(&self, _: Refused, _: SocketAddr) -> Response {
        Response::json(400, "")
    }
}

#[tokio::test]
async fn requests_beyond_the_bound_wait_for_one_to_be_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::new(Slow(Semaphore::new(0), Semaphore::new(0)));
    let served = Arc::clone(&handler) as Arc<dyn Handle>;
    tokio::spawn(serve(listener, served, epoch, std::future::pending()));
    let mut busy = Vec::new();
    for _ in 0..=CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        busy.push(stream);
    }
    let begun = |count: usize| handler.0.acquire_many(u32::try_from(count).unwrap());
    begun(CONNECTIONS).await.unwrap().forget();
    assert!(
        timeout(Duration::from_millis(100), begun(1)).await.is_err(),
        "as many as the bound are in progress"
    );
    handler.1.add_permits(1);
    begun(1).await.unwrap().forget();
}

#[tokio::test]
async fn a_request_that_runs_when_the_server_stops_is_still_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::new(Slow(Semaphore::new(0), Semaphore::new(0)));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(listener, Arc::clone(&handler) as Arc<dyn Handle>, epoch, stopped));
    let answer = tokio::spawn(async move { exchange(address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await });
    handler.0.acquire().await.unwrap().forget();
    stop.send(()).unwrap();
    handler.1.add_permits(1);
    assert_eq!(bodies(&answer.await.unwrap()), ["done"]);
    server.await.unwrap();
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_the_port() {
    let (address, stop, server) = start().await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    stop.send(()).unwrap();
    server.await.unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
}
