//! The command as somebody types it: what it prints, refuses and leaves behind, and how it ends.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread,
    time::Duration,
};

use gateway::loopback;
use local::clients::Clients;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.current_dir(folder).args(arguments).env_remove("AWS_LAMBDA_LOG_FORMAT");
    command
}

fn output(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// A `local` that serves, and what it printed when it began to.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    greeting: String,
    port: String,
    folder: TempDir,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let template = if arguments.contains(&"--template") { &[][..] } else { &["--template", TEMPLATE] };
        let all = [&["--port", "0"], template, arguments].concat();
        let mut child = command(folder.path(), &all).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            assert_ne!(stdout.read_line(&mut greeting).unwrap(), 0, "it ended: {greeting}");
        }
        let (_, after) = greeting.split_once("http://127.0.0.1:").unwrap();
        let port = after.chars().take_while(char::is_ascii_digit).collect();
        Self { child, stdout, greeting, port, folder }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// A token of the storefront.
    async fn token(&self) -> reqwest::Result<String> {
        let clients = Clients::read(&self.folder.path().join(".local/clients.json")).unwrap();
        let client = clients.0.get("storefront").unwrap();
        let request = loopback::client(Duration::from_secs(30))
            .unwrap()
            .post(format!("http://127.0.0.1:{}/oauth2/token", self.port))
            .basic_auth(&client.client_id, Some(client.client_secret.expose_secret()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let answer = request.send().await?.text().await?;
        let token: Value = serde_json::from_str(&answer).unwrap();
        Ok(token.get("access_token").and_then(Value::as_str).unwrap().to_owned())
    }

    /// What the storefront gets for a request.
    async fn call(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(u16, Value)> {
        let http = loopback::client(Duration::from_secs(30)).unwrap();
        let base = format!("http://127.0.0.1:{}", self.port);
        let request = http.request(method.parse().unwrap(), format!("{base}{path}"));
        let request = request.bearer_auth(self.token().await?);
        let request = request.header("Idempotency-Key", key);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_str(&response.text().await?).unwrap()))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[test]
fn the_printed_command_works_when_pasted() {
    let serving = Serving::start(&[]);
    let (_, try_it) = serving.greeting.split_once("Try it:").unwrap();
    let (pasted, _) = try_it.split_once("Ctrl-C").unwrap();
    let answer = Command::new("sh").current_dir(serving.folder.path()).args(["-c", pasted]).output();
    let text = String::from_utf8(answer.unwrap().stdout).unwrap();
    let (called, fetched) = text.split_once("HTTP/1.1 200").unwrap();
    for body in [called, fetched] {
        assert!(body.contains(r#""sku":"coffee-1kg""#), "{text}");
    }
}

/// What a command makes of a text on its standard input.
fn piped(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = command(folder, arguments);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[tokio::test]
async fn explain_says_by_its_exit_code_whether_a_call_is_allowed() {
    let serving = Serving::start(&["--no-demo"]);
    let folder = serving.folder.path();
    let token = serving.token().await.unwrap();
    let fixed = ["explain", "--template", TEMPLATE];
    let running = ["--port", &serving.port];
    let cases: [(&[&str], &str, i32, &str); 8] = [
        (&["--route", "POST /orders"], &token, 0, "POST /orders: allowed\n"),
        (&[], &format!("\"{token}\"\n"), 0, "allowed\n"),
        (&[], &format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#), 0, "allowed\n"),
        (
            &["--route", "PATCH /orders/7"],
            &token,
            1,
            "PATCH /orders/7: denied (403), insufficient_scope: the token does not hold orders/status\n",
        ),
        (
            &["--route", "GET /ordrs"],
            &token,
            1,
            "GET /ordrs: denied (404), no_such_route: no route has this method and path, whatever the token; did you \
             mean `GET /orders`?\n",
        ),
        (&[], "nonsense", 1, "refused (401), not_three_parts: "),
        (&[], "", 1, "refused (401), missing_token: "),
        (
            &["--port", "1"],
            &token,
            2,
            "undecided (500), keys_unavailable: nothing answers on 127.0.0.1:1, where the keys come from; start \
             `cargo run -p local`, or name the keys with `--port`, `--jwks` or `--user-pool-id`\n",
        ),
    ];
    let signature = token.rsplit('.').next().unwrap();
    for (options, given, exit_code, start) in cases {
        let port = if options.contains(&"--port") { &[][..] } else { &running };
        let said = piped(folder, &[&fixed, port, options].concat(), given.as_bytes());
        let text = String::from_utf8(said.stdout).unwrap();
        assert!(text.starts_with(start), "{options:?}: {text}");
        assert_eq!(said.status.code(), Some(exit_code), "{options:?}: {text}");
        let all = text + &String::from_utf8(said.stderr).unwrap();
        assert!(!all.contains(signature) && !all.contains("nonsense"), "{options:?}: {all}");
    }

    let file = folder.join("token");
    fs::write(&file, format!("Bearer {token}\n")).unwrap();
    let from_file = [&fixed[..], &running, &["--json", "--token-file", file.to_str().unwrap()]].concat();
    let said = piped(folder, &from_file, b"");
    let explanation: Value = serde_json::from_slice(&said.stdout).unwrap();
    let member = |pointer: &str| explanation.pointer(pointer).unwrap().clone();
    assert_eq!((member("/outcome"), member("/routes/0/allowed")), (json!("allowed"), json!(true)));
    assert_eq!((member("/claims/token_use"), member("/header/alg")), (json!("access"), json!("RS256")));

    for (options, error) in [
        (&["--token-file", "missing"][..], "the token cannot be read"),
        (&["--jwks", "missing.json"], "the keys in `missing.json` cannot be read"),
        (&["--jwks", "http://keys.example/jwks.json"], "JWKS_URI"),
    ] {
        let said = piped(folder, &[&fixed[..], options].concat(), token.as_bytes());
        let text = String::from_utf8(said.stderr).unwrap();
        assert!(said.status.code() == Some(2) && text.contains(error), "{options:?}: {text}");
    }
}

#[test]
fn policy_answers_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let question = |effect: &str, resource: &str| {
        let statement = json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let arn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/orders";
        json!({ "policy": policy, "action": "execute-api:Invoke", "resource": arn }).to_string()
    };
    let lines =
        [question("Allow", "*/GET/*"), question("Deny", "*"), question("Allow", "*/POST/*"), "{".to_owned()];
    let said = piped(folder.path(), &["policy"], lines.join("\n").as_bytes());
    assert_eq!(String::from_utf8(said.stdout).unwrap(), "allow\ndeny\nneutral\nerror\n");
    assert!(said.status.success() && said.stderr.is_empty());
}

#[tokio::test]
async fn the_log_is_json_where_that_is_asked_for() {
    let mut serving = Serving::start(&["--json"]);
    // The demo stock was logged before the greeting.
    let line = serving.greeting.lines().find(|line| line.starts_with('{')).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line.get("route").unwrap(), "POST /inventory");
    serving.signal("-TERM");
    assert!(serving.child.wait().unwrap().success());
}

#[test]
fn both_signals_end_it_in_good_order() {
    for signal in ["-INT", "-TERM"] {
        let mut serving = Serving::start(&["--no-demo"]);
        serving.signal(signal);
        assert!(serving.child.wait().unwrap().success(), "{signal}");
        let mut rest = String::new();
        serving.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "{signal}");
    }
}

#[test]
fn a_mistake_is_told_in_one_line_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(&["--no-demo"]);
    fs::write(folder.path().join("a-file"), "").unwrap();
    fs::write(folder.path().join("broken.yaml"), "Resources: [").unwrap();
    fs::write(folder.path().join("sample.json"), r#"{"a":"{{token:storefrnt}}"}"#).unwrap();
    let other = r#"{"a":{"client_id":"a","client_secret":"b","scopes":[]}}"#;
    fs::write(folder.path().join("other.json"), other).unwrap();
    let file = serving.folder.path().join(".local/clients.json").display().to_string();
    let with_template = |rest: &[&'static str]| [&["--template", TEMPLATE, "--port", "0"], rest].concat();
    let cases = [
        ("wrong folder", vec![], "error: no `template.yaml` here; name the file with `--template`"),
        ("no template", vec!["explain", "--template", "none.yaml"], "error: no `none.yaml` here"),
        ("broken template", vec!["--template", "broken.yaml"], "error: broken.yaml:"),
        ("port taken", vec!["--template", TEMPLATE, "--port", &serving.port], "is taken; choose another"),
        ("no folder", with_template(&["--data", "a-file"]), "error: the data folder `a-file` cannot be used"),
        (
            "no clients file",
            with_template(&["--clients-file", "a-file/clients.json"]),
            "error: the clients file `a-file/clients.json` cannot be written",
        ),
        (
            "nothing ran here",
            vec!["invoke", "report"],
            "error: no clients file `.local/clients.json` here; start `cargo run -p local` first, run this in the folder",
        ),
        (
            "nothing runs",
            vec!["invoke", "report", "--port", "1", "--clients-file", &file],
            "error: nothing answers at http://127.0.0.1:1; start `cargo run -p local`, or give its port with `--port`",
        ),
        (
            "another's clients",
            vec!["invoke", "report", "--port", &serving.port, "--clients-file", "other.json"],
            "does not know the credentials in `other.json`; name the clients file that it wrote",
        ),
        (
            "no schedule",
            vec!["invoke", "reprot", "--port", &serving.port, "--clients-file", &file],
            "error: no schedule runs `reprot`; did you mean `report`? (schedules run: ",
        ),
        (
            "no client",
            vec!["event", "sample.json", "--port", &serving.port, "--clients-file", &file],
            "error: no client `storefrnt` in `",
        ),
        (
            "no sample",
            vec!["event", "smaple.json", "--port", &serving.port],
            "error: the sample event `smaple.json` cannot be read",
        ),
    ];
    for (name, arguments, expected) in cases {
        let output = output(folder.path(), &arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        let exit_code = if arguments.first() == Some(&"explain") { 2 } else { 1 };
        assert_eq!(output.status.code(), Some(exit_code), "{name}: {said}");
        // A slow start says what it is doing before.
        let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("Starting: ")).collect();
        assert!(matches!(lines[..], [line] if line.contains(expected)), "{name}: {said}");
        assert!(!folder.path().join(".local").exists(), "{name}: a clients file was written");
    }
    let unknown = output(folder.path(), &["--prot", "3001"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("unexpected argument '--prot'"));
}

#[test]
fn a_schedule_is_run_and_what_it_did_is_told() {
    let serving = Serving::start(&["--no-demo"]);
    let ran = output(serving.folder.path(), &["invoke", "report", "--port", &serving.port]);
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{said}");
    assert!(said.starts_with("Ran the schedule Daily of report, cron(15 0 * * ? *): done in "), "{said}");
}

#[test]
fn a_rotated_secret_is_told_written_and_kept() {
    let mut serving = Serving::start(&["--no-demo", "--data", "data"]);
    let rotate = |serving: &Serving, client: &str| {
        let ran = output(serving.folder.path(), &["rotate", "--client", client, "--port", &serving.port]);
        (
            ran.status.success(),
            String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap(),
        )
    };
    let clients = |serving: &Serving| fs::read(serving.folder.path().join(".local/clients.json")).unwrap();
    let before = clients(&serving);
    let (is_done, said) = rotate(&serving, "storefront");
    assert!(is_done && said.starts_with("Rotated the secret of storefront in "), "{said}");
    assert!(said.contains("--1 and ") && said.contains("--2.\n"), "{said}");
    let after = clients(&serving);
    assert_ne!(before, after);
    let (is_done, said) = rotate(&serving, "storefrnt");
    assert!(!is_done && said.contains("no client `storefrnt`") && said.contains("`storefront`"), "{said}");

    serving.signal("-KILL");
    serving.child.wait().unwrap();
    let folder = std::mem::replace(&mut serving.folder, tempfile::tempdir().unwrap());
    let serving = Serving::start_in(folder, &["--no-demo", "--data", "data"]);
    assert_eq!(clients(&serving), after);
    let (is_done, said) = rotate(&serving, "storefront");
    assert!(is_done && said.contains("--2 and ") && said.contains("--3.\n"), "{said}");
}

/// The order function holds a token and a secret that are both withdrawn: it gets others, and the log tells of it.
#[tokio::test]
async fn a_function_reads_its_secret_again_and_the_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(TEMPLATE).parent().unwrap();
    fs::copy(root.join("routes.json"), folder.path().join("routes.json")).unwrap();
    // Without cached answers, the authorizer sees every token.
    let template = fs::read_to_string(TEMPLATE).unwrap().replace("!Ref AuthorizerCacheSeconds", "0");
    fs::write(folder.path().join("template.yaml"), template).unwrap();
    let mut serving = Serving::start_in(folder, &["--json", "--template", "template.yaml"]);
    let place = async |serving: &Serving, key: &str| {
        let order = json!({ "lines": [{ "sku": "coffee-1kg", "quantity": 1 }] });
        serving.call("POST", "/orders", key, Some(order)).await.unwrap().0
    };
    assert_eq!(place(&serving, "one").await, 201);
    let http = loopback::client(Duration::from_secs(30)).unwrap();
    let key = serving.greeting.split_once("/_local/#").unwrap().1.lines().next().unwrap().to_owned();
    for _ in 0..2 {
        let arguments = ["rotate", "--client", "order-service", "--port", &serving.port];
        assert!(output(serving.folder.path(), &arguments).status.success());
        let console = http.post(format!("http://127.0.0.1:{}/_local/rotate", serving.port));
        let rotated = console.header("x-console-key", &key).body("{}").send().await.unwrap();
        assert_eq!(rotated.status(), 200);
    }
    assert_eq!(place(&serving, "two").await, 201);
    serving.signal("-TERM");
    let mut log = String::new();
    serving.stdout.read_to_string(&mut log).unwrap();
    assert!(log.contains(r#""message":"client refused, reading its credentials again""#), "{log}");
}

/// A token from before a restart, and an order: both are still good.
#[tokio::test]
async fn tokens_outlive_a_restart_with_a_data_folder() {
    let mut serving = Serving::start(&["--no-demo", "--data", "data"]);
    let token = serving.token().await.unwrap();
    assert!(serving.greeting.contains("tokens outlive a restart"), "{}", serving.greeting);
    serving.signal("-TERM");
    serving.child.wait().unwrap();
    let folder = std::mem::replace(&mut serving.folder, tempfile::tempdir().unwrap());
    let serving = Serving::start_in(folder, &["--no-demo", "--data", "data"]);
    let http = loopback::client(Duration::from_secs(30)).unwrap();
    let request = http.get(format!("http://127.0.0.1:{}/inventory", serving.port)).bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let other = Serving::start(&["--no-demo"]);
    assert!(other.greeting.contains("tokens end with this process"), "{}", other.greeting);
    let explained = piped(
        serving.folder.path(),
        &["explain", "--template", TEMPLATE, "--port", &other.port],
        token.as_bytes(),
    );
    let said = String::from_utf8(explained.stdout).unwrap();
    assert!(said.starts_with("refused (401), unknown_key: ") && said.contains("restarted"), "{said}");
}

/// Lines of the authorizer, the function and the gateway about one request.
#[tokio::test]
async fn the_lines_of_one_request_are_joined_by_its_id() {
    let mut serving = Serving::start(&["--no-demo", "--json"]);
    assert_eq!(serving.call("GET", "/inventory", "-", None).await.unwrap().0, 200);
    serving.signal("-TERM");
    let mut rest = String::new();
    serving.stdout.read_to_string(&mut rest).unwrap();
    let lines: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [authorizer, function] = lines.as_slice() else { panic!("{rest}") };
    assert_eq!(authorizer.get("outcome").unwrap(), "allowed");
    assert_eq!(function.get("outcome").unwrap(), "answered");
    assert_eq!(authorizer.get("request_id"), function.get("request_id"));
}

#[test]
fn a_sample_event_comes_out_with_a_token() {
    let serving = Serving::start(&["--no-demo"]);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/authorizer/storefront.json");
    let output = output(serving.folder.path(), &["event", sample, "--port", &serving.port]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    let token = event.get("authorizationToken").and_then(Value::as_str).unwrap();
    assert_eq!(token.strip_prefix("Bearer ").unwrap().split('.').count(), 3, "{token}");
}

/// `kill -9` in the middle of a stream of orders: what was acknowledged is there after the next start, and the retry of
/// the order that was under way finishes it, so that stock and orders agree to the piece.
#[tokio::test]
async fn nothing_acknowledged_is_lost_when_it_is_killed() {
    const LOADED: i64 = 1_000;
    let mut serving = Serving::start(&["--no-demo", "--data", "data"]);
    let line = json!({ "sku": "A-1", "change": LOADED, "unit_price": 100 });
    let stock = Some(json!({ "reference": "in", "lines": [line] }));
    assert_eq!(serving.call("POST", "/inventory", "-", stock).await.unwrap().0, 200);
    let order = || Some(json!({ "lines": [{ "sku": "A-1", "quantity": 1 }] }));
    let mut placed = Vec::new();
    for n in 0..200 {
        if n == 10 {
            let pid = serving.child.id().to_string();
            thread::spawn(move || Command::new("kill").args(["-KILL", &pid]).status());
        }
        match serving.call("POST", "/orders", &format!("order-{n}"), order()).await {
            Ok((201, order)) => placed.push(order),
            Ok(other) => panic!("{other:?}"),
            Err(_) => break,
        }
    }
    assert!((10..200).contains(&placed.len()), "killed in the middle: {}", placed.len());
    serving.child.wait().unwrap();
    let folder = std::mem::replace(&mut serving.folder, tempfile::tempdir().unwrap());
    drop(serving);

    let serving = Serving::start_in(folder, &["--no-demo", "--data", "data"]);
    for order in &placed {
        let path = format!("/orders/{}", order.get("order_id").and_then(Value::as_str).unwrap());
        assert_eq!(serving.call("GET", &path, "-", None).await.unwrap(), (200, order.clone()));
    }
    let retried = serving.call("POST", "/orders", &format!("order-{}", placed.len()), order()).await.unwrap();
    assert_eq!(retried.0, 201, "{}", retried.1);
    let sold = i64::try_from(placed.len()).unwrap() + 1;
    let (_, item) = serving.call("GET", "/inventory/A-1", "-", None).await.unwrap();
    assert_eq!(item.get("on_hand").and_then(Value::as_i64), Some(LOADED - sold), "{item}");
}
