//! The business case from end to end: stock, order, payment, report, each service with its own token.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, System};

struct Shop {
    system: System,
    token: String,
}

impl Shop {
    async fn open() -> Self {
        let system = System::start().await;
        let token = system.token("storefront").await;
        Self { system, token }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.system.request(Method::POST, path).bearer_auth(&self.token);
        Answer::to(request.header("Idempotency-Key", key).json(body)).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.system.get(path, &self.token).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    async fn stock(&self, sku: &str, change: i64, unit_price: i64) {
        let line = json!({ "sku": sku, "change": change, "unit_price": unit_price });
        let movement = json!({ "reference": format!("in-{sku}"), "lines": [line] });
        let answer = self.system.send(Method::POST, "/inventory", &self.token, &movement).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn an_order_is_placed_paid_and_reported() {
    let shop = Shop::open().await;
    shop.stock("A-1", 10, 1250).await;
    shop.stock("B-2", 5, 99).await;

    let lines = json!([{ "sku": "A-1", "quantity": 3 }, { "sku": "B-2", "quantity": 1 }]);
    let placed = shop.post("/orders", "order-1", &json!({ "lines": lines, "customer": "c-1" })).await;
    assert_eq!(placed.status, 201, "{}", placed.text);
    let order = placed.json();
    assert_eq!((&order["status"], &order["total"]), (&json!("pending"), &json!(3 * 1250 + 99)));
    assert_eq!(shop.get("/inventory/A-1").await["on_hand"], 7, "the order service took its stock");

    let again = shop.post("/orders", "order-1", &json!({ "lines": lines, "customer": "c-1" })).await;
    assert_eq!((again.status, again.json()), (201, order.clone()), "the same key is the same order");
    assert_eq!(shop.get("/inventory/A-1").await["on_hand"], 7);

    let id = order["order_id"].as_str().unwrap();
    let short = shop.post("/payments", "payment-0", &json!({ "order_id": id, "amount": 3848 })).await;
    assert_eq!(short.status, 409, "{}", short.text);
    let paid = shop.post("/payments", "payment-1", &json!({ "order_id": id, "amount": 3849 })).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!(shop.get(&format!("/orders/{id}")).await["status"], "paid", "the payment service said so");

    let cancelled = shop.post("/orders", "order-2", &json!({ "lines": lines })).await.json();
    let changed = format!("/orders/{}", cancelled["order_id"].as_str().unwrap());
    let status = shop.system.token("payment-service").await;
    let answer = shop.system.send(Method::PATCH, &changed, &status, &json!({ "status": "cancelled" })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(shop.get("/inventory/A-1").await["on_hand"], 7, "the stock went back");

    let (date, _) = order["created_at"].as_str().unwrap().split_once('T').unwrap();
    let answer = shop.post("/reports", "-", &json!({ "date": date })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let mut report = shop.get(&format!("/reports/{date}")).await;
    for varying in ["date", "generated_at"] {
        report[varying] = json!("[varies]");
    }
    let expected = json!({
        "date": "[varies]",
        "orders": { "count": 2, "total": 3849, "by_status": { "pending": 0, "paid": 1, "cancelled": 1 } },
        "payments": { "count": 1, "total": 3849 },
        "by_sku": [
            { "sku": "A-1", "quantity": 3, "revenue": 3750 },
            { "sku": "B-2", "quantity": 1, "revenue": 99 },
        ],
        "generated_at": "[varies]",
    });
    assert_eq!(report, expected);
}

#[tokio::test]
async fn every_service_calls_with_its_own_token() {
    let shop = Shop::open().await;
    shop.stock("A-1", 10, 100).await;
    let order =
        shop.post("/orders", "o", &json!({ "lines": [{ "sku": "A-1", "quantity": 1 }] })).await.json();
    let payment = json!({ "order_id": order["order_id"], "amount": 100 });
    assert_eq!(shop.post("/payments", "p", &payment).await.status, 201);
    let (date, _) = order["created_at"].as_str().unwrap().split_once('T').unwrap();
    assert_eq!(shop.post("/reports", "r", &json!({ "date": date })).await.status, 201);

    let log = shop.system.log();
    let callers = |route: &str| {
        let lines = log.iter().filter(|line| line["route"] == route && line["outcome"] == "answered");
        let ids: Vec<_> = lines.map(|line| line["client_id"].as_str().unwrap().to_owned()).collect();
        ids
    };
    let client = |name: &str| shop.system.client(name).client_id.clone();
    assert_eq!(callers("POST /inventory"), [client("storefront"), client("order-service")]);
    assert_eq!(callers("PATCH /orders/{id}"), [client("payment-service")]);
    assert!(callers("GET /payments").iter().all(|caller| *caller == client("report-service")));
    assert!(callers("GET /orders").contains(&client("report-service")));
}

#[tokio::test]
async fn the_schedule_reports_the_days_before() {
    let shop = Shop::open().await;
    let event = include_str!("../../events/report/schedule.json");
    shop.system.local().invoke("report", event.as_bytes().to_vec()).await.unwrap();
    for date in ["2026-01-31", "2026-01-30", "2026-01-29"] {
        assert_eq!(shop.get(&format!("/reports/{date}")).await["orders"]["count"], 0, "{date}");
    }
}
