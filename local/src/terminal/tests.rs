use std::sync::Mutex;

use gateway::http::{Headers, Request};
use serde_json::json;

use super::*;
use crate::clients::Client;

fn terminal(style: Style) -> (Arc<Terminal>, Arc<Mutex<String>>) {
    let printed = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&printed);
    let terminal =
        Terminal::new(style, Level::Info, TimeZone::UTC, move |line| sink.lock().unwrap().push_str(line));
    let client = Client { client_id: "7abc".into(), client_secret: "s".into(), scopes: Vec::new() };
    let needs = [("PATCH /orders/{id}".to_owned(), "orders/status".to_owned())];
    terminal.know(&Clients([("storefront".to_owned(), client)].into()), needs.into());
    (terminal, printed)
}

fn request() -> Request {
    let peer = ([127, 0, 0, 1], 1).into();
    let target = "/ordrs\u{1b}[2J?secret".to_owned();
    Request { method: "GET".into(), target, headers: Headers::default(), body: Vec::new(), peer }
}

/// What is printed of a request with these lines, the last of them the gateway's.
async fn printed(style: Style, lines: &[Value]) -> String {
    let (terminal, printed) = terminal(style);
    let work = async {
        for line in lines {
            let (terminal, line) = (Arc::clone(&terminal), line.to_string());
            // A function runs in a task of its own.
            tokio::spawn(exchange::part(async move { terminal.write(&line) })).await.unwrap();
        }
    };
    exchange::of(exchange::name(&request()), work).await;
    printed.lock().unwrap().clone()
}

fn gateway(fields: &Value) -> Value {
    let mut line = json!({
        "timestamp": "2026-02-03T12:41:39.123Z", "level": "INFO", "request_id": "r-1", "gateway": "answered",
        "status": 200, "route": "GET /inventory", "client_id": "7abc", "authorizer": "cached", "latency_ms": 0.2,
    });
    line.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    line
}

#[tokio::test]
async fn a_request_is_one_short_line_at_a_terminal() {
    let refused = json!({"gateway": "UnauthorizedException", "status": 401, "client_id": null, "reason": "expired",
        "authorizer": "called", "authorizer_ms": 0.13});
    let missing =
        json!({"gateway": "UnauthorizedException", "status": 401, "client_id": null, "authorizer": null});
    let denied = json!({"gateway": "AccessDeniedException", "status": 403, "route": "PATCH /orders/{id}"});
    let unknown = json!({"gateway": "MissingAuthenticationTokenException", "status": 404, "route": null,
        "client_id": null, "authorizer": null});
    let conflict =
        json!({"level": "INFO", "status": 409, "reason": "insufficient_stock", "request_id": "r-1"});
    let fault = json!({"level": "ERROR", "timestamp": "2026-02-03T12:41:39.120Z", "function": "OrderFunction",
        "reason": "function_timed_out", "detail": "it took too long"});
    let mut page = String::new();
    for lines in [
        vec![gateway(&json!({}))],
        vec![gateway(&refused)],
        vec![gateway(&missing)],
        vec![gateway(&denied)],
        vec![gateway(&unknown)],
        vec![conflict, gateway(&json!({"status": 409, "route": "POST /orders"}))],
        vec![fault, gateway(&json!({"status": 502, "gateway": "InternalServerErrorException"}))],
    ] {
        page += &printed(Style::Short { color: false }, &lines).await;
    }
    insta::assert_snapshot!(page);
    let painted = printed(Style::Short { color: true }, &[gateway(&json!({}))]).await;
    assert!(painted.contains("\u{1b}[32m200\u{1b}[0m"), "{painted:?}");
}

#[tokio::test]
async fn the_lines_of_a_request_have_its_id() {
    let authorizer = json!({"level": "INFO", "outcome": "allowed", "request_id": "invocation-1"});
    let function = json!({"level": "INFO", "outcome": "answered", "request_id": "r-1"});
    let lines = [authorizer, function, gateway(&json!({"level": "DEBUG"}))];
    insta::assert_snapshot!(printed(Style::Text, &lines).await, @r"
    INFO outcome=allowed request_id=r-1
    INFO outcome=answered request_id=r-1
    ");
    insta::assert_snapshot!(printed(Style::Json, &lines).await, @r#"
    {"level":"INFO","outcome":"allowed","request_id":"r-1"}
    {"level":"INFO","outcome":"answered","request_id":"r-1"}
    "#);
}

#[tokio::test]
async fn no_line_is_lost_where_a_request_is_never_answered() {
    let line = json!({"level": "INFO", "outcome": "allowed", "request_id": "i-1"});
    let (terminal, printed) = terminal(Style::Text);
    exchange::of(exchange::name(&request()), async { terminal.write(&line.to_string()) }).await;
    assert_eq!(*printed.lock().unwrap(), "INFO outcome=allowed request_id=i-1\n");
    terminal.write(&line.to_string());
    assert_eq!(printed.lock().unwrap().lines().count(), 2, "outside of a request it is printed at once");
}
