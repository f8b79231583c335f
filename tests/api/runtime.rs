//! The real `authorizer` binary, driven over the Lambda Runtime API.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use local::event::Sample;
use serde_json::{Value, json};
use test_support::{Outcome, Process, built, settings, unix_now};
use tests::System;
use tokio::task::JoinSet;

/// The binary behind a system's issuer.
async fn started(system: &System, more: &[(&'static str, String)]) -> Process {
    let issuer = system.local().issuer().url();
    let mut settings = settings(&system.url("/.well-known/jwks.json"));
    settings.push(("USER_POOL_ID", issuer.rsplit('/').next().unwrap().to_owned()));
    settings.push(("CLIENT_IDS", "*".to_owned()));
    settings.extend_from_slice(more);
    Process::start(&built("authorizer", "authorizer").await, &settings).await
}

async fn sample(system: &System, name: &str) -> String {
    let path = format!("{}/../events/authorizer/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let sample = Sample::parse(&text).unwrap();
    let mut tokens = BTreeMap::new();
    for client in sample.clients() {
        tokens.insert(client, system.token(client).await);
    }
    sample.fill(&tokens, unix_now().plus(Duration::from_hours(1))).unwrap()
}

#[tokio::test]
async fn the_binary_decides_and_logs_one_line_each() {
    let system = System::start().await;
    let process = started(&system, &[]).await;
    let event = sample(&system, "storefront").await;

    let Outcome::Answer(answer) = process.invoke(&event).await else { panic!("a policy") };
    assert_eq!(answer["principalId"], json!(system.client("storefront").client_id));
    assert_eq!(answer["context"]["scope"], json!(system.client("storefront").scopes.join(" ")));
    let failed = |error_type: &str, error_message: &str| Outcome::Failed {
        error_type: error_type.to_owned(),
        error_message: error_message.to_owned(),
    };
    let refused = process.invoke(&sample(&system, "no-token-at-all").await).await;
    assert_eq!(refused, failed("not_three_parts", "Unauthorized"));
    let fault = process.invoke(&sample(&system, "malformed-arn").await).await;
    assert_eq!(fault, failed("method_arn", "no decision"));
    let fault = process.invoke("{}").await;
    assert_eq!(fault, failed("event", "no decision"));

    let [log, _] = process.kill().await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decisions: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap_or_default()).collect();
    assert_eq!(decisions, ["allowed", "refused", "fault", "fault"], "{log}");
    let event: Value = serde_json::from_str(&event).unwrap();
    let token = event["authorizationToken"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert!(!log.contains(token) && !log.contains(token.rsplit('.').next().unwrap()), "a token in the log");
}

#[tokio::test]
async fn the_binary_answers_invocations_that_run_in_parallel() {
    let system = System::start().await;
    let process = Arc::new(started(&system, &[("AWS_LAMBDA_MAX_CONCURRENCY", "8".to_owned())]).await);
    let event = sample(&system, "order-service").await;
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let (process, event) = (Arc::clone(&process), event.clone());
        calls.spawn(async move { process.invoke(&event).await });
    }
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|answer| matches!(answer, Outcome::Answer(_))), "{answers:?}");
}
