//! Owns a stand-in for the Lambda Runtime API: it hands events to a function's process and takes the answers.
// SPEC: AWS Lambda, "Using the Lambda runtime API for custom runtimes"

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use gateway::http::{Handle, Refused, Request, Response, server};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";

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

/// The stand-in, for one function.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    events: mpsc::UnboundedSender<(String, String)>,
    ids: AtomicU64,
    _stop: oneshot::Sender<()>,
}

struct Shared {
    events: tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, String)>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
}

impl RuntimeApi {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (events, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { events: receiver.into(), waiting: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let handler: Arc<dyn Handle> = Arc::clone(&shared) as _;
        tokio::spawn(server::serve(listener, handler, now, async { _ = stopped.await }));
        Self { address, shared, events, ids: AtomicU64::default(), _stop: stop }
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

    /// Invokes the function and waits for how it ends.
    pub async fn invoke(&self, event: &str) -> Outcome {
        let id = format!("00000000-0000-4000-8000-{:012}", self.ids.fetch_add(1, Ordering::Relaxed));
        let (sender, outcome) = oneshot::channel();
        self.shared.waiting.lock().unwrap().insert(id.clone(), sender);
        self.events.send((id, event.to_owned())).expect("the stand-in runs");
        let outcome = tokio::time::timeout(Duration::from_mins(1), outcome).await;
        outcome.expect("the function answers within a minute").expect("the stand-in runs")
    }
}

impl Handle for Shared {
    fn answer(&self, request: Request) -> futures_util::future::BoxFuture<'_, Response> {
        Box::pin(async move {
            if request.path() == NEXT {
                return self.next().await;
            }
            let (id, kind) = request
                .path()
                .strip_prefix(INVOCATION)
                .and_then(|rest| rest.split_once('/'))
                .unwrap_or_else(|| panic!("nothing that a function calls: {}", request.path()));
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
            let outcome = match kind {
                "error" => {
                    Outcome::Failed { error_type: text("errorType"), error_message: text("errorMessage") }
                }
                _ => Outcome::Answer(body),
            };
            let waiting = self.waiting.lock().unwrap().remove(id).expect("an invocation that runs");
            _ = waiting.send(outcome);
            Response::json(202, r#"{"status":"OK"}"#)
        })
    }

    fn refuse(&self, refused: Refused, _: SocketAddr) -> Response {
        panic!("a function sends good requests: {refused:?}")
    }
}

impl Shared {
    async fn next(&self) -> Response {
        let next = self.events.lock().await.recv().await;
        let Some((id, event)) = next else { return Response::json(500, "{}") };
        let deadline = now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(15);
        Response::json(200, event)
            .with_header("Lambda-Runtime-Aws-Request-Id", &id)
            .with_header("Lambda-Runtime-Deadline-Ms", &deadline.as_millis().to_string())
            .with_header(
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-1:123456789012:function:function",
            )
    }
}

impl fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeApi").field("address", &self.address).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge of a stand-in")]
fn now() -> SystemTime {
    SystemTime::now()
}
