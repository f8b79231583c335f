//! The HTTP server that tests talk to, on 127.0.0.1: it records one request per connection and answers as the test says.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Heard {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).last()
    }
}

/// What the stub does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Sends this and closes the connection.
    Bytes(Vec<u8>),
    /// Sends a byte of this each second.
    Drip(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
    /// Never answers.
    Hang,
}

/// A whole answer; `headers` are further lines, each with its line end. It says that the connection ends, or a client
/// could send its next request into one that is just being closed.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(
        format!(
            "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        )
        .into_bytes(),
    )
}

#[derive(Clone)]
pub(crate) struct Stub {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Stub {
    /// Answers with what `script` says to each request and its number, from 0.
    pub(crate) async fn new(script: impl Fn(usize, &Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self { port: listener.local_addr().unwrap().port(), heard: Arc::default() };
        let (heard, script) = (Arc::clone(&stub.heard), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (heard, script) = (Arc::clone(&heard), Arc::clone(&script));
                tokio::spawn(async move { serve(stream, &heard, &*script).await });
            }
        });
        stub
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

async fn serve(
    mut stream: TcpStream,
    heard: &Mutex<Vec<Heard>>,
    script: &(dyn Fn(usize, &Heard) -> Reply + Sync),
) {
    let Some(request) = read(&mut stream).await else { return };
    let reply = {
        let mut heard = heard.lock().unwrap();
        heard.push(request.clone());
        script(heard.len() - 1, &request)
    };
    // The other side may have gone away by then, which is no failure of the test.
    match reply {
        Reply::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Reply::Drip(bytes) => {
            for byte in bytes {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Reply::Close => drop(stream),
        Reply::Reset => stream.set_zero_linger().unwrap(),
        Reply::Hang => std::future::pending().await,
    }
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut request = Heard { head: text(&bytes[..end]), body: String::new() };
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        let body = &bytes[end + 4..];
        if body.len() >= length {
            request.body = text(body);
            return Some(request);
        }
    }
}
