//! The wiring of the four binaries: the only place that reads the environment and the clock and writes to standard
//! output.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use access::log::Log;
use client::{Http, SecretsManager, TokenSource};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;

use crate::{
    config::Config,
    entry::{Context, Entry, Service},
    events,
    upstream::ClientApi,
};

/// The environment, as a look-up by name.
pub fn vars(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    std::env::var(name).ok()
}

/// The configuration of the AWS clients. All attempts of an operation stay well inside a function's own time limit.
pub async fn aws_config(http: Http) -> aws_config::SdkConfig {
    client::aws_config(http, Duration::from_secs(2), Duration::from_secs(5), vars).await
}

/// Runs a service that calls others: settings, table, token client, service.
pub async fn run_calling<S: Service + 'static>(
    scopes: &'static [&'static str],
    service: impl FnOnce(aws_sdk_dynamodb::Client, ClientApi, Config) -> S,
) -> Result<(), lambda_runtime::Error> {
    let (config, credentials_secret) = Config::with_secret(vars)?;
    let http = Http::new()?;
    let aws = aws_config(http.clone()).await;
    // The secret is read when the first call is made.
    let credentials = SecretsManager::new(&aws, credentials_secret);
    let api = ClientApi::new(TokenSource::new(credentials, http), scopes);
    run(service(aws_sdk_dynamodb::Client::new(&aws), api, config)).await
}

/// Serves invocations of one service until Lambda ends the process.
///
/// One at a time, or as many as `AWS_LAMBDA_MAX_CONCURRENCY` says.
pub async fn run<S: Service + 'static>(service: S) -> Result<(), lambda_runtime::Error> {
    let log = Log::from_vars(vars, |line| {
        // There is nowhere to report a log that cannot be written.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    });
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    let clock = SystemTime::now;
    events::write_to(log.clone(), clock);
    let entry = Arc::new(Entry::new(service, clock, log));
    let handle = move |event: LambdaEvent<Box<RawValue>>| {
        let entry = Arc::clone(&entry);
        async move {
            let LambdaEvent { payload, context } = event;
            // A deadline in the past says nothing: `cargo lambda watch` sends one of 1970, and Lambda would have ended us.
            #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
            let time_left = context.deadline().duration_since(SystemTime::now()).ok();
            let context = Context {
                request_id: &context.request_id,
                time_left,
                trace: context.xray_trace_id.as_deref(),
            };
            entry.handle(payload.get().as_bytes(), context).await
        }
    };
    // The runtime's own tracing layer is left out: the shell writes the one line of an invocation.
    Runtime::new(service_fn(handle)).run_concurrent().await
}
