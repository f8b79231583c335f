//! Owns a log that keeps its lines.

use std::sync::{Arc, Mutex};

use access::log::Log;

#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<String>>);

impl Lines {
    /// A log of JSON lines that ends up here.
    pub(crate) fn log(&self) -> Log {
        let lines = Arc::clone(&self.0);
        let vars = |name: &str| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned());
        Log::from_vars(vars, move |line| lines.lock().unwrap().push_str(line))
    }

    /// What was written so far.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}
