//! The whole system in the test's own process, on a free port, with its data in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use access::log::Log;
use gateway::{http::Clock, loopback};
use local::{Local, clients::Client, options::Options};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::unix_now;

use crate::Answer;

/// A running system and a caller of it.
pub struct System {
    local: Local,
    http: reqwest::Client,
    log: Arc<Mutex<Vec<Value>>>,
    folder: TempDir,
}

impl System {
    /// Starts one as `local` does, without demo stock.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts one with other options.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start_at(now, change).await
    }

    /// Starts one with another clock.
    pub async fn start_at(clock: Clock, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options {
            port: 0,
            template: concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").into(),
            data: None,
            clients_file: folder.path().join("clients.json"),
            no_demo: true,
            json: false,
            functions: None,
        };
        change(&mut options);
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        let json = |name: &str| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned());
        let write = move |line: &str| {
            let line = serde_json::from_str(line).expect("a line is JSON");
            sink.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        };
        let local =
            Local::start(options, clock, Log::from_vars(json, write)).await.expect("the system starts");
        let http = loopback::client(Duration::from_mins(1)).unwrap();
        Self { local, http, log, folder }
    }

    /// The system itself.
    pub const fn local(&self) -> &Local {
        &self.local
    }

    /// The folder of its clients file, deleted with it.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The credentials of a client.
    pub fn client(&self, name: &str) -> &Client {
        &self.local.clients().0[name]
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.local.address())
    }

    /// A request with only a method and a path.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// GETs a path with this token.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::to(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// Sends a JSON body with this token.
    pub async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        Answer::to(self.request(method, path).bearer_auth(token).json(body)).await
    }

    /// The token endpoint's response to a client that asks for `scope`, or for all of its scopes.
    pub async fn ask_for_token(&self, client: &str, scope: Option<&str>) -> Answer {
        let Client { client_id, client_secret, .. } = self.client(client);
        let scope = scope.map(|scope| format!("&scope={scope}")).unwrap_or_default();
        let request = self
            .request(Method::POST, "/oauth2/token")
            .basic_auth(client_id, Some(client_secret.expose_secret()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type=client_credentials{scope}"));
        Answer::to(request).await
    }

    /// A token of a client, with all of its scopes.
    pub async fn token(&self, client: &str) -> String {
        token(&self.ask_for_token(client, None).await)
    }

    /// A token of a client, with these scopes only.
    pub async fn token_for(&self, client: &str, scope: &str) -> String {
        token(&self.ask_for_token(client, Some(scope)).await)
    }

    /// The claims of a valid token of the storefront, for a test to change.
    pub fn claims(&self) -> Value {
        let Client { client_id, scopes, .. } = self.client("storefront");
        let now = unix_now();
        json!({
            "sub": client_id,
            "token_use": "access",
            "scope": scopes.join(" "),
            "auth_time": now,
            "iss": self.local.issuer().url(),
            "exp": now.plus(Duration::from_hours(1)),
            "iat": now,
            "version": 2,
            "jti": "6f0c7e53-6f9d-4a5f-8f0a-1d2c3b4a5968",
            "client_id": client_id,
        })
    }

    /// A token with these claims, signed by the issuer.
    pub fn mint(&self, claims: &Value) -> String {
        self.local.issuer().mint(claims).unwrap()
    }

    /// The lines of the log so far.
    pub fn log(&self) -> Vec<Value> {
        self.log.lock().unwrap().clone()
    }

    /// How often each pair of `outcome` and `reason` is in the log.
    pub fn outcomes(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for line in self.log() {
            let word = |member: &str| line[member].as_str().unwrap_or("-").to_owned();
            *counts.entry(format!("{} {}", word("outcome"), word("reason"))).or_default() += 1;
        }
        counts
    }

    /// Stops it as `local` stops.
    pub async fn stop(self) {
        self.local.stop().await;
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("local", &self.local).finish_non_exhaustive()
    }
}

fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "the edge of the system under test")]
fn now() -> SystemTime {
    SystemTime::now()
}
