//! The report service with real orders and payments behind it.

use serde_json::{Value, json};

use crate::testing::World;

async fn run(world: &World) -> (i64, Value) {
    world.send("POST", "/reports", None, r#"{"date":"2026-02-03"}"#).await
}

#[tokio::test]
async fn a_report_adds_up_to_the_unit_and_again_to_the_current_truth() {
    let world = World::new().await;
    world.load("po-1", "A", 1000).await;
    world.load("po-2", "B", 1000).await;
    assert_eq!(world.get("/reports/2026-02-03", &[]).await.0, 404);
    world.write_orders(120, "A").await;
    let body = r#"{"lines":[{"sku":"B","quantity":2},{"sku":"A","quantity":3}]}"#;
    let (_, mixed) = world.send("POST", "/orders", Some("mixed"), body).await;
    let (_, off) = world.order("off", "B", 7).await;
    assert_eq!(world.change(&off, "cancelled").await.0, 200);
    assert_eq!(world.pay("p", &mixed).await.0, 201);
    let (status, report) = run(&world).await;
    assert_eq!(status, 201);
    insta::assert_snapshot!(report, @r#"{"by_sku":[{"quantity":123,"revenue":153750,"sku":"A"},{"quantity":2,"revenue":2500,"sku":"B"}],"date":"2026-02-03","generated_at":"2026-02-03T04:05:06.789Z","orders":{"by_status":{"cancelled":1,"paid":1,"pending":120},"count":122,"total":156250},"payments":{"count":1,"total":6250}}"#);
    assert_eq!(world.get("/reports/2026-02-03", &[]).await, (200, report));

    let orders = world.all("orders").await;
    let pending = orders.iter().find(|order| order["status"] == "pending").unwrap();
    assert_eq!(world.change(pending, "cancelled").await.0, 200);
    let (_, report) = run(&world).await;
    assert_eq!(report["orders"]["by_status"], json!({"pending": 119, "paid": 1, "cancelled": 2}));
    assert_eq!(report["orders"]["total"], 155_000);
    assert_eq!(world.get("/reports/2026-02-03", &[]).await, (200, report));
}

#[tokio::test]
async fn a_day_without_orders_has_a_report_too() {
    let world = World::new().await;
    let (status, report) = world.send("POST", "/reports", None, r#"{"date":"2020-02-29"}"#).await;
    assert_eq!((status, &report["orders"]["total"], &report["by_sku"]), (201, &json!(0), &json!([])));
}

#[tokio::test]
async fn dates_that_do_not_exist_are_refused() {
    let world = World::new().await;
    for body in [r#"{"date":"2026-02-30"}"#, r#"{"date":20260203}"#, r#"{"date":null}"#, "{}"] {
        let (status, answer) = world.send("POST", "/reports", None, body).await;
        assert_eq!((status, &answer["field"]), (400, &json!("date")), "{body}");
    }
    let (status, answer) = world.get("/reports/2026-02-30", &[]).await;
    assert_eq!((status, &answer["field"]), (400, &json!("date")));
}

#[tokio::test]
async fn the_schedule_reports_the_day_before() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    assert_eq!(world.order("k", "A", 2).await.0, 201);
    let event = json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-02-04T00:05:00Z",
        "region": "eu-central-1", "resources": [], "detail": {},
    });
    let answer = world.reports.handle(event.to_string().as_bytes(), "i").await.unwrap();
    assert_eq!(answer, b"null");
    let (status, report) = world.get("/reports/2026-02-03", &[]).await;
    assert_eq!((status, &report["orders"]["total"]), (200, &json!(2500)));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_makes_no_report() {
    use crate::testing::Death;
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    assert_eq!(world.order("k", "A", 2).await.0, 201);
    for steps in 0..20 {
        world.fuse.set(steps, Death::Before);
        let (status, answer) = run(&world).await;
        if !world.fuse.restart() {
            assert_eq!(status, 201);
            return;
        }
        assert!(status >= 500, "{status}");
        assert_eq!(answer["error"], "internal_error");
        assert_eq!(world.get("/reports/2026-02-03", &[]).await.0, 404, "nothing half-written");
    }
    panic!("a report is more than twenty steps");
}
