//! Lists over several pages: every item once, in the order of creation, and cursors that are valid only unchanged.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, System};

/// More than one page of a hundred.
const MANY: usize = 130;

/// The length of every page of a list, and all items.
async fn pages(system: &System, token: &str, path: &str, member: &str) -> (Vec<usize>, Vec<Value>) {
    let (mut lengths, mut all, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = system.get(&format!("{path}{cursor}"), token).await;
        assert_eq!(page.status, 200, "{path}{cursor}: {}", page.text);
        let page = page.json();
        let items = page[member].as_array().unwrap();
        lengths.push(items.len());
        all.extend(items.iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return (lengths, all) };
        let separator = if path.contains('?') { '&' } else { '?' };
        cursor = format!("{separator}cursor={next}");
    }
}

fn texts<'a>(items: &'a [Value], member: &str) -> Vec<&'a str> {
    items.iter().map(|item| item[member].as_str().unwrap()).collect()
}

async fn post(system: &System, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = system.request(Method::POST, path).bearer_auth(token);
    let answer = Answer::to(request.header("idempotency-key", key).json(body)).await;
    assert!([200, 201].contains(&answer.status), "{path}: {}", answer.text);
    answer
}

/// A system without throttling, since these tests make more calls at once than a client's plan allows.
async fn open() -> (System, String) {
    let template = include_str!("../../template.yaml");
    let lines = template.lines().map(|line| match line.split_once("Limit: ") {
        Some((name, _)) if name.ends_with("Rate") || name.ends_with("Burst") => {
            format!("{name}Limit: 100000000")
        }
        _ => line.to_owned(),
    });
    let unthrottled = lines.collect::<Vec<_>>().join("\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    std::fs::write(&path, unthrottled).unwrap();
    std::fs::write(folder.path().join("routes.json"), include_str!("../../routes.json")).unwrap();
    let system = System::start_with(|options| options.template = path).await;
    let token = system.token("storefront").await;
    (system, token)
}

#[tokio::test]
async fn stock_is_listed_once_over_all_pages() {
    let (system, token) = open().await;
    let mut skus: Vec<String> = (0..150).map(|number| format!("S-{:03}", (number * 37) % 150)).collect();
    // A movement holds at most 99 lines.
    for (half, skus) in skus.chunks(75).enumerate() {
        let lines: Vec<_> =
            skus.iter().map(|sku| json!({ "sku": sku, "change": 1, "unit_price": 1 })).collect();
        post(
            &system,
            &token,
            "/inventory",
            "-",
            &json!({ "reference": format!("in-{half}"), "lines": lines }),
        )
        .await;
    }
    skus.sort();
    let (lengths, items) = pages(&system, &token, "/inventory", "items").await;
    assert_eq!(lengths, [100, 50]);
    let mut listed = texts(&items, "sku");
    // The pages themselves are in no order.
    listed.sort_unstable();
    assert_eq!(listed, skus);
}

#[tokio::test]
async fn orders_and_payments_are_listed_as_they_were_made_over_all_pages() {
    let (system, token) = open().await;
    let stock = json!({ "reference": "in", "lines": [{ "sku": "A-1", "change": MANY, "unit_price": 5 }] });
    post(&system, &token, "/inventory", "-", &stock).await;
    let (mut orders, mut payments) = (Vec::new(), Vec::new());
    for number in 0..MANY {
        let body = json!({ "lines": [{ "sku": "A-1", "quantity": 1 }] });
        orders.push(post(&system, &token, "/orders", &format!("o-{number}"), &body).await.json());
    }
    for (number, order) in orders.iter().enumerate() {
        let body = json!({ "order_id": order["order_id"], "amount": 5 });
        payments.push(post(&system, &token, "/payments", &format!("p-{number}"), &body).await.json());
    }
    // A run over midnight creates items on two days.
    for (list, id, made) in [("orders", "order_id", &orders), ("payments", "payment_id", &payments)] {
        let days: BTreeSet<_> = texts(made, "created_at").iter().map(|at| &at[..10]).collect();
        let mut listed = Vec::new();
        for day in &days {
            let (lengths, items) = pages(&system, &token, &format!("/{list}?date={day}"), list).await;
            if days.len() == 1 {
                assert_eq!(
                    lengths,
                    [100, MANY - 100, 0],
                    "{list}: behind the last of them there is nothing yet"
                );
            }
            listed.extend(items);
        }
        assert_eq!(texts(&listed, id), texts(made, id), "{list}");
    }

    // Paid meanwhile, the order that was made first still comes first.
    let day = &texts(&orders, "created_at")[0][..10];
    let first = system.get(&format!("/orders?date={day}"), &token).await.json();
    assert_eq!(
        (&first["orders"][0]["status"], &first["orders"][0]["order_id"]),
        (&json!("paid"), &orders[0]["order_id"])
    );

    // A cursor is valid only unchanged, and only for its list.
    let cursor = first["next_cursor"].as_str().unwrap();
    let refused = async |list: &str, cursor: &str| {
        let answer = system.get(&format!("/{list}?date={day}&cursor={cursor}"), &token).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("cursor")), "{list} {cursor}");
    };
    for (at, kept) in cursor.char_indices() {
        let other = if kept == 'A' { 'B' } else { 'A' };
        refused("orders", &format!("{}{other}{}", &cursor[..at], &cursor[at + kept.len_utf8()..])).await;
    }
    refused("orders", &cursor[1..]).await;
    refused("orders", &cursor[..cursor.len() - 4]).await;
    refused("orders", &format!("{cursor}AAAA")).await;
    refused("payments", cursor).await;
    let answer = system.get(&format!("/orders?date=2020-01-01&cursor={cursor}"), &token).await;
    assert_eq!(answer.status, 400, "a cursor of another day: {}", answer.text);
}
