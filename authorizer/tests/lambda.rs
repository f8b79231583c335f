//! The binary as Lambda runs it: what it tells the Runtime API, how it stops, and how many threads it takes.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Output, Stdio},
    thread::{self, JoinHandle},
};

use serde_json::{Value, json};

/// The binary with these variables and no others, its Runtime API and its JWKS being `api`: its process id, and what
/// becomes of it. Its end is an empty request, so that nobody waits for another in vain.
fn started(api: &TcpListener, vars: &[(&str, &str)]) -> (u32, JoinHandle<Output>) {
    let address = api.local_addr().unwrap().to_string();
    let child = Command::new(env!("CARGO_BIN_EXE_authorizer"))
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_LAMBDA_RUNTIME_API", &address)
        .env("JWKS_URI", format!("http://{address}/jwks"))
        .envs(vars.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let end = thread::spawn(move || {
        let output = child.wait_with_output().unwrap();
        drop(TcpStream::connect(address));
        output
    });
    (id, end)
}

const SETTINGS: [(&str, &str); 3] = [
    ("USER_POOL_ID", "eu-central-1_Ab12cd34E"),
    ("CLIENT_IDS", "*"),
    ("ROUTES", r#"{"GET /orders": ["orders/read"]}"#),
];

/// The next request: its first line, its body, and where the answer goes. A key request is answered on the way.
fn request(api: &TcpListener) -> (String, Value, TcpStream) {
    loop {
        let (stream, _) = api.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let stream = reader.into_inner();
        if first.starts_with("GET /jwks ") {
            answer(stream, "404 Not Found", "");
        } else {
            return (first.trim_end().to_owned(), serde_json::from_slice(&body).unwrap_or_default(), stream);
        }
    }
}

fn answer(mut stream: TcpStream, head: &str, body: &str) {
    let length = body.len();
    write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
}

const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1";

/// The lines of a log, as JSON.
fn lines(log: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(log).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn members<const N: usize>(line: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| line[name].clone())
}

#[test]
fn settings_that_do_not_hold_end_the_function_with_one_line() {
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, end) = started(&api, &[]);
    let Output { status, stdout, stderr } = end.join().unwrap();
    assert_eq!((status.code(), stdout.as_slice()), (Some(1), b"".as_slice()));
    let [line] = lines(&stderr).try_into().unwrap();
    assert_eq!(members(&line, ["level", "outcome", "reason"]), ["ERROR", "fault", "config"]);
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.contains("USER_POOL_ID") && detail.contains("CLIENT_IDS"), "{detail}");
}

#[test]
fn a_refusal_is_reported_as_a_failed_invocation_and_a_lost_runtime_api_ends_the_function() {
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, end) = started(&api, &SETTINGS);

    let (line, _, stream) = request(&api);
    assert_eq!(line, NEXT);
    let head = "200 OK\r\nLambda-Runtime-Aws-Request-Id: 7e57\r\nLambda-Runtime-Deadline-Ms: 4000000000000";
    let arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders";
    let event = json!({"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": arn});
    answer(stream, head, &event.to_string());

    let (line, body, stream) = request(&api);
    assert_eq!(line, "POST /2018-06-01/runtime/invocation/7e57/error HTTP/1.1");
    assert_eq!(members(&body, ["errorType", "errorMessage"]), ["not_three_parts", "Unauthorized"]);
    answer(stream, "202 Accepted", "");

    let (line, _, stream) = request(&api);
    assert_eq!(line, NEXT);
    drop(stream);
    let Output { status, stdout, stderr } = end.join().unwrap();
    assert_eq!(status.code(), Some(1));
    let [failed, decided] = lines(&stdout).try_into().unwrap();
    assert_eq!(members(&failed, ["event", "reason"]), ["jwks_fetch_failed", "status"]);
    let expected = ["refused", "not_three_parts", "GET /orders", "7e57"];
    assert_eq!(members(&decided, ["outcome", "reason", "route", "request_id"]), expected);
    let [stopped] = lines(&stderr).try_into().unwrap();
    assert_eq!(members(&stopped, ["outcome", "reason"]), ["fault", "lambda_api"]);
}

#[cfg(target_os = "linux")]
#[test]
fn threads_are_for_invocations_that_run_in_parallel() {
    for (most, is_parallel) in [(None, false), (Some("1"), false), (Some("2"), true), (Some("8"), true)] {
        let api = TcpListener::bind("127.0.0.1:0").unwrap();
        let most = most.map(|most| ("AWS_LAMBDA_MAX_CONCURRENCY", most));
        let (id, end) = started(&api, &SETTINGS.into_iter().chain(most).collect::<Vec<_>>());
        let (line, _, stream) = request(&api);
        assert_eq!(line, NEXT);
        let threads = fs::read_dir(format!("/proc/{id}/task")).unwrap().count();
        // Parallel invocations wait for their Runtime API for good.
        assert!(Command::new("kill").arg(id.to_string()).status().unwrap().success());
        drop((stream, end.join().unwrap()));
        assert_eq!(threads > 1, is_parallel, "{most:?}: {threads}");
    }
}
