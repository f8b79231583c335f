//! The inventory service on an embedded DynamoDB, as events and called directly.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::{
    entry::Entry,
    testing::{CONTEXT, TABLE, World, clock, dynamodb, event, invocation, log, read, with_body},
};

async fn inventory() -> Inventory {
    let config = Config { table_name: TABLE.to_owned(), currency: Currency::EUR, order_expiry: None };
    Inventory::new(dynamodb().await, config)
}

fn movement(reference: &str, lines: &[(&str, i64)]) -> NewMovement {
    let line = |(sku, change): &(&str, i64)| json!({"sku": sku, "change": change, "unit_price": 1250});
    let lines: Vec<Value> = lines.iter().map(line).collect();
    serde_json::from_value(json!({"reference": reference, "lines": lines})).unwrap()
}

/// Status, code and field of what was refused; status 200 and the stock of each line of what was done.
async fn apply(inventory: &Inventory, reference: &str, lines: &[(&str, i64)]) -> Result<Vec<i64>, String> {
    match inventory.apply("c", movement(reference, lines), &invocation()).await {
        Ok(moved) => Ok(moved.lines.iter().map(|line| line.on_hand).collect()),
        Err(error) => {
            Err(format!("{} {} {}", error.status, error.label, error.field.as_deref().unwrap_or("-")))
        }
    }
}

async fn on_hand(inventory: &Inventory, sku: &str) -> i64 {
    inventory.find(sku).await.map_or(0, |item| item.on_hand)
}

async fn post(entry: &Entry<Inventory>, body: impl Into<String>) -> (i64, Value) {
    let event = with_body(event("POST", "/inventory", "inventory/write"), body);
    read(&entry.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap())
}

#[tokio::test]
async fn the_documented_calls_answer_as_documented() {
    let entry = Entry::new(inventory().await, clock, log().0);
    let get = async |resource: &str, sku: Option<&str>| {
        let mut event = event("GET", resource, "inventory/read");
        event["pathParameters"] = json!(sku.map(|sku| json!({ "sku": sku })));
        read(&entry.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap())
    };
    let (status, body) =
        post(&entry, r#"{"reference":"po-1","lines":[{"sku":"A-1","change":100,"unit_price":1250}]}"#).await;
    assert_eq!(
        (status, body),
        (200, json!({"reference": "po-1", "lines": [{"sku": "A-1", "on_hand": 100}]}))
    );
    let item = json!({"sku": "A-1", "on_hand": 100, "unit_price": 1250, "currency": "EUR"});
    assert_eq!(get("/inventory", None).await, (200, json!({"items": [item]})));
    assert_eq!(get("/inventory/{sku}", Some("A-1")).await, (200, item.clone()));
    assert_eq!(get("/inventory/{sku}", Some("A%2D1")).await, (200, item), "as API Gateway hands it over");
    for sku in ["A-2", "a-1", "no such/sku", "", "A%252D1", "A%2"] {
        let (status, body) = get("/inventory/{sku}", Some(sku)).await;
        assert_eq!((status, &body["error"]), (404, &json!("not_found")), "{sku}");
    }
}

#[tokio::test]
async fn bad_movements_are_4xx_that_name_the_field_and_write_nothing() {
    let entry = Entry::new(inventory().await, clock, log().0);
    let line = |line: &str| format!(r#"{{"reference":"r","lines":[{{"sku":"A","change":1}},{line}]}}"#);
    let change = |text: &str| line(&format!(r#"{{"sku":"B","change":{text}}}"#));
    let price = |text: &str| line(&format!(r#"{{"sku":"B","change":1,"unit_price":{text}}}"#));
    let many = |count: usize| {
        let lines: Vec<_> = (0..count).map(|n| json!({"sku": format!("M{n}"), "change": 1})).collect();
        json!({"reference": "many", "lines": lines}).to_string()
    };
    let cases = [
        ("zero", change("0"), "lines[1].change"),
        ("fraction", change("1.5"), "lines[1].change"),
        ("not a number", change("NaN"), "lines[1].change"),
        ("beyond what JSON keeps exact", change("9007199254740992"), "lines[1].change"),
        ("below it", change("-9007199254740992"), "lines[1].change"),
        ("smallest integer", change("-9223372036854775808"), "lines[1].change"),
        ("negative price", price("-1"), "lines[1].unit_price"),
        ("price a text", price("\"1\""), "lines[1].unit_price"),
        ("the same SKU twice", line(r#"{"sku":"A","change":1}"#), "lines[1].sku"),
        ("an odd SKU", line(r#"{"sku":"A B","change":1}"#), "lines[1].sku"),
        ("unknown member", line(r#"{"sku":"B","change":1,"price":1}"#), "lines[1].price"),
        ("no reference", r#"{"lines":[{"sku":"A","change":1}]}"#.into(), "reference"),
        ("empty reference", r#"{"reference":"","lines":[{"sku":"A","change":1}]}"#.into(), "reference"),
        ("no lines", r#"{"reference":"r","lines":[]}"#.into(), "lines"),
        ("a hundred lines", many(100), "lines"),
        ("ten thousand lines", many(10_000), "lines"),
    ];
    for (name, body, field) in cases {
        let (status, body) = post(&entry, body).await;
        assert_eq!((status, &body["field"]), (400, &json!(field)), "{name}: {body}");
    }
    let mut list = event("GET", "/inventory", "inventory/read");
    let items = |answer: Box<RawValue>| read(&answer).1["items"].as_array().unwrap().len();
    assert_eq!(items(entry.handle(list.to_string().as_bytes(), CONTEXT).await.unwrap()), 0);
    assert_eq!(post(&entry, many(99)).await.0, 200);
    assert_eq!(items(entry.handle(list.to_string().as_bytes(), CONTEXT).await.unwrap()), 99);
    list["queryStringParameters"] = json!({"cursor": "x"});
    let (status, body) = read(&entry.handle(list.to_string().as_bytes(), CONTEXT).await.unwrap());
    assert_eq!((status, &body["error"], &body["field"]), (400, &json!("invalid_cursor"), &json!("cursor")));
}

#[tokio::test]
async fn a_movement_happens_whole_or_not_at_all() {
    let inventory = inventory().await;
    assert_eq!(apply(&inventory, "in", &[("A", 10), ("B", 5)]).await, Ok(vec![10, 5]));
    let short = |line: &str| Err(format!("409 insufficient_stock {line}"));
    assert_eq!(apply(&inventory, "out-1", &[("A", -3), ("B", -6)]).await, short("lines[1].change"));
    assert_eq!(
        apply(&inventory, "out-2", &[("A", -3), ("C", -1)]).await,
        short("lines[1].change"),
        "unknown"
    );
    assert_eq!(apply(&inventory, "out-3", &[("A", -11), ("B", -6)]).await, short("lines[0].change"));
    assert_eq!((on_hand(&inventory, "A").await, on_hand(&inventory, "B").await), (10, 5));
    assert_eq!(apply(&inventory, "out-4", &[("A", -10), ("B", -5)]).await, Ok(vec![0, 0]));
    let full = apply(&inventory, "up", &[("A", MAX_EXACT), ("B", 1)]).await;
    assert_eq!(full, Ok(vec![MAX_EXACT, 1]));
    let over = apply(&inventory, "over", &[("B", 1), ("A", 1)]).await;
    assert_eq!(over, Err("409 stock_limit lines[1].change".into()));
    assert_eq!(on_hand(&inventory, "B").await, 1);
}

#[tokio::test]
async fn the_same_reference_changes_nothing_and_answers_the_same() {
    let inventory = inventory().await;
    assert_eq!(apply(&inventory, "r", &[("A", 10)]).await, Ok(vec![10]));
    assert_eq!(apply(&inventory, "other", &[("A", 5)]).await, Ok(vec![15]));
    assert_eq!(apply(&inventory, "r", &[("A", 10)]).await, Ok(vec![10]), "as it was answered then");
    assert_eq!(on_hand(&inventory, "A").await, 15);
    let reused = Err("409 reference_reused reference".to_owned());
    assert_eq!(apply(&inventory, "r", &[("A", 11)]).await, reused);
    assert_eq!(apply(&inventory, "r", &[("B", 10)]).await, reused);
    assert_eq!(apply(&inventory, "r", &[("A", -99)]).await, reused, "whatever the stock");
    assert_eq!(on_hand(&inventory, "A").await, 15);
}

#[tokio::test]
async fn a_refusal_is_written_down_under_its_reference() {
    let inventory = inventory().await;
    let short = Err("409 insufficient_stock lines[0].change".to_owned());
    assert_eq!(apply(&inventory, "r", &[("A", -1)]).await, short);
    assert_eq!(apply(&inventory, "in", &[("A", 5)]).await, Ok(vec![5]));
    assert_eq!(apply(&inventory, "r", &[("A", -1)]).await, short, "whatever is stocked later");
    let reused = Err("409 reference_reused reference".to_owned());
    assert_eq!(apply(&inventory, "r", &[("A", -2)]).await, reused);
    let other = inventory.apply("d", movement("r", &[("A", -1)]), &invocation()).await.unwrap();
    assert_eq!(other.lines[0].on_hand, 4, "another client's reference is another one");
}

#[tokio::test]
async fn items_can_be_asked_for_by_name() {
    let entry = Entry::new(inventory().await, clock, log().0);
    let body = r#"{"reference":"r","lines":[{"sku":"A","change":1,"unit_price":7},{"sku":"B","change":2}]}"#;
    assert_eq!(post(&entry, body).await.0, 200);
    let get = async |skus: Vec<String>| {
        let mut event = event("GET", "/inventory", "inventory/read");
        event["multiValueQueryStringParameters"] = json!({ "sku": skus });
        read(&entry.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap())
    };
    let (status, page) = get(["B", "none", "A", "B"].map(str::to_owned).into()).await;
    let items = json!([
        {"sku": "B", "on_hand": 2, "unit_price": null, "currency": "EUR"},
        {"sku": "A", "on_hand": 1, "unit_price": 7, "currency": "EUR"},
    ]);
    assert_eq!((status, page), (200, json!({ "items": items })));
    assert_eq!(get((0..100).map(|n| format!("S{n}")).collect()).await, (200, json!({"items": []})));
    for bad in [(0..101).map(|n| format!("S{n}")).collect(), vec![String::new()], vec!["a/b".to_owned()]] {
        let (status, body) = get(bad).await;
        assert_eq!((status, &body["field"]), (400, &json!("sku")));
    }
}

#[tokio::test]
async fn a_price_changes_without_moving_stock() {
    let inventory = inventory().await;
    let line = json!({"sku": "A", "change": 0, "unit_price": 9});
    for (reference, on_hand) in [("1", 0), ("2", 3)] {
        let movement = json!({"reference": reference, "lines": [line]});
        let moved =
            inventory.apply("c", serde_json::from_value(movement).unwrap(), &invocation()).await.unwrap();
        assert_eq!(moved.lines[0].on_hand, on_hand);
        if on_hand == 0 {
            apply(&inventory, "in", &[("A", 3)]).await.unwrap();
        }
    }
    assert_eq!(inventory.find("A").await.unwrap().unit_price, Some(9));
}

#[tokio::test]
async fn a_price_stays_until_another_is_set() {
    let inventory = inventory().await;
    let set = async |reference: &str, price: Value| {
        let line = json!({"sku": "A", "change": 1, "unit_price": price});
        let movement = json!({"reference": reference, "lines": [line]});
        inventory.apply("c", serde_json::from_value(movement).unwrap(), &invocation()).await.unwrap();
        inventory.find("A").await.unwrap().unit_price
    };
    assert_eq!(set("1", Value::Null).await, None);
    assert_eq!(set("2", json!(1250)).await, Some(1250));
    assert_eq!(set("3", Value::Null).await, Some(1250));
    assert_eq!(set("4", json!(0)).await, Some(0));
}

#[tokio::test]
async fn pages_list_every_sku_once() {
    let inventory = inventory().await;
    let skus: Vec<String> = (0..250).map(|n| format!("S{n:03}")).collect();
    for (n, chunk) in skus.chunks(99).enumerate() {
        let lines: Vec<_> = chunk.iter().rev().map(|sku| (sku.as_str(), 1)).collect();
        apply(&inventory, &format!("load-{n}"), &lines).await.unwrap();
    }
    for limit in [7, 50, PAGE] {
        let (mut listed, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
        loop {
            let page = inventory.list(cursor.as_deref(), limit).await.unwrap();
            assert!(page.items.is_sorted_by(|one, other| one.sku < other.sku), "a page is in order");
            sizes.push(page.items.len());
            listed.extend(page.items.into_iter().map(|item| item.sku.to_string()));
            let Some(next) = page.next_cursor else { break };
            cursor = Some(next);
        }
        listed.sort_unstable();
        assert_eq!(listed, skus);
        // Nothing follows a full page that is the last one.
        assert_eq!(
            sizes,
            [vec![limit; 250 / limit], vec![250 % limit; usize::from(250 % limit > 0)]].concat()
        );
    }
}

#[tokio::test]
async fn a_list_of_the_inventory_is_one_call_and_one_of_a_day_one_for_each_part() {
    let world = World::new().await;
    for full in [false, true] {
        world.fuse.operations();
        assert_eq!(world.get("/inventory", &[]).await.0, 200);
        assert_eq!(world.get("/inventory", &[("limit", "5")]).await.0, 200);
        assert_eq!(world.fuse.operations(), ["Scan"; 2], "{full}");
        assert_eq!(world.get("/inventory", &[("sku", "S0"), ("sku", "S1")]).await.0, 200);
        assert_eq!(world.fuse.operations(), ["BatchGetItem"], "{full}");
        assert_eq!(world.get("/orders", &[]).await.0, 200);
        assert_eq!(world.fuse.operations(), ["Query"; 8], "{full}");
        assert_eq!(world.get("/orders", &[("part", "3")]).await.0, 200);
        assert_eq!(world.fuse.operations(), ["Query"], "{full}");
        for number in 0..20 {
            world.load(&format!("r{number}"), &format!("S{number}"), 9).await;
        }
        world.write_orders(20, |_, _| {}).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_movements_never_sell_below_zero() {
    let inventory = Arc::new(inventory().await);
    apply(&inventory, "load", &[("A", 10), ("B", 1000)]).await.unwrap();
    let sell = |n: usize| {
        let inventory = Arc::clone(&inventory);
        async move { apply(&inventory, &format!("sale-{n}"), &[("B", -1), ("A", -1)]).await }
    };
    let sales: tokio::task::JoinSet<_> = (0..50).map(sell).collect();
    let outcomes = sales.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 10);
    let short = Err("409 insufficient_stock lines[1].change".to_owned());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == short).count(), 40);
    assert_eq!((on_hand(&inventory, "A").await, on_hand(&inventory, "B").await), (0, 990));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_movements_of_one_reference_are_one() {
    let inventory = Arc::new(inventory().await);
    let load = |_| {
        let inventory = Arc::clone(&inventory);
        async move { apply(&inventory, "load", &[("A", 7)]).await }
    };
    let loads: tokio::task::JoinSet<_> = (0..20).map(load).collect();
    assert_eq!(loads.join_all().await, vec![Ok(vec![7]); 20]);
    assert_eq!(on_hand(&inventory, "A").await, 7);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn stock_is_the_sum_of_what_was_answered_ok(
        movements in prop::collection::vec((0..12u8, prop::collection::btree_map("[ABC]", -6..8i64, 1..3)), 1..15)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let inventory = inventory().await;
            let mut applied = std::collections::BTreeMap::new();
            let mut refused = std::collections::BTreeSet::new();
            for (reference, changes) in movements {
                let lines: Vec<_> = changes.iter().filter(|(_, change)| **change != 0).map(|(sku, change)| (sku.as_str(), *change)).collect();
                if lines.is_empty() {
                    continue;
                }
                let outcome = apply(&inventory, &reference.to_string(), &lines).await;
                let first = applied.get(&reference).cloned();
                assert!(outcome.is_err() || !refused.contains(&reference), "refused before");
                match (outcome, first) {
                    (Ok(_), None) => {
                        let lines: Vec<_> = lines.iter().map(|(sku, change)| ((*sku).to_owned(), *change)).collect();
                        applied.insert(reference, lines);
                    }
                    (Ok(_), Some(first)) => assert!(first.iter().map(|(s, c)| (s.as_str(), *c)).eq(lines)),
                    (Err(error), first) => {
                        assert!(error.starts_with("409"), "{error}");
                        if first.is_none() {
                            refused.insert(reference);
                        }
                    }
                }
                for sku in ["A", "B", "C"] {
                    let sum: i64 = applied.values().flatten().filter(|(s, _)| s == sku).map(|(_, c)| c).sum();
                    assert_eq!(on_hand(&inventory, sku).await, sum);
                }
            }
        });
    }
}
