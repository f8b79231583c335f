//! The HTTP/1.1 server of the stand-ins: it reads whole requests, and may break off its answers anywhere.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
    /// The number of its connection, from 1.
    pub connection: usize,
}

impl Request {
    /// The request target.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The last value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).last()
    }

    /// The first whole request in these bytes, and how many bytes it takes.
    fn parse(bytes: &[u8], connection: usize) -> Option<(Self, usize)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut request = Self { head: String::new(), body: String::new(), connection };
        // A TLS client opens with a handshake record. It gets the same plain answer.
        if bytes.first() == Some(&0x16) {
            return Some((request, bytes.len()));
        }
        let body = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        request.head = text(&bytes[..body - 4]);
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body = text(bytes.get(body..body + length)?);
        Some((request, body + length))
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Sends this and keeps the connection open.
    Open(Vec<u8>),
    /// Sends this and closes the connection.
    Bytes(Vec<u8>),
    /// Sends these one after the other, with a pause in between, and closes the connection.
    Pieces(Vec<Vec<u8>>, Duration),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Never answers.
    Hang,
}

impl Reply {
    /// Sends the same a byte at a time.
    #[must_use]
    pub fn drip(self, pause: Duration) -> Self {
        let Self::Bytes(bytes) = self else { panic!("only bytes can drip") };
        Self::Pieces(bytes.into_iter().map(|byte| vec![byte]).collect(), pause)
    }

    /// Sends the same after a pause.
    #[must_use]
    pub fn late(self, pause: Duration) -> Self {
        let Self::Bytes(bytes) = self else { panic!("only bytes can be late") };
        Self::Pieces(vec![Vec::new(), bytes], pause)
    }

    /// Breaks off before the last bytes.
    #[must_use]
    pub fn without_last(self, count: usize) -> Self {
        let Self::Bytes(mut bytes) = self else { panic!("only bytes can be cut") };
        bytes.truncate(bytes.len() - count);
        Self::Bytes(bytes)
    }
}

/// A whole answer; `headers` are further lines, each with its line end. It announces the end of the connection, so a
/// client does not send its next request into one that is closing.
pub fn reply(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::Bytes(answer(status, &format!("connection: close\r\n{headers}"), body))
}

/// A whole answer after which the connection stays open.
pub fn open(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::Open(answer(status, headers, body))
}

/// The bytes of a whole answer.
fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Serves until the task is aborted. Connections that are open then stay open.
pub(crate) async fn serve<F: Future<Output = Reply> + Send + 'static>(
    listener: TcpListener,
    answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
) {
    for connection in 1.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        stream.set_nodelay(true).unwrap();
        tokio::spawn(converse(stream, connection, answer.clone()));
    }
}

/// The other side may disconnect at any time, so no write has to succeed.
async fn converse<F: Future<Output = Reply>>(
    mut stream: TcpStream,
    connection: usize,
    answer: impl Fn(Request) -> F,
) {
    let mut bytes = Vec::new();
    while let Some(request) = read(&mut stream, connection, &mut bytes).await {
        match answer(request).await {
            Reply::Open(bytes) if stream.write_all(&bytes).await.is_ok() => continue,
            Reply::Bytes(bytes) => drop(stream.write_all(&bytes).await),
            Reply::Pieces(pieces, pause) => {
                for piece in pieces {
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                }
            }
            Reply::Open(_) | Reply::Close => {}
            Reply::Reset => stream.set_zero_linger().unwrap(),
            Reply::Hang => drop(stream.read_u8().await),
        }
        return;
    }
}

/// Reads a request; `None` once the other side has closed.
async fn read(stream: &mut TcpStream, connection: usize, bytes: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some((request, length)) = Request::parse(bytes, connection) {
            bytes.drain(..length);
            return Some(request);
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}
