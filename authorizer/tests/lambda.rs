//! The binary as Lambda runs it: what it answers, how it stops, and how many threads it takes.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::{fs, path::Path};

use serde_json::Value;
use test_support::{Outcome, Process, Stub, reply, settings, signer::event};

/// The binary with these settings.
async fn started(settings: &[(&str, String)]) -> Process {
    Process::start(Path::new(env!("CARGO_BIN_EXE_authorizer")), settings).await
}

/// The settings of a pool whose key set is not found.
async fn without_keys() -> Vec<(&'static str, String)> {
    settings(&Stub::always(reply(404, "", "")).await.url("/jwks.json"))
}

/// The lines of a log, as JSON.
fn lines(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn members<const N: usize>(line: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| line[name].clone())
}

#[tokio::test]
async fn settings_that_do_not_hold_end_the_function_with_one_line() {
    let (status, [out, err]) = started(&[("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned())]).await.end().await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    let [line] = lines(&err).try_into().unwrap();
    assert_eq!(members(&line, ["level", "outcome", "reason"]), ["ERROR", "fault", "config"]);
    let detail = line["detail"].as_str().unwrap();
    for variable in ["USER_POOL_ID", "CLIENT_IDS", "ROUTES_FILE"] {
        assert!(detail.contains(variable), "{detail}");
    }
}

#[tokio::test]
async fn a_refusal_is_reported_as_a_failed_invocation_and_a_lost_runtime_api_ends_the_function() {
    let mut process = started(&without_keys().await).await;
    let refused = process.invoke(&event("Bearer x").to_string()).await;
    let (error_type, error_message) = ("not_three_parts".to_owned(), "Unauthorized".to_owned());
    assert_eq!(refused, Outcome::Failed { error_type, error_message });

    process.lose_runtime_api();
    let (status, [out, err]) = process.end().await;
    assert_eq!(status.code(), Some(1));
    let [failed, decided] = lines(&out).try_into().unwrap();
    assert_eq!(members(&failed, ["event", "reason"]), ["jwks_fetch_failed", "status"]);
    let expected = ["refused", "not_three_parts", "GET /orders/{id}", "00000000-0000-4000-8000-000000000000"];
    assert_eq!(members(&decided, ["outcome", "reason", "route", "request_id"]), expected);
    let [stopped] = lines(&err).try_into().unwrap();
    assert_eq!(members(&stopped, ["outcome", "reason"]), ["fault", "lambda_api"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn threads_are_for_invocations_that_run_in_parallel() {
    for (most, is_parallel) in [(None, false), (Some("1"), false), (Some("2"), true), (Some("8"), true)] {
        let mut settings = without_keys().await;
        settings.extend(most.map(|most| ("AWS_LAMBDA_MAX_CONCURRENCY", most.to_owned())));
        let process = started(&settings).await;
        process.idle().await;
        let threads = fs::read_dir(format!("/proc/{}/task", process.id())).unwrap().count();
        assert_eq!(threads > 1, is_parallel, "{most:?}: {threads}");
    }
}
