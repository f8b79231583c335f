//! The program `client` as scripts see it: output, exit code, and the one line of an error.

#![expect(clippy::unwrap_used, reason = "test code")]

mod messages;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use test_support::{Reply, Request, Stub, reply};

type Arguments<'a> = &'a [&'a str];
type Vars<'a> = &'a [(&'a str, &'a str)];

/// Exit code, stdout and stderr.
type Outcome = (i32, String, String);

/// The outcome of a run with these arguments and variables, and nothing else from outside.
async fn run(directory: &Path, arguments: Arguments<'_>, vars: Vars<'_>) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_client"));
    command
        .current_dir(directory)
        .args(arguments)
        .env_clear()
        .envs(vars.iter().copied())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

async fn stub(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Stub {
    let token = r#"{"access_token":"the-token","token_type":"Bearer","expires_in":3600}"#;
    Stub::new(move |_, heard| {
        if heard.head.starts_with("POST /oauth2/token ") { reply(200, "", token) } else { answer(heard) }
    })
    .await
}

fn clients_file(directory: &Path) -> std::path::PathBuf {
    let path = directory.join(".local/clients.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = r#"{"storefront":{"client_id":"s1","client_secret":"s3cr3t","scopes":[]},"other":{"client_id":"o","client_secret":"x"}}"#;
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

#[tokio::test]
async fn a_token_is_printed_alone() {
    let directory = tempfile::tempdir().unwrap();
    let stub = stub(|_| Reply::Close).await;
    let token_url = stub.url("/oauth2/token");
    let good = (0, "the-token\n".to_owned(), String::new());

    let vars = [("CLIENT_ID", "id"), ("CLIENT_SECRET", "s3cr3t"), ("TOKEN_URL", token_url.as_str())];
    assert_eq!(run(directory.path(), &["token"], &vars).await, good);
    assert_eq!(stub.heard()[0].body, "grant_type=client_credentials");

    let arguments = ["token", "--client", "storefront", "--token-url", &token_url, "--scope", "b/w a/r"];
    clients_file(directory.path());
    assert_eq!(run(directory.path(), &arguments, &[]).await, good);
    assert_eq!(stub.heard()[1].body, "grant_type=client_credentials&scope=a%2Fr%20b%2Fw");
    assert_ne!(stub.heard()[0].header("authorization"), stub.heard()[1].header("authorization"));
}

#[tokio::test]
async fn a_call_prints_the_body_and_says_the_status() {
    let directory = tempfile::tempdir().unwrap();
    let stub = stub(|heard| {
        if heard.head.contains("missing") {
            return reply(404, "", "no");
        }
        if heard.head.contains("malformed") {
            return reply(400, "", "no");
        }
        if heard.head.contains("large") {
            return reply(200, "", heard.body.len().to_string());
        }
        assert_eq!(heard.header("authorization"), Some("Bearer the-token"));
        reply(201, "", format!("{}|{}", heard.head.lines().next().unwrap(), heard.body))
    })
    .await;
    let (token_url, api_url) = (stub.url("/oauth2/token"), stub.url("/prod"));
    let vars = [
        ("CLIENT_ID", "id"),
        ("CLIENT_SECRET", "s3cr3t"),
        ("TOKEN_URL", token_url.as_str()),
        ("API_URL", api_url.as_str()),
    ];
    fs::write(directory.path().join("order.json"), r#"{"lines":[]}"#).unwrap();
    fs::write(directory.path().join("large.json"), " ".repeat(10_485_760)).unwrap();
    let cases: [(Arguments<'_>, i32, &str, &str); 6] = [
        (
            &["call", "get", "/orders?date=2026-01-02&x=a%26b"],
            0,
            "GET /prod/orders?date=2026-01-02&x=a%26b HTTP/1.1|",
            "201 Created\n",
        ),
        (
            &["call", "POST", "/orders", "--data", "@order.json"],
            0,
            r#"POST /prod/orders HTTP/1.1|{"lines":[]}"#,
            "201 Created\n",
        ),
        (&["call", "POST", "/orders", "--data", "{}"], 0, "POST /prod/orders HTTP/1.1|{}", "201 Created\n"),
        (&["call", "POST", "/large", "--data", "@large.json"], 0, "10485760", "200 OK\n"),
        (&["call", "GET", "/missing"], 1, "no", "404 Not Found\n"),
        (&["call", "GET", "/malformed"], 1, "no", "400 Bad Request\n"),
    ];
    for (arguments, code, output, notes) in cases {
        let expected = (code, output.to_owned(), notes.to_owned());
        assert_eq!(run(directory.path(), arguments, &vars).await, expected, "{arguments:?}");
    }
    let arguments =
        ["call", "POST", "/o", "--base-url", &stub.url("/v2"), "--header", "Idempotency-Key: k 1"];
    let (code, output, _) = run(directory.path(), &arguments, &vars).await;
    assert_eq!((code, output.as_str()), (0, "POST /v2/o HTTP/1.1|"));
    assert_eq!(stub.heard().pop().unwrap().header("idempotency-key"), Some("k 1"));
}

#[tokio::test]
async fn an_error_is_one_clear_line() {
    let directory = tempfile::tempdir().unwrap();
    let refusing = Stub::new(|_, _| reply(400, "", r#"{"error":"invalid_scope"}"#)).await;
    let token_url = refusing.url("/oauth2/token");
    let id = [("CLIENT_ID", "id"), ("CLIENT_SECRET", "s3cr3t")];
    let plain =
        [("CLIENT_ID", "id"), ("CLIENT_SECRET", "s3cr3t"), ("TOKEN_URL", "http://auth.example.com/x")];
    let open = clients_file(directory.path());
    fs::rename(&open, directory.path().join("open.json")).unwrap();
    fs::set_permissions(directory.path().join("open.json"), Permissions::from_mode(0o644)).unwrap();

    fs::write(directory.path().join("huge.json"), " ".repeat(10_485_761)).unwrap();

    let cases: [(Arguments<'_>, Vars<'_>, &str); 10] = [
        (
            &["token"],
            &[],
            "client: no clients file `.local/clients.json` here; start `cargo run -p local` first, run this in the folder where it was started, or name its file with `--clients-file`",
        ),
        (
            &["token", "--clients-file", "open.json"],
            &[],
            "client: no token: the client's credentials could not be read: the clients file `open.json` is open to others than its owner; `chmod 600 open.json`",
        ),
        (&["token"], &id[..1], "client: `CLIENT_SECRET` is not set, `TOKEN_URL` is not set"),
        (&["token"], &plain, "client: `TOKEN_URL` must be https (http is for loopback only)"),
        (
            &["token", "--token-url", &token_url],
            &id,
            "client: no token: the token endpoint refused: `invalid_scope`",
        ),
        (
            &["call", "GET", "/x", "--token-url", &token_url],
            &id,
            "client: no answer: no token to call the API with: the token endpoint refused: `invalid_scope`",
        ),
        (&["call", "G T", "/x", "--token-url", &token_url], &id, "client: `G T` is not an HTTP method"),
        (
            &["call", "POST", "/x", "--data", "@huge.json", "--token-url", &token_url],
            &id,
            "client: the data is larger than 10 MiB",
        ),
        (
            &["call", "GET", "/x", "--header", "x", "--token-url", &token_url],
            &id,
            "client: the header `x` must be written `Name: value`",
        ),
        (
            &["call", "POST", "/x", "--data", "@none", "--token-url", &token_url],
            &id,
            "client: the data `@none` cannot be read: No such file or directory (os error 2)",
        ),
    ];
    for (arguments, vars, line) in cases {
        let expected = (2, String::new(), format!("{line}\n"));
        assert_eq!(run(directory.path(), arguments, vars).await, expected, "{arguments:?}");
    }
    let (code, output, notes) =
        run(directory.path(), &["token", "--token-url", "http://auth.example.com"], &id).await;
    assert_eq!((code, output.as_str()), (2, ""));
    assert!(notes.contains("'--token-url <URL>': must be https (http is for loopback only)"), "{notes}");
}
