//! The order service with a real inventory behind it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::{
    entry::Entry,
    money::MAX_EXACT,
    testing::{CONTEXT, TABLE, World, clock, dynamodb, event, log, read, told, with_body},
};

#[tokio::test]
async fn the_documented_calls_answer_as_documented() {
    let world = World::new().await;
    world.load("po-1", "A-1", 100).await;
    let body = r#"{"lines":[{"sku":"A-1","quantity":3}],"customer":"Zoë & Sons"}"#;
    let (status, order) = world.send("POST", "/orders", Some("k"), body).await;
    assert_eq!(status, 201);
    let id = order["order_id"].as_str().unwrap();
    let expected = json!({
        "order_id": id, "status": "pending", "lines": [{"sku": "A-1", "quantity": 3, "unit_price": 1250}],
        "total": 3750, "currency": "EUR", "customer": "Zoë & Sons", "created_by": "storefront",
        "created_at": "2026-02-03T04:05:06.789Z", "updated_at": "2026-02-03T04:05:06.789Z",
    });
    assert_eq!(order, expected);
    assert_eq!(world.on_hand("A-1").await, 97);
    assert_eq!(world.get(&format!("/orders/{id}"), &[]).await, (200, order.clone()));
    let (status, page) = world.get("/orders", &[]).await;
    assert_eq!((status, &page["orders"]), (200, &json!([order])), "today, where no date is given");
    let behind = [("cursor", page["next_cursor"].as_str().unwrap())];
    assert_eq!(world.get("/orders", &behind).await, (200, json!({"orders": []})), "nothing behind it yet");
    let (_, next) = world.order("k-2", "A-1", 1).await;
    assert_eq!(world.get("/orders", &behind).await.1["orders"], json!([next]), "a day can be followed");
    assert_eq!(world.get("/orders", &[("date", "2026-02-04")]).await, (200, json!({"orders": []})));
    let (status, paid) = world.change(&order, "paid").await;
    assert_eq!((status, &paid["status"]), (200, &json!("paid")));
}

#[tokio::test]
async fn bad_orders_are_4xx_that_name_the_field_and_leave_nothing() {
    let world = World::new().await;
    world.load("po-1", "A", 100).await;
    let quantity = |text: &str| format!(r#"{{"lines":[{{"sku":"A","quantity":{text}}}]}}"#);
    let many = |count: usize| json!({"lines": vec![json!({"sku": "A", "quantity": 1}); count]}).to_string();
    let cases = [
        ("zero", quantity("0"), "lines[0].quantity"),
        ("negative", quantity("-1"), "lines[0].quantity"),
        ("fraction", quantity("1.0"), "lines[0].quantity"),
        ("huge", quantity("1000000001"), "lines[0].quantity"),
        ("beyond i64", quantity("9223372036854775808"), "lines[0].quantity"),
        ("no lines", r#"{"lines":[]}"#.into(), "lines"),
        ("ten thousand lines", many(10_000), "lines"),
        ("an odd SKU", r#"{"lines":[{"sku":"A/B","quantity":1}]}"#.into(), "lines[0].sku"),
        ("an odd customer", r#"{"lines":[{"sku":"A","quantity":1}],"customer":"\u0000"}"#.into(), "customer"),
        (
            "a price of one's own",
            r#"{"lines":[{"sku":"A","quantity":1,"unit_price":0}]}"#.into(),
            "lines[0].unit_price",
        ),
        ("a status of one's own", r#"{"status":"paid"}"#.into(), "status"),
    ];
    for (name, body, field) in cases {
        let answer = world.send("POST", "/orders", Some("k"), body).await;
        assert_eq!(told(&answer), (400, "invalid_request", field), "{name}");
    }
    let good = quantity("1");
    let answer = world.send("POST", "/orders", None, good.as_str()).await;
    assert_eq!(told(&answer), (400, "invalid_request", "Idempotency-Key"), "no key");
    for key in ["", "a b", "\u{e9}", &"k".repeat(256)] {
        let answer = world.send("POST", "/orders", Some(key), good.as_str()).await;
        assert_eq!(told(&answer), (400, "invalid_request", "Idempotency-Key"), "{key}");
    }
    assert_eq!((world.all("orders").await.len(), world.on_hand("A").await), (0, 100));
}

#[tokio::test]
async fn a_total_beyond_what_can_be_counted_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let line = json!({"sku": "A", "change": 1000, "unit_price": MAX_EXACT});
    let body = json!({"reference": "po-1", "lines": [line]}).to_string();
    assert_eq!(world.send("POST", "/inventory", None, body).await.0, 200);
    assert_eq!(told(&world.order("k", "A", 2).await), (400, "invalid_request", "lines[0].quantity"));
    assert_eq!(world.order("k", "A", 1).await.1["total"], MAX_EXACT, "the key is not used up");
}

#[tokio::test]
async fn the_same_key_is_the_same_order_and_only_for_the_same_caller() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    let first = world.order("k", "A", 2).await;
    assert_eq!(first.0, 201);
    assert_eq!(world.order("k", "A", 2).await, first);
    assert_eq!(world.change(&first.1, "paid").await.0, 200);
    assert_eq!(world.order("k", "A", 2).await, first, "the same answer, whatever became of the order");
    assert_eq!(told(&world.order("k", "A", 3).await), (409, "idempotency_key_reused", "Idempotency-Key"));
    assert_eq!(world.on_hand("A").await, 8);

    let mut event =
        with_body(event("POST", "/orders", "orders/write"), r#"{"lines":[{"sku":"A","quantity":2}]}"#);
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["k"]);
    event["requestContext"]["authorizer"]["client_id"] = json!("another");
    let (status, other) = world.handle(&event).await;
    assert_eq!(status, 201);
    assert_ne!(other["order_id"], first.1["order_id"]);
}

#[tokio::test]
async fn lines_of_one_sku_are_one_line() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    world.load("po-2", "B", 10).await;
    let order = |quantity: i64| {
        let line = |sku: &str, quantity: i64| json!({"sku": sku, "quantity": quantity});
        json!({"lines": [line("B", 1), line("A", 6), line("B", 2), line("A", quantity)]}).to_string()
    };
    let short = world.send("POST", "/orders", Some("1"), order(5)).await;
    assert_eq!(told(&short), (409, "insufficient_stock", "lines[1].quantity"), "where the SKU stands first");
    let (status, body) = world.send("POST", "/orders", Some("2"), order(4)).await;
    let line = |sku: &str, quantity: i64| json!({"sku": sku, "quantity": quantity, "unit_price": 1250});
    assert_eq!((status, &body["lines"]), (201, &json!([line("B", 3), line("A", 10)])));
    assert_eq!((world.on_hand("A").await, world.on_hand("B").await), (0, 7));
}

#[tokio::test]
async fn a_sku_with_odd_characters_comes_back_intact() {
    let world = World::new().await;
    let sku = "~a:b.c_D-9";
    world.load("po:1~", sku, 10).await;
    let (status, order) = world.order("k#\"/{}'", sku, 3).await;
    assert_eq!((status, &order["lines"][0]["sku"]), (201, &json!(sku)));
    assert_eq!(world.get("/inventory/%7Ea%3Ab.c_D-9", &[]).await.1["on_hand"], 7);
}

#[tokio::test]
async fn a_409_is_final_for_its_key() {
    let world = World::new().await;
    world.load("po-1", "A", 1).await;
    let body = r#"{"reference":"po-2","lines":[{"sku":"free","change":9}]}"#;
    assert_eq!(world.send("POST", "/inventory", None, body).await.0, 200);
    let short = world.order("k", "A", 2).await;
    assert_eq!(told(&short), (409, "insufficient_stock", "lines[0].quantity"));
    let unknown = world.order("u", "nothing", 1).await;
    assert_eq!(told(&unknown), (409, "unknown_sku", "lines[0].sku"));
    let unpriced = world.order("p", "free", 1).await;
    assert_eq!(told(&unpriced), (409, "no_price", "lines[0].sku"));
    for (number, sku) in ["A", "nothing", "free"].into_iter().enumerate() {
        world.load(&format!("po-{}", number + 3), sku, 9).await;
    }
    assert_eq!(world.order("k", "A", 2).await.1["error"], short.1["error"], "the same answer");
    assert_eq!(told(&world.order("u", "nothing", 1).await), told(&unknown));
    assert_eq!(told(&world.order("p", "free", 1).await), told(&unpriced));
    assert_eq!((world.all("orders").await.len(), world.on_hand("A").await), (0, 10));
    assert_eq!(world.order("k-2", "A", 2).await.0, 201);
}

#[tokio::test]
async fn a_key_expires_30_days_after_its_answer_was_known() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    world.order("made", "A", 1).await;
    world.order("refused", "A", 100).await;
    world.order("unknown", "none", 1).await;
    world.fuse.set(5, crate::testing::Death::Before);
    assert_eq!(world.order("open", "A", 1).await.0, 503);
    world.fuse.restart();
    let in_30_days = clock().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 30 * 24 * 60 * 60;
    for (key, expiry) in [("made", true), ("refused", true), ("unknown", true), ("open", false)] {
        let attempt: Value =
            world.orders.table.get(&Key::new(format!("key#storefront#{key}"), KEY)).await.unwrap().unwrap();
        assert_eq!(attempt["expires_at"], if expiry { json!(in_30_days) } else { Value::Null }, "{key}");
    }
}

#[tokio::test]
async fn a_refusal_whose_answer_was_lost_is_a_409_whatever_is_stocked_later() {
    for steps in 0..30 {
        let world = World::new().await;
        world.load("po-1", "A", 1).await;
        world.fuse.set(steps, crate::testing::Death::After);
        let first = world.order("k", "A", 2).await;
        let is_dead = world.fuse.restart();
        let second = world.order("k", "A", 2).await;
        world.load("po-2", "A", 10).await;
        let third = world.order("k", "A", 2).await;
        assert_eq!(told(&second), (409, "insufficient_stock", "lines[0].quantity"), "at step {steps}");
        assert_eq!(told(&third), told(&second), "at step {steps}");
        assert_eq!((world.on_hand("A").await, world.all("orders").await.len()), (11, 0));
        if !is_dead {
            assert_eq!(told(&first), told(&second));
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn references_of_other_clients_are_in_nobodys_way() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    let (_, order) = world.order("k", "A", 3).await;
    world.load(&format!("{}:cancel", order["order_id"].as_str().unwrap()), "A", 1).await;
    assert_eq!(world.change(&order, "cancelled").await.0, 200);
    assert_eq!(world.on_hand("A").await, 11);
}

#[tokio::test]
async fn stock_that_goes_back_may_exceed_the_limit() {
    let world = World::new().await;
    world.load("po-1", "A", MAX_EXACT).await;
    let (_, order) = world.order("k", "A", 3).await;
    world.load("po-2", "A", 3).await;
    assert_eq!(world.change(&order, "cancelled").await.0, 200);
    assert_eq!(world.on_hand("A").await, MAX_EXACT + 3);
}

/// An API that takes its time.
#[derive(Clone, Debug)]
struct Never;

impl Api for Never {
    async fn send(&self, _: Call) -> Result<Reply, ApiError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_call_ends_with_the_invocation() {
    let config = Config { table_name: TABLE.to_owned(), currency: Currency::EUR, order_expiry: None };
    let (log, logged) = log();
    let entry = Entry::new(Orders::new(dynamodb().await, Never, config), clock, log);
    let mut event =
        with_body(event("POST", "/orders", "orders/write"), r#"{"lines":[{"sku":"A","quantity":2}]}"#);
    event["multiValueHeaders"]["Idempotency-Key"] = json!(["k"]);
    // What the caller gives shortens the time that Lambda gives, and never adds to it.
    for (lambda, caller, status, reason) in [
        (Some(400), None, 503, "fault deadline"),
        (Some(400), Some(60_000), 503, "fault deadline"),
        (Some(60_000), Some(400), 408, "answered time_over"),
        (None, Some(0), 408, "answered time_over"),
    ] {
        event["multiValueHeaders"]["x-time-left-ms"] =
            caller.map_or(json!([]), |caller: u32| json!([caller.to_string()]));
        let context = crate::entry::Context { time_left: lambda.map(Duration::from_millis), ..CONTEXT };
        let answer = entry.handle(event.to_string().as_bytes(), context).await.unwrap();
        assert_eq!(read(&answer).0, status, "{lambda:?} {caller:?}");
        let line: Value = serde_json::from_str(&std::mem::take(&mut *logged.lock().unwrap())).unwrap();
        let said = ["outcome", "reason"].map(|name| line[name].as_str().unwrap_or_default());
        assert_eq!(said.join(" "), reason, "{lambda:?} {caller:?}");
    }
}

#[tokio::test]
async fn an_order_of_many_lines_is_two_calls() {
    let world = World::new().await;
    let lines: Vec<_> =
        (0..50).map(|n| json!({"sku": format!("S-{n}"), "change": 9, "unit_price": 5})).collect();
    let body = json!({"reference": "r", "lines": lines}).to_string();
    assert_eq!(world.send("POST", "/inventory", None, body).await.0, 200);
    world.logged.lock().unwrap().clear();
    let lines: Vec<_> = (0..50).map(|n| json!({"sku": format!("S-{n}"), "quantity": 1})).collect();
    let (status, order) =
        world.send("POST", "/orders", Some("k"), json!({ "lines": lines }).to_string()).await;
    assert_eq!((status, &order["total"]), (201, &json!(250)));
    let logged = world.logged.lock().unwrap().clone();
    assert_eq!(logged.lines().count(), 3, "the order's own line, and two of the inventory: {logged}");
}

#[tokio::test]
async fn log_lines_of_all_services_share_trace_and_order() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    world.logged.lock().unwrap().clear();
    let (_, order) = world.order("k", "A", 3).await;
    let (_, payment) = world.pay("p", &order).await;
    let logged = world.logged.lock().unwrap().clone();
    let lines: Vec<Value> = logged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let traces: std::collections::BTreeSet<_> =
        lines.iter().map(|line| line["trace_id"].as_str().unwrap()).collect();
    assert_eq!(traces.len(), 2, "one of the order and one of the payment: {logged}");
    let of = |route: &str| lines.iter().find(|line| line["route"] == route).unwrap();
    assert_eq!(of("POST /inventory")["reference"], order["order_id"]);
    for route in ["POST /orders", "GET /orders/{id}", "PATCH /orders/{id}", "POST /payments"] {
        assert_eq!(of(route)["order_id"], order["order_id"], "{route}");
    }
    assert_eq!(of("POST /payments")["payment_id"], payment["payment_id"]);
}

#[tokio::test]
async fn only_a_pending_order_changes() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    let cases = [
        (vec!["paid", "paid"], vec![200, 409]),
        (vec!["paid", "cancelled"], vec![200, 409]),
        (vec!["cancelled", "cancelled"], vec![200, 409]),
        (vec!["cancelled", "paid"], vec![200, 409]),
    ];
    for (n, (changes, expected)) in cases.into_iter().enumerate() {
        let (_, order) = world.order(&format!("k-{n}"), "A", 1).await;
        for (change, status) in changes.iter().zip(expected) {
            let answer = world.change(&order, change).await;
            assert_eq!(answer.0, status, "{changes:?} {}", answer.1);
            if status == 409 {
                assert_eq!(told(&answer), (409, "invalid_transition", "status"));
            } else {
                assert_eq!(answer.1["status"], *change);
            }
        }
    }
    assert_eq!(world.on_hand("A").await, 8, "the stock of both cancelled orders went back, once");
    for (status, field) in [
        (r#"{"status":"pending"}"#, "status"),
        (r#"{"status":7}"#, "status"),
        (r#"{"status":{"cancelled":null}}"#, "status"),
        (r#"{"status":"paid","payment_id":"x"}"#, "payment_id"),
        ("{}", "status"),
    ] {
        let path = "/orders/0190163d-8694-739b-aea5-966c26f8ad91";
        let answer = world.send("PATCH", path, None, status).await;
        assert_eq!(told(&answer), (400, "invalid_request", field), "{status}");
        assert_eq!(world.send("PATCH", path, None, r#"{"status":"paid"}"#).await.0, 404);
    }
    for id in ["7", "%20", "ffffffff-ffff-ffff-ffff-ffffffffffff", "..", "'"] {
        assert_eq!(world.get(&format!("/orders/{id}"), &[]).await.0, 404, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_orders_sell_exactly_the_last_ten() {
    let world = Arc::new(World::new().await);
    world.load("po-1", "A", 10).await;
    let order = |n: usize| {
        let world = Arc::clone(&world);
        async move { world.order(&format!("k-{n}"), "A", 1).await.0 }
    };
    let answers = (0..50).map(order).collect::<tokio::task::JoinSet<_>>().join_all().await;
    let count = |status: i64| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((count(201), count(409)), (10, 40));
    assert_eq!((world.on_hand("A").await, world.all("orders").await.len()), (0, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_orders_of_one_key_are_one() {
    let world = Arc::new(World::new().await);
    world.load("po-1", "A", 10).await;
    let order = |_| {
        let world = Arc::clone(&world);
        async move { world.order("k", "A", 3).await }
    };
    let answers = (0..20).map(order).collect::<tokio::task::JoinSet<_>>().join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 201);
    assert_eq!((world.on_hand("A").await, world.all("orders").await.len()), (7, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_either_paid_or_cancelled_however_many_try() {
    let world = Arc::new(World::new().await);
    world.load("po-1", "A", 10).await;
    let (_, order) = world.order("k", "A", 3).await;
    let change = |n: usize| {
        let (world, order) = (Arc::clone(&world), order.clone());
        async move { world.change(&order, if n.is_multiple_of(2) { "paid" } else { "cancelled" }).await.0 }
    };
    let answers = (0..20).map(change).collect::<tokio::task::JoinSet<_>>().join_all().await;
    assert!(answers.iter().all(|status| matches!(status, 200 | 409)), "{answers:?}");
    let expected = if world.all("orders").await[0]["status"] == "paid" { 7 } else { 10 };
    assert_eq!(world.on_hand("A").await, expected);
}
