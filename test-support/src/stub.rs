//! An HTTP endpoint on loopback that answers as the test says, and records the requests.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{net::TcpListener, task::AbortHandle};

use crate::http::{Reply, Request, serve};

type Script = dyn Fn(usize, &Request) -> Reply + Send + Sync;

/// The endpoint. It serves until it is stopped or the test ends.
#[derive(Clone)]
pub struct Stub {
    address: SocketAddr,
    script: Arc<Mutex<Arc<Script>>>,
    heard: Arc<Mutex<Vec<Request>>>,
    task: AbortHandle,
}

impl Stub {
    /// Answers with what `script` returns for each request and its number, from 0.
    pub async fn new(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<Mutex<Arc<Script>>> = Arc::new(Mutex::new(Arc::new(script)));
        let heard = Arc::<Mutex<Vec<_>>>::default();
        let (scripts, requests) = (Arc::clone(&script), Arc::clone(&heard));
        let answer = move |request: Request| {
            let script = Arc::clone(&scripts.lock().unwrap());
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            std::future::ready(script(requests.len() - 1, requests.last().unwrap()))
        };
        let task = tokio::spawn(serve(listener, answer)).abort_handle();
        Self { address, script, heard, task }
    }

    /// Gives the same answer to every request.
    pub async fn always(reply: Reply) -> Self {
        Self::new(move |_, _| reply.clone()).await
    }

    /// Gives these answers one after the other, the last one again and again.
    pub async fn in_turn(replies: Vec<Reply>) -> Self {
        Self::new(move |number, _| replies.get(number).or(replies.last()).unwrap().clone()).await
    }

    /// Gives this answer from now on.
    pub fn set(&self, reply: Reply) {
        *self.script.lock().unwrap() = Arc::new(move |_, _| reply.clone());
    }

    /// Stops listening: connections are refused from now on.
    pub async fn stop(&self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub fn heard(&self) -> Vec<Request> {
        self.heard.lock().unwrap().clone()
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub").field("address", &self.address).finish_non_exhaustive()
    }
}

/// An address on loopback where nothing listens.
pub fn unused_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
