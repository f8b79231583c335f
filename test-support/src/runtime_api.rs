//! The Lambda Runtime API for one function: hands out events and takes the answers.
// SPEC: AWS Lambda, "Using the Lambda runtime API for custom runtimes"

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
};

use crate::{
    http::{Reply, Request, open, serve},
    unix_now,
};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";

/// No healthy function takes this long.
const PATIENCE: Duration = Duration::from_mins(1);

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The function answered.
    Answer(Value),
    /// The function failed.
    Failed {
        /// Its type.
        error_type: String,
        /// Its message.
        error_message: String,
    },
}

/// How an invocation ended, and when.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// From handing out the event to the whole answer being here.
    pub took: Duration,
    /// When the whole answer was here.
    pub at: Instant,
}

/// The stand-in. Dropped, it closes the connections on which the function waits.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<(String, String)>,
    ids: AtomicU64,
    task: AbortHandle,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, String)>>,
    running: Mutex<HashMap<String, Running>>,
    /// How many requests for an event wait for one.
    waiting: watch::Sender<usize>,
    connections: AtomicUsize,
}

struct Running {
    ended: oneshot::Sender<Ended>,
    began: Instant,
}

impl RuntimeApi {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, receiver) = mpsc::unbounded_channel();
        let shared = Shared {
            events: receiver.into(),
            running: Mutex::default(),
            waiting: watch::Sender::new(0),
            connections: AtomicUsize::default(),
        };
        let shared = Arc::new(shared);
        let answering = Arc::clone(&shared);
        let answer = move |request| Arc::clone(&answering).answer(request);
        let task = tokio::spawn(serve(listener, answer)).abort_handle();
        Self { address, shared, events, ids: AtomicU64::default(), task }
    }

    /// The environment that tells a function where it runs.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_LAMBDA_RUNTIME_API", self.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", "function".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ]
    }

    /// Invokes the function and waits for how that ends.
    pub async fn invoke(&self, event: &str) -> Outcome {
        self.send(event.to_owned()).await.outcome
    }

    /// Queues an event; the future is how its invocation ends.
    pub fn send(&self, event: String) -> impl Future<Output = Ended> + use<> {
        let id = format!("00000000-0000-4000-8000-{:012}", self.ids.fetch_add(1, Ordering::Relaxed));
        let (sender, ended) = oneshot::channel();
        self.shared.running.lock().unwrap().insert(id.clone(), Running { ended: sender, began: now() });
        self.events.send((id, event)).expect("the stand-in runs");
        async {
            let ended = tokio::time::timeout(PATIENCE, ended).await;
            ended.expect("the function answers within a minute").expect("the stand-in runs")
        }
    }

    /// Waits until the function waits for an event.
    pub async fn idle(&self) {
        let mut waiting = self.shared.waiting.subscribe();
        let idle = tokio::time::timeout(PATIENCE, waiting.wait_for(|count| *count > 0)).await;
        idle.expect("the function is ready within a minute").unwrap();
    }

    /// How many connections the function has made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request) -> Reply {
        let at = now();
        self.connections.fetch_max(request.connection, Ordering::Relaxed);
        let path = request.path();
        if path == NEXT {
            return self.next().await;
        }
        let call = path.strip_prefix(INVOCATION).and_then(|rest| rest.split_once('/'));
        let (id, kind) = call.unwrap_or_else(|| panic!("not a call of a function: {path}"));
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
        let outcome = match kind {
            "error" => Outcome::Failed { error_type: text("errorType"), error_message: text("errorMessage") },
            _ => Outcome::Answer(body),
        };
        let running = self.running.lock().unwrap().remove(id).expect("an invocation that runs");
        _ = running.ended.send(Ended { outcome, took: at.duration_since(running.began), at });
        open(202, "", r#"{"status":"OK"}"#)
    }

    async fn next(&self) -> Reply {
        self.waiting.send_modify(|count| *count += 1);
        let event = self.events.lock().await.recv().await;
        self.waiting.send_modify(|count| *count -= 1);
        let Some((id, event)) = event else { return Reply::Close };
        self.running.lock().unwrap().get_mut(&id).unwrap().began = now();
        let deadline = unix_now().plus(Duration::from_secs(15)).0 * 1000;
        let headers = format!(
            "Lambda-Runtime-Aws-Request-Id: {id}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:function\r\n\
             Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
        );
        open(200, &headers, event)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeApi").field("address", &self.address).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "a process has the real clock")]
fn now() -> Instant {
    Instant::now()
}
