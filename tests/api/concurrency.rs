//! Many callers at once: nothing is sold twice, and one idempotency key creates one thing.

use std::{collections::BTreeSet, sync::Arc};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, System};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

/// Sends the same request this often, all at once, each with the key that `key` returns for its number.
async fn at_once(
    system: &Arc<System>,
    path: &'static str,
    body: &Value,
    times: usize,
    key: fn(usize) -> String,
) -> Vec<Answer> {
    let token = system.token("storefront").await;
    let mut calls = JoinSet::new();
    for number in 0..times {
        let (system, token, body) = (Arc::clone(system), token.clone(), body.clone());
        calls.spawn(async move {
            let request = system.request(Method::POST, path).bearer_auth(token);
            Answer::to(request.header("Idempotency-Key", key(number)).json(&body)).await
        });
    }
    calls.join_all().await
}

async fn stocked(pieces: i64) -> Arc<System> {
    let system = System::start().await;
    let token = system.token("storefront").await;
    let line = json!({ "sku": "A-1", "change": pieces, "unit_price": 100 });
    let movement = json!({ "reference": "in", "lines": [line] });
    assert_eq!(system.send(Method::POST, "/inventory", &token, &movement).await.status, 200);
    Arc::new(system)
}

async fn on_hand(system: &System) -> Value {
    let token = system.token("storefront").await;
    system.get("/inventory/A-1", &token).await.json()["on_hand"].clone()
}

fn order() -> Value {
    json!({ "lines": [{ "sku": "A-1", "quantity": 1 }] })
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_orders_for_the_last_ten_pieces_sell_ten() {
    let system = stocked(10).await;
    let answers = at_once(&system, "/orders", &order(), 50, |number| format!("order-{number}")).await;
    assert_eq!((count(&answers, 201), count(&answers, 409)), (10, 40), "{:?}", statuses(&answers));
    assert_eq!(on_hand(&system).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_twenty_times_is_one_order() {
    let system = stocked(10).await;
    let answers = at_once(&system, "/orders", &order(), 20, |_| "one".to_owned()).await;
    assert_eq!(count(&answers, 201), 20, "{:?}", statuses(&answers));
    let ids: BTreeSet<String> = answers.iter().map(|answer| answer.json()["order_id"].to_string()).collect();
    assert_eq!((ids.len(), on_hand(&system).await), (1, json!(9)));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_payments_of_one_order_settle_one() {
    let system = stocked(10).await;
    let [placed] = &at_once(&system, "/orders", &order(), 1, |_| "one".to_owned()).await[..] else {
        panic!()
    };
    let payment = json!({ "order_id": placed.json()["order_id"], "amount": 100 });
    let answers = at_once(&system, "/payments", &payment, 20, |number| format!("payment-{number}")).await;
    assert_eq!((count(&answers, 201), count(&answers, 409)), (1, 19), "{:?}", statuses(&answers));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_fill_the_port_do_not_keep_out_what_their_requests_call() {
    let system = stocked(10).await;
    let mut unfinished = Vec::new();
    // All connections that the port takes at once, but for the caller's own.
    for _ in 0..255 {
        let mut stream = TcpStream::connect(system.local().address()).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").await.unwrap();
        unfinished.push(stream);
    }
    let answers = at_once(&system, "/orders", &order(), 1, |_| "one".to_owned()).await;
    assert_eq!(statuses(&answers), [201]);
}
