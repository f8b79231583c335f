//! The HTTP/1.1 server of both stubs: keep-alive, one thread for each connection, bodies with a `Content-Length`.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

const HEAD_LIMIT: u64 = 32 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;

/// A request, as far as the stubs look at it.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The whole body.
    pub body: Vec<u8>,
}

/// An answer; `Content-Length` is added.
#[derive(Debug)]
pub struct Reply {
    /// Code and reason.
    pub status: &'static str,
    /// Whole lines, each with its end.
    pub headers: String,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON answer without headers of its own.
    pub fn json(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: String::new(), body: body.into() }
    }
}

/// A server on a free port of loopback; it stops accepting when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Serves with `answer`, which may block: `None` closes the connection.
    pub fn start(answer: impl Fn(Request) -> Option<Reply> + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let server =
            Self { address: listener.local_addr()?, connections: Arc::default(), stopping: Arc::default() };
        let (connections, stopping) = (Arc::clone(&server.connections), Arc::clone(&server.stopping));
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                connections.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                // A connection that breaks is the client's end of it: the driver notices a missing answer.
                thread::spawn(move || drop(converse(stream, &*answer)));
            }
        });
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if that fails, there is nothing left to wake.
        drop(TcpStream::connect(self.address));
    }
}

fn converse(stream: TcpStream, answer: &impl Fn(Request) -> Option<Reply>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        let Some(reply) = answer(request) else { break };
        write(&mut writer, &reply)?;
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut head = reader.take(HEAD_LIMIT);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Err(bad("request line")) };
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut length = 0;
    loop {
        line.clear();
        if head.read_line(&mut line)? == 0 {
            return Err(bad("head"));
        }
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_| bad("content-length"))?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(bad("a body without content-length"));
        }
    }
    if length > BODY_LIMIT {
        return Err(bad("body too long"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, path, body }))
}

/// Head and body go out in one write, so that the client reads them at once.
fn write(writer: &mut impl Write, reply: &Reply) -> io::Result<()> {
    let mut bytes = format!(
        "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n",
        reply.status,
        reply.body.len(),
        reply.headers
    )
    .into_bytes();
    bytes.extend_from_slice(&reply.body);
    writer.write_all(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_one_after_the_other() {
        let mut wire: &[u8] =
            b"POST /a HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n\r\n";
        let first = read(&mut wire).unwrap().unwrap();
        assert_eq!(
            (first.method.as_str(), first.path.as_str(), first.body.as_slice()),
            ("POST", "/a", &b"hi"[..])
        );
        let second = read(&mut wire).unwrap().unwrap();
        assert_eq!((second.method.as_str(), second.path.as_str(), second.body.len()), ("GET", "/b", 0));
        assert!(read(&mut wire).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for (name, wire) in [
            ("no path", "GET\r\n\r\n"),
            ("cut head", "GET / HTTP/1.1\r\nHost: x\r\n"),
            ("cut body", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc"),
            ("length that is not a number", "POST / HTTP/1.1\r\nContent-Length: five\r\n\r\n"),
            ("length over the limit", "POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"),
            ("chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ] {
            assert!(read(&mut wire.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn connections_are_counted_and_kept() {
        let server = Server::start(|request| Some(Reply::json("200 OK", request.path))).unwrap();
        for expected in 1..=2 {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            for path in ["/one", "/two"] {
                stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
                let mut answer = Vec::new();
                while !answer.ends_with(path.as_bytes()) {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    answer.push(byte[0]);
                }
            }
            assert_eq!(server.connections(), expected);
        }
    }
}
