//! The sweeps of real services.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::*;
use crate::{
    config::Config,
    entry::Entry,
    money::Currency,
    orders::Orders,
    testing::{CONTEXT, Death, World, clock, log, schedule, told},
    upstream::{Api, Call, Reply},
};

#[tokio::test]
async fn what_is_pending_for_too_long_is_cancelled_and_its_stock_given_back() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    let (_, open) = world.order("open", "A", 3).await;
    let (_, paid) = world.order("paid", "A", 2).await;
    assert_eq!(world.pay("p", &paid).await.0, 201);
    world.sweep(|| clock() + Duration::from_hours(24) - Duration::from_millis(1)).await;
    assert_eq!(world.on_hand("A").await, 5, "not yet");
    let (_, other) = world.order("other", "A", 1).await;
    let logged = world.sweep(|| clock() + Duration::from_hours(24)).await;
    let line: Value = serde_json::from_str(logged.lines().next().unwrap()).unwrap();
    let mut named: Vec<_> = line["finished_ids"].as_array().unwrap().clone();
    named.sort_by_key(Value::to_string);
    assert_eq!(named, [&open, &other].map(|order| order["order_id"].clone()), "each by its id: {logged}");
    assert_eq!(world.on_hand("A").await, 8);
    let status = async |order: &Value| {
        world.get(&format!("/orders/{}", order["order_id"].as_str().unwrap()), &[]).await.1["status"].clone()
    };
    assert_eq!((status(&open).await, status(&paid).await), (json!("cancelled"), json!("paid")));
    assert_eq!(told(&world.pay("q", &open).await), (409, "order_cancelled", "order_id"));
    assert_eq!(world.order("open", "A", 3).await.1, open, "the key's answer stays");
}

#[tokio::test]
async fn what_cannot_be_finished_for_15_minutes_is_told_apart() {
    let world = World::new().await;
    world.load("po-1", "A", 10).await;
    world.fuse.set(5, Death::Before);
    assert_eq!(world.order("k", "A", 3).await.0, 503);
    world.fuse.restart();
    assert_eq!(world.unfinished().await, 1);
    let config = Config { table_name: "orders".to_owned(), currency: Currency::EUR, order_expiry: None };
    let sweep = async |clock: fn() -> SystemTime| {
        let (log, logged) = log();
        let orders = Orders::new(world.dynamodb(), Down, config.clone());
        let event = schedule("2026-02-03T04:06:00Z").to_string();
        Entry::new(orders, clock, log).handle(event.as_bytes(), CONTEXT).await.unwrap();
        let line: Value = serde_json::from_str(&logged.lock().unwrap()).unwrap();
        (line["unfinished"].clone(), line["overdue"].clone(), line["level"].clone())
    };
    assert_eq!(sweep(|| clock() + Duration::from_mins(15)).await, (json!(1), json!(0), json!("WARN")));
    assert_eq!(sweep(|| clock() + Duration::from_secs(901)).await, (json!(1), json!(1), json!("WARN")));
}

/// An API that is down.
#[derive(Clone, Debug)]
struct Down;

impl Api for Down {
    async fn send(&self, _: Call) -> Result<Reply, ApiError> {
        Err(ApiError::unavailable("upstream_unavailable", "down"))
    }
}
