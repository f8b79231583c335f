//! A log that keeps its lines.

use std::sync::{Arc, Mutex};

use access::log::Log;

/// What was written to a log.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<String>>);

impl Lines {
    /// A log of JSON lines that are kept here.
    pub fn log(&self) -> Log {
        let lines = Arc::clone(&self.0);
        let vars = |name: &str| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned());
        Log::from_vars(vars, move |line| lines.lock().unwrap().push_str(line))
    }

    /// What was written so far.
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// What was written since the last time.
    pub fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
