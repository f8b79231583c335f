//! The real binary in a process that is stopped between invocations, as Lambda does it.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use tests::{Outcome, RuntimeApi, built};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::spawn_blocking,
    time::sleep,
};

use crate::{
    bench::{cell, fetches, limit},
    endpoint::{Answer, Endpoint},
    faults::Fault,
    signer::{CLIENT, FIRST, POOL, changed, claims, event, jwks},
};

/// The age after which the process refreshes its keys.
const MAX_AGE: Duration = Duration::from_secs(3);

pub(crate) struct Process {
    api: RuntimeApi,
    child: Child,
    /// Its log so far.
    lines: Arc<Mutex<Vec<String>>>,
    event: String,
    decisions: usize,
}

impl Process {
    pub(crate) async fn start(jwks: &str, limit: Duration) -> Self {
        let binary = spawn_blocking(|| built("authorizer", "authorizer")).await.unwrap();
        let api = RuntimeApi::start().await;
        let mut child = Command::new(binary)
            .env_clear()
            .envs(api.environment())
            .env("USER_POOL_ID", POOL)
            .env("CLIENT_IDS", CLIENT)
            .env("ROUTES", include_str!("../../routes.json"))
            .env("JWKS_URI", jwks)
            .env("JWKS_TIMEOUT_MS", limit.as_millis().to_string())
            .env("JWKS_MAX_AGE_SECONDS", MAX_AGE.as_secs().to_string())
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (log, kept) = (child.stdout.take().unwrap(), Arc::clone(&lines));
        tokio::spawn(async move {
            let mut log = BufReader::new(log).lines();
            while let Some(line) = log.next_line().await.unwrap() {
                kept.lock().unwrap().push(line);
            }
        });
        let claims = changed(claims(), json!({"exp": now() + 3600}));
        let event = event(&format!("Bearer {}", FIRST.token(&claims))).to_string();
        Self { api, child, lines, event, decisions: 0 }
    }

    /// One decision, and its line of the log.
    pub(crate) async fn decide(&mut self) -> String {
        let outcome = self.api.invoke(&self.event).await;
        self.decisions += 1;
        let log = loop {
            let log = self.lines.lock().unwrap().join("\n");
            if log.matches("\"outcome\"").count() == self.decisions {
                break log;
            }
            sleep(Duration::from_millis(1)).await;
        };
        let answer = match &outcome {
            Outcome::Answer(_) => Ok(()),
            Outcome::Failed { error_type, .. } => Err(error_type.as_str()),
        };
        cell(answer, &log)
    }

    /// Thaws the process for one decision, and freezes it three milliseconds after its answer.
    async fn thaw_and_decide(&mut self) -> String {
        self.signal("CONT").await;
        let decision = self.decide().await;
        sleep(Duration::from_millis(3)).await;
        self.signal("STOP").await;
        decision
    }

    async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().await.unwrap();
        assert!(status.success(), "{name}");
    }

    /// Failed fetches so far.
    pub(crate) fn failures(&self) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains("jwks_fetch_failed")).count()
    }
}

/// The cell of a fault: the keys grow too old in a process that is frozen, and the fault comes meanwhile.
pub(crate) async fn run(fault: &Fault) -> String {
    let mut endpoint = Endpoint::start(Answer::ok(&jwks([FIRST.jwk()]))).await;
    let mut process = Process::start(&endpoint.url(), limit(fault)).await;
    // The limit is real time, and a machine under load may miss it.
    while process.thaw_and_decide().await != "allowed `hit`" {
        sleep(Duration::from_millis(50)).await;
    }
    match &fault.answer {
        Some(answer) => endpoint.set(answer.clone()),
        None => endpoint.stop().await,
    }
    let (before, failed) = (endpoint.count(), process.failures());
    sleep(MAX_AGE + Duration::from_millis(100)).await;
    let first = process.thaw_and_decide().await;
    let between = fetches(fault, endpoint.count() - before, process.failures() - failed);
    // Longer than a fetch may take: had one been left behind, it would now be found to have timed out.
    sleep(limit(fault).min(Duration::from_millis(300)) * 2).await;
    let second = process.thaw_and_decide().await;
    let after = fetches(fault, endpoint.count() - before, process.failures() - failed);
    process.signal("CONT").await;
    format!("{first} {between}, {second} {after}")
}

#[expect(clippy::disallowed_methods, reason = "the process has the real clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
