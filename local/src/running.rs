//! Commands that need a running `local`: they read its clients file and call it on its port.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use access::UnixSeconds;
use client::cli::{Caller, CommandError, did_you_mean};
use gateway::loopback::{self, LoopbackError};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    clients::{Client, Clients, ClientsError},
    event::{Sample, SampleError},
    front::{INVOKE_PATH, ROTATE_PATH, Ran},
    options::Running,
    rotation::Rotated,
};

/// How long the running `local` may take, a report over all of a day's orders included.
const LIMIT: Duration = Duration::from_secs(90);
/// How long the caller of a sample event stays one, after `{{exp}}`.
const CALLER_LIFE: Duration = Duration::from_hours(1);

/// Why a command has nothing to print.
#[derive(Debug, thiserror::Error)]
pub enum RunningError {
    /// The clients file.
    #[error(transparent)]
    Clients(#[from] ClientsError),
    /// The sample event cannot be read.
    #[error("the sample event `{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The sample event has a placeholder that cannot be filled.
    #[error("the sample event `{}` cannot be filled", .0.display())]
    Sample(PathBuf, #[source] SampleError),
    /// There is no HTTP client.
    #[error(transparent)]
    Client(#[from] LoopbackError),
    /// What stops `token` and `call`, too.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The connection broke, or the answer took too long.
    #[error("no answer from 127.0.0.1:{0}")]
    NoAnswer(u16, #[source] reqwest::Error),
    /// The credentials are another system's.
    #[error("what runs on 127.0.0.1:{0} does not know the credentials in `{path}`; name the clients file that it wrote with `--clients-file`", path = .1.display())]
    OtherClients(u16, PathBuf),
    /// The function has no schedule.
    #[error("no schedule runs `{0}`{1} {2}")]
    NoSchedule(String, String, String),
    /// The secret was not rotated.
    #[error("the secret of `{0}` was not rotated: {1}; what `local` logged says why")]
    NotRotated(String, String),
    /// The run failed.
    #[error("the run of `{0}` failed: {1}; what `local` logged says why")]
    Failed(String, String),
    /// The answer is not what `local` answers, or says no.
    #[error("the answer on 127.0.0.1:{0} was {1}: {2}")]
    Answer(u16, StatusCode, String),
}

impl RunningError {
    fn no_schedule(function: &str, known: &[String]) -> Self {
        let nearest = did_you_mean(function, known.iter().map(String::as_str));
        let all = match known {
            [] => "(the template has no schedules)".to_owned(),
            known => format!("(schedules run: {})", known.join(", ")),
        };
        Self::NoSchedule(function.to_owned(), nearest, all)
    }
}

/// The event that the sample at `path` stands for, with fresh tokens.
///
/// # Errors
/// If there is no such sample, or no `local` running that knows its clients.
pub(crate) async fn event(path: &Path, running: &Running, now: UnixSeconds) -> Result<String, RunningError> {
    let text = fs::read_to_string(path).map_err(|error| RunningError::Read(path.to_owned(), error))?;
    let unusable = |error| RunningError::Sample(path.to_owned(), error);
    let sample = Sample::parse(&text).map_err(unusable)?;
    let mut tokens = BTreeMap::new();
    for name in sample.clients() {
        tokens.insert(name, token(name, running).await?);
    }
    sample.fill(&tokens, now.plus(CALLER_LIFE)).map_err(unusable)
}

/// Runs the schedule of `function` at once, and returns what was done.
///
/// # Errors
/// If no `local` runs, or the function has no schedule, or fails.
pub(crate) async fn invoke(function: &str, running: &Running) -> Result<String, RunningError> {
    #[derive(Deserialize)]
    struct NoSchedule {
        functions: Vec<String>,
    }
    let clients = Clients::read(&running.clients_file)?;
    let request = post(&format!("{INVOKE_PATH}{function}"), running)?;
    // Who can read the clients file may run a schedule: any client's credentials will do.
    let request = match clients.0.values().next() {
        Some(client) => authenticated(request, client),
        None => request,
    };
    let answer = match send(request, running).await {
        Err(RunningError::Answer(port, StatusCode::NOT_FOUND, body)) => {
            return Err(match serde_json::from_str(&body) {
                Ok(NoSchedule { functions }) => RunningError::no_schedule(function, &functions),
                Err(_) => RunningError::Answer(port, StatusCode::NOT_FOUND, body),
            });
        }
        Err(RunningError::Answer(_, status, body)) if status.is_server_error() => {
            return Err(RunningError::Failed(function.to_owned(), body));
        }
        answer => answer?,
    };
    let ran: Ran = serde_json::from_str(&answer).map_err(|_| unknown_answer(running))?;
    let Ran { function, schedule, expression, latency_ms, answer } = ran;
    let done = format!("Ran the schedule {schedule} of {function}, {expression}: done in {latency_ms} ms.");
    Ok(if answer.is_null() { done } else { format!("{done}\n{answer:#}") })
}

/// Rotates the secret of a client, and returns what was done.
///
/// # Errors
/// If no `local` runs, or there is no such client, or a step of the rotation fails.
pub(crate) async fn rotate(name: &str, running: &Running) -> Result<String, RunningError> {
    let client = client(name, running)?;
    let request = post(&format!("{ROTATE_PATH}{}", client.client_id), running)?;
    let answer = match send(authenticated(request, &client), running).await {
        Err(RunningError::Answer(_, status, body)) if status.is_server_error() => {
            return Err(RunningError::NotRotated(name.to_owned(), body));
        }
        answer => answer?,
    };
    let Rotated { secrets, latency_ms } =
        serde_json::from_str(&answer).map_err(|_| unknown_answer(running))?;
    let secrets = secrets.join(" and ");
    let file = running.clients_file.display();
    Ok(format!(
        "Rotated the secret of {name} in {latency_ms} ms. The issuer accepts {secrets}.\n\
         `{file}` has the new one; the one before works until the next rotation."
    ))
}

fn client(name: &str, running: &Running) -> Result<Client, RunningError> {
    let mut clients = Clients::read(&running.clients_file)?;
    let client = clients.0.remove(name);
    Ok(client.ok_or_else(|| CommandError::UnknownClient {
        client: name.to_owned(),
        file: running.clients_file.display().to_string(),
        nearest: did_you_mean(name, clients.0.keys().map(String::as_str)),
        known: clients.0.into_keys().collect::<Vec<_>>().join(", "),
    })?)
}

fn unknown_answer(running: &Running) -> RunningError {
    RunningError::Answer(running.port, StatusCode::OK, "not what `local` answers".to_owned())
}

/// A token with all scopes of a client.
async fn token(name: &str, running: &Running) -> Result<String, CommandError> {
    let caller = Caller {
        client: Some(name.to_owned()),
        scope: String::new(),
        clients_file: Some(running.clients_file.clone()),
        port: Some(running.port),
    };
    let mut token = Vec::new();
    caller.at_local()?.print_token(&mut token).await?;
    Ok(String::from_utf8_lossy(&token).trim_end().to_owned())
}

fn post(path: &str, running: &Running) -> Result<RequestBuilder, RunningError> {
    let http = loopback::client(LIMIT)?;
    Ok(http.post(format!("http://127.0.0.1:{}{path}", running.port)))
}

fn authenticated(request: RequestBuilder, client: &Client) -> RequestBuilder {
    request.basic_auth(&client.client_id, Some(client.client_secret.expose_secret()))
}

async fn send(
    request: RequestBuilder,
    Running { port, clients_file }: &Running,
) -> Result<String, RunningError> {
    let port = *port;
    let no_answer = |error: reqwest::Error| {
        if error.is_connect() {
            CommandError::NotRunning(format!("http://127.0.0.1:{port}")).into()
        } else {
            RunningError::NoAnswer(port, error)
        }
    };
    let response = request.send().await.map_err(no_answer)?;
    let status = response.status();
    let body = response.text().await.map_err(no_answer)?;
    if status.is_success() {
        Ok(body)
    } else if body.contains(r#""invalid_client""#) {
        Err(RunningError::OtherClients(port, clients_file.to_owned()))
    } else {
        Err(RunningError::Answer(port, status, body))
    }
}
