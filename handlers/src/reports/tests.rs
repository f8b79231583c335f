//! The report service with real orders and payments behind it.

use serde_json::{Value, json};

use super::*;

use crate::testing::{CONTEXT, Death, World, clock, schedule};

async fn run(world: &World) -> (i64, Value) {
    world.send("POST", "/reports", None, r#"{"date":"2026-02-03"}"#).await
}

#[tokio::test]
async fn a_report_adds_up_to_the_unit_and_again_to_the_current_truth() {
    let world = World::new().await;
    world.load("po-1", "A", 1000).await;
    world.load("po-2", "B", 1000).await;
    assert_eq!(world.get("/reports/2026-02-03", &[]).await.0, 404);
    world.write_orders(120, |_, _| {}).await;
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
async fn the_schedule_reports_the_three_days_before() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    assert_eq!(world.order("k", "A", 2).await.0, 201);
    let event = schedule("2026-02-04T00:05:00Z");
    let answer = world.reports.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap();
    assert_eq!(answer.get(), "null");
    let (status, report) = world.get("/reports/2026-02-03", &[]).await;
    assert_eq!((status, &report["orders"]["total"]), (200, &json!(2500)));
    assert_eq!(world.get("/reports/2026-02-04", &[]).await.0, 404);
    assert_eq!(world.get("/reports/2026-02-02", &[]).await.0, 200);
    assert_eq!(report["payments"], json!({"count": 0, "total": 0}));
    // What is finished late is in the report of its day: an order, and money whose payment was interrupted.
    let (status, late) = world.order("late", "A", 1).await;
    assert_eq!(status, 201);
    world.fuse.set(6, Death::Before);
    assert!(world.pay("p", &late).await.0 >= 500);
    assert!(world.fuse.restart());
    assert_eq!((world.unfinished().await, world.all("payments").await.len()), (1, 0));
    world.sweep(clock).await;
    let event = schedule("2026-02-06T00:05:00Z");
    world.reports.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap();
    let (_, report) = world.get("/reports/2026-02-03", &[]).await;
    assert_eq!(
        (&report["orders"]["total"], &report["payments"]),
        (&json!(3750), &json!({"count": 1, "total": 1250}))
    );
}

#[tokio::test]
async fn a_report_does_not_fail_for_what_others_wrote() {
    let world = World::new().await;
    let largest = (1_u64 << 53) - 1;
    world
        .write_orders(100, |number, order| {
            let line =
                |line| json!({"sku": format!("{number:03}{line:061}"), "quantity": 1, "unit_price": 25});
            order["lines"] = (0..50).map(line).collect();
            match number {
                0 => order["status"] = json!("shipped"),
                1..4 => {
                    order["lines"] = json!([{"sku": "dear", "quantity": 1, "unit_price": largest}]);
                    order["total"] = json!(largest);
                }
                _ => {}
            }
        })
        .await;
    let (status, report) = run(&world).await;
    assert_eq!(status, 201);
    assert_eq!(
        report["orders"]["by_status"],
        json!({"pending": 99, "paid": 0, "cancelled": 0, "shipped": 1})
    );
    assert_eq!(report["by_sku"].as_array().unwrap().len(), 97 * 50 + 1);
    assert!(report.to_string().len() > 400 * 1024, "more than an item may have");
    let (_, stored) = world.get("/reports/2026-02-03", &[]).await;
    assert_eq!(stored, report);
    let event = crate::testing::event("GET", "/reports/{date}", "reports/read");
    let event = {
        let mut event = event;
        event["pathParameters"] = json!({"date": "2026-02-03"});
        event
    };
    let answer = world.reports.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap();
    let text = answer.get();
    let exact = u128::from(largest) * 3;
    assert!(text.contains(&format!(r#"\"sku\":\"dear\",\"quantity\":3,\"revenue\":{exact}"#)));
    assert!(text.contains(&format!(r#"\"total\":{}"#, exact + 97 * 1250)));
    // A page of the day shows the status as it stands.
    assert!(world.all("orders").await.iter().any(|order| order["status"] == "shipped"));
}

#[tokio::test]
async fn more_skus_than_one_answer_names_are_paged() {
    let sold =
        |number: u32| Sold { sku: Sku::parse(format!("{number:06}")).unwrap(), quantity: 1, revenue: 1 };
    let sums = Sums {
        date: Day::of(crate::testing::now()),
        orders: OrderTotals::default(),
        payments: Totals::default(),
        generated_at: String::new(),
    };
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = Report::page(sums.clone(), (0..50_000).map(sold).collect(), after.take());
        pages.push(page.by_sku.len());
        let Some(next) = page.next_cursor else { break };
        after = Some(cursor::decode(LIST, &next, |sku| Sku::parse(sku).ok()).unwrap());
    }
    assert_eq!(pages, [20_000, 20_000, 10_000]);
}

/// 100,000 orders and 70,000 payments: minutes in a debug build, so only where it is asked for.
#[tokio::test]
#[ignore = "minutes long; cargo test --release -p handlers --lib -- --ignored a_large_day"]
async fn a_large_day_is_reported_in_memory_that_does_not_grow_with_it() {
    let world = World::new().await;
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default().to_owned();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0)
    };
    world.write_orders(100_000, |_, _| {}).await;
    world.write_payments(70_000).await;
    let before = resident();
    // By the schedule, which has 15 minutes, where a request has 28 seconds.
    let event = schedule("2026-02-04T00:15:00Z").to_string();
    world.reports.handle(event.as_bytes(), CONTEXT).await.unwrap();
    assert!(resident() < before + 64 * 1024, "{before} KiB before, {} after", resident());
    let (status, report) = world.get("/reports/2026-02-03", &[]).await;
    assert_eq!((status, &report["orders"]["count"]), (200, &json!(100_000)));
    assert_eq!(
        (&report["payments"]["count"], &report["payments"]["total"]),
        (&json!(70_000), &json!(87_500_000))
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_makes_no_report() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    assert_eq!(world.order("k", "A", 2).await.0, 201);
    for steps in 0..60 {
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
    panic!("a report is more than sixty steps");
}
