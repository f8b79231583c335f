//! Any bytes on a connection; or any bytes as one body, with its length (`L…`) or in chunks (`C…`). Every answer is
//! well-formed, a body is never taken for a request, and the server goes on serving.
#![no_main]

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, SystemTime},
};

use gateway::http::{Handle, Refused, Request, Response, server};
use futures_util::future::BoxFuture;
use libfuzzer_sys::fuzz_target;
use tokio::{net::TcpListener, runtime::Runtime};

/// Keeps the bodies of the requests that it understood.
struct Echo(Arc<Mutex<Vec<Vec<u8>>>>);

impl Handle for Echo {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        self.0.lock().unwrap().push(request.body);
        Box::pin(async { Response::json(200, "{}") })
    }

    fn refuse(&self, _: Refused, _: SocketAddr) -> Response {
        Response::json(400, "{}")
    }
}

struct Server {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    _runtime: Runtime,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let handler = Arc::new(Echo(Arc::clone(&bodies)));
    runtime.spawn(server::serve(listener, handler, || SystemTime::UNIX_EPOCH, std::future::pending()));
    Server { address, bodies, _runtime: runtime }
});

fuzz_target!(|data: &[u8]| {
    let body = data.get(1..).unwrap_or_default();
    match data.first() {
        Some(b'L') => {
            let head = format!("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
            assert_one(&[head.as_bytes(), body].concat(), body);
        }
        Some(b'C') => {
            let mut sent = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in body.chunks(7) {
                sent.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                sent.extend_from_slice(chunk);
                sent.extend_from_slice(b"\r\n");
            }
            sent.extend_from_slice(b"0\r\n\r\n");
            assert_one(&sent, body);
        }
        _ => {
            let requests = exchange(data).len();
            // Each request has a line of its own, of 14 bytes at least.
            assert!(requests <= data.len() / 14, "{requests} requests in {} bytes", data.len());
        }
    }
    assert_one(b"GET /still-there HTTP/1.1\r\nHost: a\r\n\r\n", b"");
});

/// These bytes are one request with this body.
fn assert_one(sent: &[u8], body: &[u8]) {
    assert_eq!(exchange(sent), [body], "one request, with its body");
}

/// Sends bytes over a connection of their own, and returns the bodies of the requests in them.
fn exchange(sent: &[u8]) -> Vec<Vec<u8>> {
    SERVER.bodies.lock().unwrap().clear();
    let mut stream = TcpStream::connect(SERVER.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may stop reading in the middle of it.
    let _ = stream.write_all(sent);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answers = Vec::new();
    match stream.read_to_end(&mut answers) {
        Ok(_) => assert_answers(&answers),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    std::mem::take(&mut SERVER.bodies.lock().unwrap())
}

/// Answers of HTTP/1.1, one behind the other, to their last byte.
fn assert_answers(mut rest: &[u8]) {
    while !rest.is_empty() {
        let text = String::from_utf8_lossy(rest);
        let end = text.find("\r\n\r\n").unwrap_or_else(|| panic!("no end of the head: {text}"));
        let mut lines = text[..end].split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)).unwrap_or("?");
        assert!(["100", "200", "400"].contains(&status), "{text}");
        let length = lines.filter_map(|line| line.strip_prefix("Content-Length: ")).next();
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        assert!(status == "100" || length == 2, "{text}");
        rest = &rest[end + 4..];
        // The answer to HEAD has no body.
        rest = rest.strip_prefix(b"{}").unwrap_or(rest);
    }
}
