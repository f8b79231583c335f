//! Logs an invocation that failed before the function could log it itself: it was not there, took too long, or
//! panicked.

use access::log::{Level, Log, Outcome};
use futures_util::{FutureExt as _, future::BoxFuture};
use gateway::{
    http::Clock,
    invoke::{Invoke, InvokeError},
};
use serde::Serialize;

/// What Lambda calls a function whose process ended under it.
pub(super) const EXIT: &str = "Runtime.ExitError";

/// Logs those failures of functions that they do not log themselves.
pub(super) struct FailureLog<F> {
    functions: F,
    clock: Clock,
    log: Log,
}

impl<F> FailureLog<F> {
    pub(super) const fn new(functions: F, clock: Clock, log: Log) -> Self {
        Self { functions, clock, log }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    outcome: Outcome,
    reason: &'a str,
    function: &'a str,
    detail: String,
}

impl<F: Invoke> Invoke for FailureLog<F> {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        async move {
            let invoked = self.functions.invoke(function, event).await;
            if let Err(error) = &invoked
                && let Some(reason) = untold(error)
            {
                let line = Line { outcome: Outcome::Fault, reason, function, detail: error.to_string() };
                self.log.record(Level::Error, (self.clock)(), &line);
            }
            invoked
        }
        .boxed()
    }
}

/// The label of a failure that the function cannot log itself.
fn untold(error: &InvokeError) -> Option<&'static str> {
    match error {
        InvokeError::Function { error_type, .. } => (error_type == EXIT).then_some("function_exited"),
        InvokeError::TimedOut => Some("function_timed_out"),
        InvokeError::Unavailable(_) => Some("function_unavailable"),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::UNIX_EPOCH,
    };

    use super::*;

    /// Fails in the same way each time.
    struct Failing(InvokeError);

    impl Invoke for Failing {
        fn invoke<'a>(&'a self, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
            async { Err(self.0.clone()) }.boxed()
        }
    }

    #[tokio::test]
    async fn only_what_a_function_cannot_tell_is_told() {
        let failed = |error_type: &str| InvokeError::Function {
            error_type: error_type.to_owned(),
            error_message: "Unauthorized".to_owned(),
        };
        let cases = [
            (failed("expired"), ""),
            (failed(EXIT), "function_exited"),
            (InvokeError::TimedOut, "function_timed_out"),
            (InvokeError::Unavailable("gone".to_owned()), "function_unavailable"),
        ];
        for (error, reason) in cases {
            let written = Arc::new(Mutex::new(String::new()));
            let sink = Arc::clone(&written);
            let log = Log::from_vars(|_| None, move |line| sink.lock().unwrap().push_str(line));
            let told = FailureLog { functions: Failing(error.clone()), clock: || UNIX_EPOCH, log };
            assert_eq!(told.invoke("OrderFunction", Vec::new()).await, Err(error));
            let line = written.lock().unwrap().clone();
            assert!(line.is_empty() == reason.is_empty() && line.contains(reason), "{reason}: {line}");
        }
    }
}
