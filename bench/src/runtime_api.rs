//! A stub of the Lambda Runtime API for one process: `next`, `response`, `error`.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use bench::{
    clock,
    http::{Reply, Request, Server},
};

const PREFIX: &str = "/2018-06-01/runtime/";

/// The far-off deadline of every invocation, in milliseconds since 1970: nothing here waits for one.
const DEADLINE_MS: &str = "4102444800000";

/// What the process did, in the order in which it did it.
#[derive(Debug)]
pub(crate) enum Seen {
    /// It asked for the next event, so it has nothing left to do.
    Asked,
    /// It answered an event.
    Answered(Answer),
}

/// An answer to one event.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
    /// From handing out the event to the whole answer being here.
    pub(crate) took: Duration,
    pub(crate) at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Response,
    Error,
}

/// The stub. Events go in, what the process does comes out; each process gets its own.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    server: Server,
    events: Sender<Vec<u8>>,
    seen: Receiver<Result<Seen>>,
}

impl RuntimeApi {
    pub(crate) fn start() -> io::Result<Self> {
        let (events, queue) = channel();
        let (notify, seen) = channel();
        let state = State { queue: Mutex::new(queue), handed_out: Mutex::new(None), notify };
        let server = Server::start(move |request| state.answer(request))?;
        Ok(Self { server, events, seen })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Queues an event for the next `next`.
    pub(crate) fn send(&self, event: &[u8]) {
        // INVARIANT: the server lives as long as `self`, and with it the receiving end.
        drop(self.events.send(event.to_vec()));
    }

    /// What the process does next; an error if that is nothing within `limit`, or to give up.
    pub(crate) fn wait(&self, limit: Duration) -> Result<Seen> {
        self.seen.recv_timeout(limit).with_context(|| format!("the function was silent for {limit:?}"))?
    }
}

struct State {
    queue: Mutex<Receiver<Vec<u8>>>,
    handed_out: Mutex<Option<Instant>>,
    notify: Sender<Result<Seen>>,
}

impl State {
    fn answer(&self, request: Request) -> Option<Reply> {
        let action = request.path.strip_prefix(PREFIX).unwrap_or_default();
        let action = action.rsplit_once('/').map_or(action, |(_, action)| action);
        match (request.method.as_str(), action) {
            ("GET", "next") => self.next(),
            ("POST", "response") => self.answered(Kind::Response, request.body),
            ("POST", "error") if request.path.ends_with("/init/error") => {
                self.tell(Err(anyhow!("the function gave up: {}", String::from_utf8_lossy(&request.body))))
            }
            ("POST", "error") => self.answered(Kind::Error, request.body),
            _ => Some(Reply::json("404 Not Found", "{}")),
        }
    }

    /// Waits for an event, as the real one does; ends the conversation when the stub is dropped.
    fn next(&self) -> Option<Reply> {
        self.notify.send(Ok(Seen::Asked)).ok()?;
        let event = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()?;
        let headers = format!(
            "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
             Lambda-Runtime-Deadline-Ms: {DEADLINE_MS}\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bench\r\n\
             Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0\r\n"
        );
        *self.handed_out.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock::now());
        Some(Reply { status: "200 OK", headers, body: event })
    }

    fn answered(&self, kind: Kind, body: Vec<u8>) -> Option<Reply> {
        let at = clock::now();
        let handed_out = self.handed_out.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        self.tell(Ok(Seen::Answered(Answer {
            kind,
            body,
            took: at.saturating_duration_since(handed_out),
            at,
        })))
    }

    fn tell(&self, seen: Result<Seen>) -> Option<Reply> {
        self.notify.send(seen).ok()?;
        Some(Reply::json("202 Accepted", r#"{"status":"OK"}"#))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn state() -> (State, Sender<Vec<u8>>, Receiver<Result<Seen>>) {
        let (events, queue) = channel();
        let (notify, seen) = channel();
        (State { queue: Mutex::new(queue), handed_out: Mutex::new(None), notify }, events, seen)
    }

    fn request(method: &str, path: &str, body: &str) -> Request {
        Request { method: method.into(), path: format!("{PREFIX}{path}"), body: body.into() }
    }

    #[test]
    fn an_event_goes_out_and_its_answer_comes_back() {
        let (state, events, seen) = state();
        for (name, path, kind) in [
            ("response", "invocation/1/response", Kind::Response),
            ("error", "invocation/1/error", Kind::Error),
        ] {
            events.send(b"event".to_vec()).unwrap();
            assert_eq!(state.answer(request("GET", "invocation/next", "")).unwrap().body, b"event", "{name}");
            assert!(matches!(seen.recv_timeout(LIMIT), Ok(Ok(Seen::Asked))), "{name}");
            assert_eq!(
                state.answer(request("POST", path, "answer")).unwrap().status,
                "202 Accepted",
                "{name}"
            );
            let Ok(Ok(Seen::Answered(answer))) = seen.recv_timeout(LIMIT) else { panic!("{name}") };
            assert_eq!((answer.kind, answer.body), (kind, b"answer".to_vec()), "{name}");
        }
    }

    #[test]
    fn a_failed_start_is_reported() {
        let (state, _events, seen) = state();
        state.answer(request("POST", "init/error", "no settings")).unwrap();
        assert!(
            matches!(seen.recv_timeout(LIMIT), Ok(Err(error)) if error.to_string().ends_with("no settings"))
        );
    }

    #[test]
    fn an_answer_that_nobody_asked_for_ends_the_conversation() {
        let (state, _events, _seen) = state();
        assert!(state.answer(request("POST", "invocation/1/response", "")).is_none());
    }

    #[test]
    fn a_dropped_stub_ends_the_conversation() {
        let (state, events, _seen) = state();
        drop(events);
        assert!(state.answer(request("GET", "invocation/next", "")).is_none());
    }
}
