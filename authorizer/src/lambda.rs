//! The function on AWS Lambda: starts and serves, or reports why it cannot.

use std::{io::Write, path::Path, process::ExitCode, time::SystemTime};

use access::log::{Level, Log, Outcome};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::Serialize;

use crate::{Authorizer, Config, ConfigError, Failure, StartError, config::with_usual_places, event::Event};

/// Runs the function until Lambda stops it; `vars` looks up environment variables. `program` is the path of the binary:
/// its routes may be in `routes.json` in the same folder.
///
/// If it cannot start, it writes one log line to standard error, with all problems of the settings.
pub fn run(
    vars: impl Fn(&str) -> Option<String>,
    program: Option<&Path>,
    clock: fn() -> SystemTime,
) -> ExitCode {
    let vars = with_usual_places(&vars, program);
    let log = Log::from_vars(&vars, |line| {
        // One write under one lock, so lines of parallel invocations do not mix. A failure to write cannot be
        // reported anywhere.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    });
    let Err(error) = serve(&vars, clock, log) else { return ExitCode::SUCCESS };
    let log = Log::from_vars(&vars, |line| {
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    });
    let line = Stopped { outcome: Outcome::Fault, reason: error.label(), detail: error.to_string() };
    log.record(Level::Error, clock(), &line);
    ExitCode::FAILURE
}

fn serve(
    vars: &impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
    log: Log,
) -> Result<(), StopError> {
    let authorizer = Authorizer::new(Config::from_vars(vars)?, clock, log)?;
    let parallel = vars("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|most| most.parse::<u32>().ok());
    // One thread is enough for one invocation at a time, and starts faster.
    let mut runtime = if parallel.is_some_and(|most| most > 1) {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    runtime.enable_all().build()?.block_on(async {
        authorizer.prefetch().await;
        let service = service_fn(move |event: LambdaEvent<Event>| {
            let authorizer = authorizer.clone();
            async move { authorizer.answer(event.payload, &event.context.request_id).await }
        });
        // Without the tracing layer, since no subscriber is set: our log is the one line of a decision.
        Runtime::new(service).run_concurrent().await.map_err(|error| StopError::Api(error.to_string()))
    })
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.error_type.to_owned(), error_message: failure.error_message.to_owned() }
    }
}

/// Why the function stopped.
#[derive(Debug, thiserror::Error)]
enum StopError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the async runtime: {0}")]
    Runtime(#[from] std::io::Error),
    #[error("the Lambda runtime API: {0}")]
    Api(String),
}

impl StopError {
    const fn label(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Start(_) => "start",
            Self::Runtime(_) => "async_runtime",
            Self::Api(_) => "lambda_api",
        }
    }
}

/// The last line of a function that stopped.
#[derive(Serialize)]
struct Stopped {
    outcome: Outcome,
    reason: &'static str,
    detail: String,
}
