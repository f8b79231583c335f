//! The log lines of one request, held together until it is answered: the authorizer and the function write theirs in the
//! course of it, and know nothing of each other.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::Either;
use gateway::http::Request;
use serde_json::{Map, Value};

tokio::task_local! {
    static CURRENT: Exchange;
}

/// The fields of one log line.
pub(crate) type Line = Map<String, Value>;

/// More than the longest path that a terminal has room for.
const LONGEST_PATH: usize = 60;

type Late = Box<dyn Fn(Line) + Send>;

/// One request and its lines so far.
#[derive(Clone)]
struct Exchange(Arc<Held>);

struct Held {
    request: String,
    lines: Mutex<Vec<Line>>,
    /// What prints the lines of a request that was never answered.
    late: Mutex<Option<Late>>,
}

/// What a request is called where it has no route.
pub(crate) fn name(request: &Request) -> String {
    let path: String = request.path().chars().take(LONGEST_PATH).collect();
    format!("{} {path}", request.method).escape_debug().to_string()
}

/// Does `work`, which answers the request of this name.
pub(crate) fn of<F: Future>(request: String, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(Exchange(Arc::new(Held { request, lines: Mutex::default(), late: Mutex::default() })), work)
}

/// Does `work` in a task of its own as a part of the exchange of the task that calls this, if there is one.
pub(crate) fn part<F: Future>(work: F) -> impl Future<Output = F::Output> {
    match CURRENT.try_with(Clone::clone) {
        Ok(exchange) => Either::Left(CURRENT.scope(exchange, work)),
        Err(_) => Either::Right(work),
    }
}

/// Holds a line until the request is answered; gives it back where there is no request. A line that nobody takes goes to
/// `late` in the end.
pub(crate) fn hold(line: Line, late: impl Fn(Line) + Send + 'static) -> Option<Line> {
    let mut line = Some(line);
    _ = CURRENT.try_with(|Exchange(held)| {
        lock(&held.lines).extend(line.take());
        *lock(&held.late) = Some(Box::new(late));
    });
    line
}

/// The method and path of the request that is answered now, and its lines so far.
pub(crate) fn take() -> (Option<String>, Vec<Line>) {
    let taken = CURRENT.try_with(|Exchange(held)| (held.request.clone(), mem::take(&mut *lock(&held.lines))));
    taken.map_or_else(|_| (None, Vec::new()), |(request, lines)| (Some(request), lines))
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(late) = lock(&self.late).take() {
            mem::take(&mut *lock(&self.lines)).into_iter().for_each(late);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
