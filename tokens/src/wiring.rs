//! The wiring of both binaries: environment, clock and standard output meet the functions here, and nowhere else.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use client::{Http, aws_config};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    config::{RotateConfig, TokenConfig},
    log::{Level, Line, Log},
    rotate::{
        RotateFunction,
        aws::{AppClients, SecretsManager},
    },
    token::{Failure, TokenFunction},
};

/// The environment, as a look-up by name.
fn vars(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    std::env::var(name).ok()
}

/// The wall clock.
fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the edge of the program")]
    SystemTime::now()
}

/// Serves the function `token` until Lambda ends the process.
///
/// # Errors
/// If the settings are wrong, all problems together, or Lambda's API fails.
pub async fn serve_token() -> Result<(), lambda_runtime::Error> {
    let config = TokenConfig::from_vars(vars)?;
    let http = Http::new()?;
    // A caller waits, and if the table fails there must be time to ask the issuer.
    let aws = aws_config(http.clone(), Duration::from_secs(1), Duration::from_millis(2500), vars).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let function = Arc::new(TokenFunction::new(config, dynamodb, http, now, log()));
    let handle = move |event: LambdaEvent<Box<RawValue>>| {
        let function = Arc::clone(&function);
        async move {
            let (event, context) = event.into_parts();
            let answer =
                function.handle(event.get().as_bytes(), &context.request_id, context.deadline()).await?;
            serde_json::from_slice::<Box<RawValue>>(&answer).map_err(|_| {
                Failure { error_type: "answer", error_message: "the answer could not be written" }.into()
            })
        }
    };
    // Without the runtime's tracing layer: our log is the one line of an invocation.
    Runtime::new(service_fn(move |event| {
        let answer = handle(event);
        async move { answer.await.map_err(|failure: Diagnostic| failure) }
    }))
    .run_concurrent()
    .await
}

/// Serves the function `rotate` until Lambda ends the process.
///
/// # Errors
/// If the settings are wrong, all problems together, or Lambda's API fails.
pub async fn serve_rotate() -> Result<(), lambda_runtime::Error> {
    let config = RotateConfig::from_vars(vars)?;
    let http = Http::new()?;
    // No caller waits: the SDK may retry for a while.
    let aws = aws_config(http.clone(), Duration::from_secs(5), Duration::from_secs(20), vars).await;
    let function = Arc::new(RotateFunction::new(
        SecretsManager::new(&aws),
        AppClients::new(&aws, config.user_pool_id),
        config.token_url,
        http,
        now,
        log(),
    ));
    Runtime::new(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let function = Arc::clone(&function);
        async move {
            let (event, context) = event.into_parts();
            let outcome =
                function.handle(event.get().as_bytes(), &context.request_id, context.deadline()).await;
            outcome.map_err(Diagnostic::from)
        }
    }))
    .run_concurrent()
    .await
}

/// Lines of JSON on standard output. Lambda drops those below the level that is set for the function.
fn log() -> Log {
    Log::new(|level, line| {
        if let Ok(mut text) = serde_json::to_vec(&Dated::new(level, line, now())) {
            text.push(b'\n');
            // A failed write cannot be reported anywhere.
            let _ = std::io::stdout().lock().write_all(&text);
        }
    })
}

/// A line as Lambda reads it. Without these two members it takes any line for INFO.
// SPEC: AWS Lambda, "Log-level filtering": `level` and `timestamp` of a JSON line
#[derive(Serialize)]
struct Dated<'a> {
    timestamp: Option<String>,
    level: Level,
    #[serde(flatten)]
    line: &'a Line,
}

impl<'a> Dated<'a> {
    fn new(level: Level, line: &'a Line, at: SystemTime) -> Self {
        let timestamp = jiff::Timestamp::try_from(at).ok().map(|time| format!("{time:.3}"));
        Self { timestamp, level, line }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.error_type.to_owned(), error_message: failure.error_message.to_owned() }
    }
}
