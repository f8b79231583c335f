//! The payment service with real orders behind it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::testing::{World, told};

/// A world with one order of three.
async fn ordered() -> (World, Value) {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    let (status, order) = world.order("k", "A", 3).await;
    assert_eq!(status, 201);
    (world, order)
}

#[tokio::test]
async fn the_documented_calls_answer_as_documented() {
    let (world, order) = ordered().await;
    let (status, payment) = world.pay("p", &order).await;
    let id = payment["payment_id"].as_str().unwrap();
    let expected = json!({
        "payment_id": id, "order_id": order["order_id"], "amount": 3750, "currency": "EUR", "status": "settled",
        "created_by": "storefront", "created_at": "2026-02-03T04:05:06.789Z",
        "updated_at": "2026-02-03T04:05:06.789Z",
    });
    assert_eq!((status, &payment), (201, &expected));
    assert_eq!(world.get(&format!("/payments/{id}"), &[]).await, (200, payment.clone()));
    let (_, page) = world.get("/payments", &[("date", "2026-02-03")]).await;
    assert_eq!(page["payments"], json!([payment]));
    let (_, paid) = world.get(&format!("/orders/{}", order["order_id"].as_str().unwrap()), &[]).await;
    assert_eq!((&paid["status"], &paid["payment_id"]), (&json!("paid"), &payment["payment_id"]));
    assert_eq!(paid["paid_at"], "2026-02-03T04:05:06.789Z");
    assert_eq!(world.get("/payments/7", &[]).await.0, 404);
    assert_eq!(
        told(&world.get("/payments", &[("date", "2026-13-01")]).await),
        (400, "invalid_request", "date")
    );
}

#[tokio::test]
async fn a_payment_that_does_not_fit_is_refused_and_reserves_nothing() {
    let (world, order) = ordered().await;
    let pay = async |changes: Value| {
        let mut body = json!({"order_id": order["order_id"], "amount": 3750});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        world.send("POST", "/payments", Some("p"), body.to_string()).await
    };
    let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
    let cases = [
        ("too little", json!({"amount": 3749}), (409, "amount_mismatch", "amount")),
        ("too much", json!({"amount": 3751}), (409, "amount_mismatch", "amount")),
        ("nothing", json!({"amount": 0}), (409, "amount_mismatch", "amount")),
        ("another currency", json!({"currency": "USD"}), (409, "amount_mismatch", "currency")),
        ("no currency", json!({"currency": "euro"}), (400, "invalid_request", "currency")),
        ("negative", json!({"amount": -3750}), (400, "invalid_request", "amount")),
        ("a fraction", json!({"amount": 3750.5}), (400, "invalid_request", "amount")),
        ("a text", json!({"amount": "3750"}), (400, "invalid_request", "amount")),
        ("no such order", json!({"order_id": unknown}), (404, "order_not_found", "order_id")),
        ("no order id", json!({"order_id": "../inventory"}), (400, "invalid_request", "order_id")),
        ("a status of one's own", json!({"status": "settled"}), (400, "invalid_request", "status")),
    ];
    for (name, changes, expected) in cases {
        assert_eq!(told(&pay(changes).await), expected, "{name}");
    }
    assert_eq!(world.all("payments").await.len(), 0);
    assert_eq!(pay(json!({"currency": "EUR"})).await.0, 201, "the key is not used up");
}

#[tokio::test]
async fn an_order_has_one_payment_and_a_key_one_answer() {
    let (world, order) = ordered().await;
    let first = world.pay("p", &order).await;
    assert_eq!(first.0, 201);
    assert_eq!(world.pay("p", &order).await, first);
    assert_eq!(told(&world.pay("q", &order).await), (409, "already_paid", "order_id"));
    let (_, another) = world.order("k-2", "A", 3).await;
    let reused = world.pay("p", &another).await;
    assert_eq!(told(&reused), (409, "idempotency_key_reused", "Idempotency-Key"));
    assert_eq!(world.all("payments").await.len(), 1);
    assert_eq!(world.all("orders").await[1]["status"], "pending");
}

#[tokio::test]
async fn an_order_that_another_set_to_paid_has_no_payment() {
    let (world, order) = ordered().await;
    assert_eq!(world.change(&order, "paid").await.0, 200);
    let refused = world.pay("p", &order).await;
    assert_eq!(told(&refused), (409, "already_paid", "order_id"));
    assert_eq!(world.pay("p", &order).await, refused, "final for the key");
    assert_eq!(world.all("payments").await.len(), 0);
}

#[tokio::test]
async fn a_cancelled_order_takes_no_payment() {
    let (world, order) = ordered().await;
    assert_eq!(world.change(&order, "cancelled").await.0, 200);
    let refused = world.pay("p", &order).await;
    assert_eq!(told(&refused), (409, "order_cancelled", "order_id"));
    assert_eq!(world.pay("p", &order).await, refused);
    assert_eq!((world.all("payments").await.len(), world.on_hand("A").await), (0, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_payments_are_one() {
    for is_same_key in [true, false] {
        let (world, order) = ordered().await;
        let world = Arc::new(world);
        let pay = |n: usize| {
            let (world, order) = (Arc::clone(&world), order.clone());
            async move { world.pay(&if is_same_key { "p".to_owned() } else { format!("p-{n}") }, &order).await }
        };
        let answers = (0..20).map(pay).collect::<tokio::task::JoinSet<_>>().join_all().await;
        let settled: Vec<_> = answers.iter().filter(|answer| answer.0 == 201).collect();
        assert_eq!(settled.len(), if is_same_key { 20 } else { 1 }, "{answers:?}");
        assert!(settled.iter().all(|answer| *answer == settled[0]));
        assert!(
            answers.iter().all(|answer| answer.0 == 201 || told(answer).1 == "already_paid"),
            "{answers:?}"
        );
        assert_eq!(world.all("payments").await, vec![settled[0].1.clone()]);
        assert_eq!(world.all("orders").await[0]["status"], "paid");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_paid_and_cancelled_at_once_ends_as_one_of_them() {
    for _ in 0..5 {
        let (world, order) = ordered().await;
        let (paid, cancelled) = tokio::join!(world.pay("p", &order), world.change(&order, "cancelled"));
        assert_ne!(paid.0 == 201, cancelled.0 == 200, "{paid:?} {cancelled:?}");
        let (payments, stock) = (world.all("payments").await.len(), world.on_hand("A").await);
        assert_eq!((payments, stock), if paid.0 == 201 { (1, 7) } else { (0, 10) });
    }
}
