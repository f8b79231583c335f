//! What the commands say about a failure that somebody can do something about, and about an answer that refuses.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use test_support::{Stub, reply, unused_address};

use crate::{Arguments, clients_file, run};

/// A folder with two clients files, of which one says what its only client holds.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    clients_file(folder.path());
    let held = folder.path().join("held.json");
    let only = r#"{"one":{"client_id":"o","client_secret":"s3cr3t","scopes":["a/read","b/read"]}}"#;
    fs::write(&held, only).unwrap();
    fs::set_permissions(&held, Permissions::from_mode(0o600)).unwrap();
    folder
}

/// A token endpoint that refuses.
async fn refusing() -> String {
    let refusing = Stub::new(|_, heard| {
        let code = if heard.body.contains("scope=") { "invalid_scope" } else { "invalid_client" };
        reply(400, "", format!(r#"{{"error":"{code}"}}"#))
    });
    refusing.await.url("/oauth2/token")
}

/// A port on which nothing listens, and what is said about it.
fn not_running() -> (String, String) {
    let address = unused_address();
    let url = format!("http://{address}/oauth2/token");
    let said = format!(
        "client: nothing answers at {url}; start `cargo run -p local`, or give its port with `--port`\n"
    );
    (address.port().to_string(), said)
}

#[tokio::test]
async fn a_mistake_is_told_with_its_remedy() {
    let (folder, refused, (port, not_running)) = (folder(), refusing().await, not_running());
    let nothing = format!("http://127.0.0.1:{port}/oauth2/token");
    let working = crate::stub(|_| reply(200, "", "")).await.url("/oauth2/token");
    let api_not_running = not_running.replace("oauth2/token", "");
    let cases: &[(Arguments<'_>, &str)] = &[
        (
            &["token", "--client", "storefrnt"],
            "client: no client `storefrnt` in `.local/clients.json`; did you mean `storefront`? it has other, storefront\n",
        ),
        (
            &["token", "--client", "zzz"],
            "client: no client `zzz` in `.local/clients.json`; it has other, storefront\n",
        ),
        (&["token"], "client: name a client with `--client`: other, storefront\n"),
        (
            &["token", "--clients-file", "held.json", "--token-url", &refused, "--scope", "a/read c/read d"],
            "client: the client does not hold c/read, d; it holds a/read, b/read\n",
        ),
        // All that was asked for is held by what the file says, or the file does not say.
        (
            &["token", "--clients-file", "held.json", "--token-url", &refused, "--scope", "a/read"],
            "client: no token: the token endpoint refused: `invalid_scope`\n",
        ),
        (
            &["token", "--client", "other", "--token-url", &refused, "--scope", "a/read"],
            "client: no token: the token endpoint refused: `invalid_scope`\n",
        ),
        (
            &["token", "--clients-file", "held.json", "--token-url", &refused],
            "client: the token endpoint does not know this client; was `held.json` written by the `local` that runs there?\n",
        ),
        (&["token", "--client", "other", "--port", &port], &not_running),
        (&["call", "GET", "/x", "--client", "other", "--token-url", &nothing], &not_running),
        (
            &["call", "GET", "/x", "--client", "other", "--port", &port, "--token-url", &working],
            &api_not_running,
        ),
        (&["call", "GET", "x"], "client: the path `x` must start with a slash: `/x`\n"),
    ];
    for (arguments, said) in cases {
        let expected = (2, String::new(), (*said).to_owned());
        assert_eq!(run(folder.path(), arguments, &[]).await, expected, "{arguments:?}");
    }
}

#[tokio::test]
async fn an_answer_that_refuses_comes_with_a_hint() {
    let folder = folder();
    let working = crate::stub(|heard| match heard.head.split(' ').nth(1).unwrap() {
        "/order" => reply(400, "", r#"{"error":"invalid","field":"Idempotency-Key"}"#),
        "/other" => reply(400, "", r#"{"error":"invalid","field":"lines"}"#),
        "/nowhere" | "/nowhere?x=1" => reply(403, "", r#"{"message":"Missing Authentication Token"}"#),
        "/closed" => reply(403, "", r#"{"message":"User is not authorized to access this resource"}"#),
        "/denied" => reply(403, "", r#"{"Message":"... with an explicit deny"}"#),
        "/odd" => reply(403, "", r#"{"message":"something else"}"#),
        "/json" => reply(200, "content-type: application/json\r\n", "{}"),
        _ => reply(500, "", "Idempotency-Key"),
    })
    .await;
    let (url, api) = (working.url("/oauth2/token"), working.url(""));
    let there = ["--client", "other", "--token-url", &url, "--base-url", &api];
    let key = "400 Bad Request\nhint: this call needs a key of your choice: add --header 'Idempotency-Key: my-first-call'\n";
    let closed = "403 Forbidden\nhint: the token is valid, but does not hold the scope of this route\n";
    let cases: &[(Arguments<'_>, &str)] = &[
        (&["call", "POST", "/order"], key),
        (&["call", "POST", "/order", "--header", "x: y"], key),
        (&["call", "POST", "/order", "--header", "idempotency-KEY: y"], "400 Bad Request\n"),
        (&["call", "POST", "/other"], "400 Bad Request\n"),
        (&["call", "post", "/nowhere"], "403 Forbidden\nhint: the API has no route POST /nowhere\n"),
        (&["call", "GET", "/nowhere?x=1"], "403 Forbidden\nhint: the API has no route GET /nowhere\n"),
        (&["call", "GET", "/closed"], closed),
        (&["call", "GET", "/denied"], closed),
        (&["call", "GET", "/odd"], "403 Forbidden\n"),
        (&["call", "POST", "/broken"], "500 Internal Server Error\n"),
    ];
    for (arguments, notes) in cases {
        let arguments = [*arguments, &there].concat();
        let (ended, output, said) = run(folder.path(), &arguments, &[]).await;
        assert_eq!((ended, said.as_str()), (1, *notes), "{arguments:?}: {output}");
    }
    let arguments = [&["call", "GET", "/json"], &there[..]].concat();
    assert_eq!(run(folder.path(), &arguments, &[]).await.1, "{}\n", "a line of its own, for people");
}

#[tokio::test]
async fn arguments_go_before_the_environment() {
    let (folder, refused, (port, not_running)) = (folder(), refusing().await, not_running());
    let vars = [("CLIENT_ID", "id"), ("CLIENT_SECRET", "s3cr3t"), ("TOKEN_URL", refused.as_str())];
    for more in [
        &["--client", "other"][..],
        &["--clients-file", "held.json"],
        &["--client", "other", "--port", &port],
    ] {
        let arguments = [&["token"], more].concat();
        let (_, _, said) = run(folder.path(), &arguments, &vars).await;
        let is_told =
            if more.contains(&"--port") { said == not_running } else { said.contains("written by") };
        assert!(is_told, "an argument goes before the environment: {said}");
    }
    let (_, _, said) = run(folder.path(), &["token"], &vars).await;
    assert_eq!(said, "client: no token: the token endpoint refused: `invalid_client`\n");
}
