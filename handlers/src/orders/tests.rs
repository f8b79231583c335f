//! The order service with a real inventory behind it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    id::Ids,
    money::MAX_EXACT,
    store::orders::{Asked, AskedLine, Attempt, Content, OrderTable, Phase},
    testing::{TABLE, World, dynamodb, now},
    text::{AttemptName, IdempotencyKey, Sku},
};

/// Status, code and field of an answer.
fn told(answer: &(i64, Value)) -> (i64, &str, &str) {
    let text = |name: &str| answer.1[name].as_str().unwrap_or_default();
    (answer.0, text("error"), text("field"))
}

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
        "total": 3750, "currency": "EUR", "created_at": "2026-02-03T04:05:06.789Z", "customer": "Zoë & Sons",
    });
    assert_eq!(order, expected);
    assert_eq!(world.on_hand("A-1").await, 97);
    assert_eq!(world.get(&format!("/orders/{id}"), &[]).await, (200, order.clone()));
    assert_eq!(
        world.get("/orders", &[]).await,
        (200, json!({"orders": [order]})),
        "today, where no date is given"
    );
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

    let mut event = crate::testing::with_body(
        crate::testing::event("POST", "/orders", "orders/write"),
        r#"{"lines":[{"sku":"A","quantity":2}]}"#,
    );
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
async fn where_stock_lacks_there_is_no_order_now_or_later() {
    let world = World::new().await;
    world.load("po-1", "A", 1).await;
    let short = world.order("k", "A", 2).await;
    assert_eq!(told(&short), (409, "insufficient_stock", "lines[0].quantity"));
    let unknown = world.order("u", "nothing", 1).await;
    assert_eq!(told(&unknown), (409, "insufficient_stock", "lines[0].quantity"));
    world.load("po-2", "A", 9).await;
    world.load("po-3", "nothing", 9).await;
    assert_eq!(world.order("k", "A", 2).await, short, "the same answer");
    assert_eq!(world.order("u", "nothing", 1).await, unknown);
    assert_eq!((world.all("orders").await.len(), world.on_hand("A").await), (0, 10));
    assert_eq!(world.order("k-2", "A", 2).await.0, 201);
}

#[tokio::test]
async fn an_attempt_is_rejected_only_if_no_other_call_for_its_stock_is_open() {
    let table = OrderTable::new(dynamodb().await, TABLE.to_owned());
    let ids = Ids::default();
    let draw = || ids.draw(now()).unwrap();
    let name = |key: &str| AttemptName {
        client_id: access::ClientId::parse("c").unwrap(),
        key: IdempotencyKey::parse(key).unwrap(),
    };
    let asked =
        Asked { lines: vec![AskedLine { sku: Sku::parse("A").unwrap(), quantity: 1 }], customer: None };
    let currency = crate::money::Currency::EUR;
    let content = Content { id: draw(), lines: Vec::new(), total: 0, currency, customer: None };
    let attempt = Attempt { asked, content: content.clone(), phase: Phase::Placing };

    let (one, other) = (draw(), draw());
    assert_eq!(table.begin(&name("k"), &attempt, one).await, Ok(true));
    assert_eq!(table.begin(&name("k"), &attempt, other).await, Ok(false));
    assert_eq!(table.open_call(&name("k"), other).await, Ok(Phase::Placing));
    assert_eq!(table.reject(&name("k"), 0, one).await, Ok(Phase::Placing), "the other is on its way");
    assert_eq!(table.place(&name("k"), &content).await, Ok(Phase::Placed), "and has found stock");
    assert_eq!(table.reject(&name("k"), 0, one).await, Ok(Phase::Placed));
    assert_eq!(table.open_call(&name("k"), draw()).await, Ok(Phase::Placed));

    let content = Content { id: draw(), ..content };
    let attempt = Attempt { content: content.clone(), ..attempt };
    assert_eq!(table.begin(&name("l"), &attempt, one).await, Ok(true));
    assert_eq!(table.open_call(&name("l"), other).await, Ok(Phase::Placing));
    assert_eq!(table.reject(&name("l"), 0, one).await, Ok(Phase::Placing));
    assert_eq!(table.reject(&name("l"), 0, other).await, Ok(Phase::Rejected(0)), "the last one decides");
    assert_eq!(table.place(&name("l"), &content).await, Ok(Phase::Rejected(0)));
    assert_eq!(table.find(content.id).await, Ok(None));
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
    for (status, field) in
        [(r#"{"status":"pending"}"#, "status"), (r#"{"status":7}"#, "status"), ("{}", "status")]
    {
        let path = "/orders/0190163d-8694-739b-aea5-966c26f8ad91";
        let answer = world.send("PATCH", path, None, status).await;
        assert_eq!(told(&answer), (400, "invalid_request", field), "{status}");
        assert_eq!(world.send("PATCH", path, None, r#"{"status":"paid"}"#).await.0, 404);
    }
    for id in ["7", "%20", "ffffffff-ffff-ffff-ffff-ffffffffffff", "..", "'"] {
        assert_eq!(world.get(&format!("/orders/{id}"), &[]).await.0, 404, "{id}");
    }
}

#[tokio::test]
async fn lists_are_by_day_in_order_of_creation_and_paged() {
    let world = World::new().await;
    world.write_orders(205, "A").await;
    let placed = world.all("orders").await;
    let ids: Vec<_> = placed.iter().map(|order| order["order_id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), ids.is_sorted_by(|a, b| a < b)), (205, true));
    let (_, page) = world.get("/orders", &[("date", "2026-02-03")]).await;
    assert_eq!(page["orders"].as_array().unwrap().len(), 100);
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(world.get("/orders", &[("cursor", cursor)]).await.1["orders"][0], placed[100]);
    let tampered = cursor.to_ascii_lowercase();
    let payments = crate::cursor::encode("payments", placed[0]["order_id"].as_str().unwrap());
    let cases = [
        (vec![("cursor", tampered.as_str())], "invalid_cursor", "cursor"),
        (vec![("cursor", payments.as_str())], "invalid_cursor", "cursor"),
        (vec![("cursor", "")], "invalid_cursor", "cursor"),
        (vec![("date", "2026-02-04"), ("cursor", cursor)], "invalid_cursor", "cursor"),
        (vec![("date", "2026-02-30")], "invalid_request", "date"),
        (vec![("date", "")], "invalid_request", "date"),
        (vec![("date", "today")], "invalid_request", "date"),
    ];
    for (query, code, field) in cases {
        assert_eq!(told(&world.get("/orders", &query).await), (400, code, field), "{query:?}");
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
