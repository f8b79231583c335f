//! The real `authorizer` binary, driven over the Lambda Runtime API.

use std::{collections::BTreeMap, fs, process::Stdio, time::Duration};

use local::event::Sample;
use serde_json::{Value, json};
use tests::{Outcome, RuntimeApi, System, built, unix_now};
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

/// Starts the binary with nothing in its environment but what is given.
async fn started(environment: &[(&str, String)]) -> Child {
    let binary = spawn_blocking(|| built("authorizer", "authorizer")).await.unwrap();
    Command::new(binary)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (*name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn settings(system: &System, api: &RuntimeApi) -> Vec<(&'static str, String)> {
    let issuer = system.local().issuer().url();
    let mut settings = api.environment();
    settings.push(("USER_POOL_ID", issuer.rsplit('/').next().unwrap().to_owned()));
    settings.push(("CLIENT_IDS", "*".to_owned()));
    settings.push(("ROUTES", include_str!("../../routes.json").to_owned()));
    settings.push(("JWKS_URI", system.url("/.well-known/jwks.json")));
    settings.push(("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()));
    settings
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
    let (system, api) = (System::start().await, RuntimeApi::start().await);
    let mut child = started(&settings(&system, &api)).await;
    let event = sample(&system, "storefront").await;

    let Outcome::Answer(answer) = api.invoke(&event).await else { panic!("a policy") };
    assert_eq!(answer["principalId"], json!(system.client("storefront").client_id));
    assert_eq!(answer["context"]["scope"], json!(system.client("storefront").scopes.join(" ")));
    let failed = |error_type: &str, error_message: &str| Outcome::Failed {
        error_type: error_type.to_owned(),
        error_message: error_message.to_owned(),
    };
    let refused = api.invoke(&sample(&system, "no-token-at-all").await).await;
    assert_eq!(refused, failed("not_three_parts", "Unauthorized"));
    let fault = api.invoke(&sample(&system, "malformed-arn").await).await;
    assert_eq!(fault, failed("method_arn", "no decision"));
    let fault = api.invoke("{}").await;
    assert_eq!(fault, failed("event", "no decision"));

    child.kill().await.unwrap();
    let mut log = String::new();
    child.stdout.take().unwrap().read_to_string(&mut log).await.unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decisions: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap_or_default()).collect();
    assert_eq!(decisions, ["allowed", "refused", "fault", "fault"], "{log}");
    let event: Value = serde_json::from_str(&event).unwrap();
    let token = event["authorizationToken"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert!(!log.contains(token) && !log.contains(token.rsplit('.').next().unwrap()), "a token in the log");
}

#[tokio::test]
async fn the_binary_answers_invocations_that_run_in_parallel() {
    let (system, api) = (System::start().await, std::sync::Arc::new(RuntimeApi::start().await));
    let mut settings = settings(&system, &api);
    settings.push(("AWS_LAMBDA_MAX_CONCURRENCY", "8".to_owned()));
    let _child = started(&settings).await;
    let event = sample(&system, "order-service").await;
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let (api, event) = (std::sync::Arc::clone(&api), event.clone());
        calls.spawn(async move { api.invoke(&event).await });
    }
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|answer| matches!(answer, Outcome::Answer(_))), "{answers:?}");
}

#[tokio::test]
async fn settings_that_are_missing_stop_the_binary_and_are_named_together() {
    let api = RuntimeApi::start().await;
    let child = started(&api.environment()).await;
    let output = timeout(Duration::from_mins(1), child.wait_with_output()).await.unwrap().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    for variable in ["USER_POOL_ID", "CLIENT_IDS", "ROUTES_FILE"] {
        assert!(said.contains(variable), "{said}");
    }
}
