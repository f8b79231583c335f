//! Owns a stub of a key set's endpoint on loopback: it answers as it is told to, well or badly, and counts.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the endpoint does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Writes this, all at once, and closes.
    Bytes(Vec<u8>),
    /// Writes this, a byte every ten milliseconds.
    Drip(Vec<u8>),
    /// Reads the request and says nothing.
    Silence,
    /// Resets the connection.
    Reset,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::with("200 OK", "Content-Type: application/json", body)
    }

    /// Any status, with one more header.
    pub(crate) fn with(status: &str, header: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

/// An endpoint that listens until it is dropped.
pub(crate) struct Endpoint {
    address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    count: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Endpoint {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(answer));
        let count = Arc::new(AtomicUsize::new(0));
        let (answers, counted) = (Arc::clone(&answer), Arc::clone(&count));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = answers.lock().unwrap().clone();
                tokio::spawn(serve(stream, answer));
            }
        });
        Self { address, answer, count, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// What it does from now on.
    pub(crate) fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Stops listening: connections are refused from now on.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// How many requests were made.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The client may go away at any time, so that no write has to succeed.
async fn serve(mut stream: TcpStream, answer: Answer) {
    if matches!(answer, Answer::Reset) {
        // To close with something unread is to reset.
        let _ = stream.read_u8().await;
        return;
    }
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    match answer {
        Answer::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Answer::Drip(bytes) => {
            for byte in bytes {
                tokio::time::sleep(Duration::from_millis(10)).await;
                if stream.write_u8(byte).await.is_err() {
                    return;
                }
            }
        }
        Answer::Silence => {
            let _ = stream.read_u8().await;
        }
        Answer::Reset => {}
    }
}
