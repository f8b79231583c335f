//! `/_local/`: who may look, who may press a button, and that it shows what the gateway did.

use std::time::Duration;

use handlers::routes::ROUTES;
use reqwest::{Method, RequestBuilder, header::HOST};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::{Answer, System};

const BUTTONS: [&str; 5] = ["token", "expired", "rotate", "jwks", "explain"];

fn key(system: &System) -> String {
    system.local().console_url().split_once('#').unwrap().1.to_owned()
}

fn post(system: &System, button: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    system.request(Method::POST, &format!("/_local/{button}")).body(body)
}

async fn press(system: &System, button: &str, body: &Value) -> Answer {
    Answer::to(post(system, button, body.to_string()).header("x-console-key", key(system))).await
}

/// The decisions after the event with this id, and the id of the last one.
async fn events(system: &System, seen: &str) -> (Vec<Value>, String) {
    let request = system.request(Method::GET, "/_local/events").header("last-event-id", seen);
    let answer = Answer::to(request).await;
    let lines = |prefix: &'static str| answer.text.lines().filter_map(move |line| line.strip_prefix(prefix));
    let told = lines("data: ").map(|data| serde_json::from_str(data).unwrap()).collect();
    (told, lines("id: ").next_back().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn only_this_machines_own_page_is_answered() {
    let system = System::start().await;
    let port = system.local().address().port();
    let (ip, name) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    let (ip_page, name_page) = (format!("http://{ip}"), format!("http://{name}"));
    let cases = [
        ("a program", &ip, None, None, 200),
        ("the page", &name, Some(&name_page), Some("same-origin"), 200),
        ("a rebound name", &format!("a.example:{port}"), None, None, 403),
        ("another site", &ip, None, Some("cross-site"), 403),
        ("the other name's page", &name, Some(&ip_page), Some("same-site"), 403),
    ];
    for (case, host, origin, site, status) in cases {
        let all =
            ["", "state"].into_iter().map(|path| system.request(Method::GET, &format!("/_local/{path}")));
        let buttons = BUTTONS.map(|button| post(&system, button, "{}").header("x-console-key", key(&system)));
        for request in all.chain(buttons) {
            let mut request = request.header(HOST, host);
            for (name, value) in [("origin", origin.map(String::as_str)), ("sec-fetch-site", site)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let answer = Answer::to(request).await;
            // How a button handles `{}` is tested elsewhere.
            assert_eq!(answer.status == 403, status == 403, "{case}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_button_needs_the_key_and_a_request_that_it_understands() {
    let system = System::start().await;
    let before = system.local().issuer().key_id();
    let right = key(&system);
    for button in BUTTONS {
        let body = r#"{"client":"storefront"}"#;
        let keys = [vec![], vec![""], vec!["guess"], vec![&right, "guess"]];
        for given in keys {
            let mut request = post(&system, button, body);
            for key in given {
                request = request.header("x-console-key", key);
            }
            let answer = Answer::to(request).await;
            assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("console_key")), "{button}");
        }
        let read = system.request(Method::GET, &format!("/_local/{button}"));
        assert_eq!(Answer::to(read).await.status, 405, "{button}");
    }
    let cases = [
        ("token", String::new(), 400),
        ("token", "{}".to_owned(), 400),
        ("token", json!({"client": "storefront", "down": true}).to_string(), 400),
        ("token", json!({"client": "storefront", "scope": "all"}).to_string(), 400),
        ("token", json!({"client": "nobody"}).to_string(), 404),
        ("expired", json!({"client": ["storefront"]}).to_string(), 400),
        ("rotate", json!({"client": "storefront"}).to_string(), 400),
        ("jwks", json!({"down": "yes"}).to_string(), 400),
        ("explain", json!({"call": "GET /orders"}).to_string(), 400),
        ("explain", json!({"token": "a", "call": "orders"}).to_string(), 400),
        ("explain", json!({"token": "a".repeat(20 * 1024)}).to_string(), 400),
        ("explain", json!({"token": "a".repeat(16 * 1024)}).to_string(), 200),
    ];
    for (button, body, status) in cases {
        let start = body.chars().take(60).collect::<String>();
        let answer = Answer::to(post(&system, button, body).header("x-console-key", key(&system))).await;
        assert_eq!(answer.status, status, "{button} {start}: {}", answer.text);
    }
    assert_eq!(system.local().issuer().key_id(), before, "no key was rotated");
    assert!(!system.local().issuer().withholds(), "and none withheld");
}

#[tokio::test]
async fn decisions_are_told_as_the_gateway_made_them() {
    let system = System::start().await;
    let token = |answer: Answer| answer.json()["token"].as_str().unwrap().to_owned();
    let good = token(press(&system, "token", &json!({"client": "storefront"})).await);
    let expired = token(press(&system, "expired", &json!({"client": "storefront"})).await);
    for (token, method, path, status) in [
        (&good, Method::GET, "/inventory", 200),
        (&good, Method::GET, "/inventory?cursor=", 400),
        (&good, Method::PATCH, "/orders/7", 403),
        (&expired, Method::GET, "/orders", 401),
        (&good, Method::GET, "/nowhere", 404),
    ] {
        let answer = system.send(method, path, token, &json!({"status": "paid"})).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
    let (told, last) = events(&system, "").await;
    let brief: Vec<Value> = told
        .iter()
        .map(|one| {
            json!([one["client"], one["route"], one["status"], one["outcome"], one["reason"], one["cached"]])
        })
        .collect();
    assert_eq!(
        Value::from(brief),
        json!([
            ["storefront", "GET /inventory", 200, "allowed", null, false],
            ["storefront", "GET /inventory", 400, "allowed", null, true],
            ["storefront", "PATCH /orders/{id}", 403, "refused", "insufficient_scope", true],
            [null, "GET /orders", 401, "refused", "expired", false],
            [null, null, 404, "refused", "MissingAuthenticationTokenException", null],
        ])
    );
    for one in &told {
        let (all, part) = (one["latency_ms"].as_f64().unwrap(), one["authorizer_ms"].as_f64());
        assert_eq!(part.is_some(), one["cached"] == false, "{one}");
        assert!(part.unwrap_or(0.0) <= all, "{one}");
    }

    let state = Answer::to(system.request(Method::GET, "/_local/state")).await;
    let usage = &state.json()["clients"][3]["usage"];
    assert_eq!(state.json()["clients"][3]["name"], "storefront");
    let used = usage["quota"].as_u64().unwrap() - usage["left"].as_u64().unwrap();
    assert_eq!((used, &usage["throttled"]), (2, &json!(0)), "what passed the authorizer: {usage}");

    let (next, _) = tokio::join!(events(&system, &last), async {
        // It gets the event whether it waits already or asks in a moment.
        tokio::time::sleep(Duration::from_millis(20)).await;
        system.get("/reports/2026-01-01", &good).await
    });
    assert_eq!((next.0.len(), &next.0[0]["route"]), (1, &json!("GET /reports/{date}")));

    let page = Answer::to(system.request(Method::GET, "/_local/")).await;
    let (all, _) = events(&system, "").await;
    let shown = format!("{}{}{}", page.text, state.text, Value::from(all));
    let secrets =
        system.local().clients().0.values().map(|client| client.client_secret.expose_secret().to_owned());
    for secret in secrets.chain([good, expired, key(&system)]) {
        assert!(!shown.contains(&secret), "a secret is shown");
    }
}

#[tokio::test]
async fn a_token_is_explained_as_the_gateway_decides() {
    let system = System::start().await;
    let state = Answer::to(system.request(Method::GET, "/_local/state")).await.json();
    for client in state["clients"].as_array().unwrap() {
        let token = system.token(client["name"].as_str().unwrap()).await;
        for (route, allowed) in ROUTES.routes().iter().zip(client["allowed"].as_array().unwrap()) {
            let (call, path) = (route.to_string(), route.path().replace(['{', '}'], ""));
            let told = press(&system, "explain", &json!({"token": token, "call": call})).await.json();
            assert_eq!(
                told["outcome"],
                if allowed == true { "allowed" } else { "denied" },
                "{client} {call}"
            );
            let method = route.method().as_str().parse().unwrap();
            let answer = system.send(method, &path, &token, &json!({})).await;
            assert_eq!(answer.status == 403, allowed == false, "{client} {call}: {}", answer.text);
        }
    }
    let expired = press(&system, "expired", &json!({"client": "storefront"})).await.json();
    let told = press(&system, "explain", &json!({"token": expired["token"]})).await.json();
    assert_eq!((&told["outcome"], &told["reason"]), (&json!("refused"), &json!("expired")));
}

#[tokio::test]
async fn a_rotation_and_an_outage_can_be_watched() {
    let system = System::start().await;
    let keys = async || Answer::to(system.request(Method::GET, "/.well-known/jwks.json")).await;
    let old = system.token("storefront").await;
    let rotated = press(&system, "rotate", &json!({})).await;
    assert_eq!((rotated.status, &rotated.json()["key_id"]), (200, &json!(system.local().issuer().key_id())));
    let new = system.token("storefront").await;
    for token in [&old, &new] {
        assert_eq!(system.get("/inventory", token).await.status, 200, "both keys are published");
    }
    assert_eq!(press(&system, "jwks", &json!({"down": true})).await.json()["jwks_down"], true);
    assert_eq!(keys().await.status, 503);
    assert_eq!(
        system.get("/orders", &system.token("storefront").await).await.status,
        200,
        "the keys are held"
    );
    press(&system, "rotate", &json!({})).await;
    let unknown = system.token("storefront").await;
    assert_eq!(system.get("/orders", &unknown).await.status, 401, "nobody can fetch its key");
    let (told, _) = events(&system, "").await;
    assert_eq!(told.last().unwrap()["reason"], "unknown_key");
    assert_eq!(press(&system, "jwks", &json!({"down": false})).await.json()["jwks_down"], false);
    assert_eq!(keys().await.status, 200);
}
