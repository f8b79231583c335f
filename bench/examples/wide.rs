//! A program to measure: the authorizer's library with a table of 300 routes that need one of 50 scopes each. All else
//! is as in the authorizer's own binary.

use std::{io::Write, time::SystemTime};

use access::log::Log;
use authorizer::{Authorizer, Config};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

const ROUTES: usize = 300;
const SCOPES: usize = 50;

fn main() -> Result<(), Error> {
    let log = Log::from_vars(vars, |line| {
        // A failure to write the log cannot be reported anywhere.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    });
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    let authorizer = Authorizer::new(Config::from_vars(vars)?, SystemTime::now, log)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        authorizer.prefetch().await;
        let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| {
            let authorizer = authorizer.clone();
            async move {
                let answer =
                    authorizer.handle(event.payload.get().as_bytes(), &event.context.request_id).await;
                answer.map_err(|failure| Diagnostic {
                    error_type: failure.error_type.to_owned(),
                    error_message: failure.error_message.to_owned(),
                })
            }
        });
        Runtime::new(service).run_concurrent().await
    })
}

/// The settings of the environment, and routes of our own.
fn vars(name: &str) -> Option<String> {
    if name == "ROUTES" {
        return Some(table());
    }
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    std::env::var(name).ok()
}

/// Three routes for each of a hundred resources, two resources for each scope.
fn table() -> String {
    let routes = (0..ROUTES).map(|number| {
        let (resource, kind) = (number / 3, number % 3);
        let (method, end) = match kind {
            0 => ("GET", ""),
            1 => ("POST", ""),
            _ => ("GET", "/{id}"),
        };
        format!(r#""{method} /resource-{resource:02}{end}": ["wide/s{:02}"]"#, resource % SCOPES)
    });
    format!("{{{}}}", routes.collect::<Vec<_>>().join(","))
}
