//! Pages of a day, by themselves and through the order service.

use serde_json::{Value, json};

use super::*;
use crate::testing::{TABLE, World, dynamodb, told};

#[tokio::test]
async fn pages_of_all_parts_have_every_thing_once_in_order() {
    let table = Table::new(dynamodb().await, TABLE.to_owned());
    let id = |thing: &Value| Id::parse(thing["id"].as_str().unwrap()).unwrap();
    let mut ids = Vec::new();
    for number in 0..60 {
        // Nearly all in one part: pages end where that one was read to.
        let part = if number % 10 == 0 { 0 } else { 3 };
        let id = Id::parse(&format!("019c2192-3f15-7000-8000-{number:010x}{part:02x}")).unwrap();
        table.put(&item_key(id), &json!({ "id": id })).await.unwrap();
        ids.push(id);
    }
    for limit in [1, 7, 40, 500] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = PageOfDay { list: "l", day: ids[0].day(), after, limit, part: None };
            let (things, next_cursor) = page.read(&table, id).await.unwrap();
            assert!(things.len() <= limit);
            found.extend(things.iter().map(id));
            after = found.last().copied();
            if next_cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, ids, "{limit}");
    }
}

#[tokio::test]
async fn lists_are_by_day_in_order_of_creation_and_paged() {
    let world = World::new().await;
    world.write_orders(205, |_, _| {}).await;
    let placed = world.all("orders").await;
    let ids: Vec<_> = placed.iter().map(|order| order["order_id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), ids.is_sorted_by(|a, b| a < b)), (205, true));
    let (_, page) = world.get("/orders", &[("date", "2026-02-03")]).await;
    assert_eq!(page["orders"].as_array().unwrap().len(), 100);
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(world.get("/orders", &[("cursor", cursor)]).await.1["orders"][0], placed[100]);
    assert_eq!(world.get("/orders", &[("limit", "7")]).await.1["orders"], json!(placed[..7]));
    let mut parts = Vec::new();
    for part in 0..8 {
        let query = [("part", part.to_string()), ("limit", "500".to_owned())];
        let query = [(query[0].0, query[0].1.as_str()), (query[1].0, query[1].1.as_str())];
        parts.extend(world.get("/orders", &query).await.1["orders"].as_array().unwrap().clone());
    }
    parts.sort_by_key(|order| order["order_id"].to_string());
    assert_eq!(parts, placed, "the parts make up the day");
    let tampered = cursor.to_ascii_lowercase();
    let payments = cursor::encode("payments", placed[0]["order_id"].as_str().unwrap());
    let cases = [
        (vec![("cursor", tampered.as_str())], "invalid_cursor", "cursor"),
        (vec![("cursor", payments.as_str())], "invalid_cursor", "cursor"),
        (vec![("cursor", "")], "invalid_cursor", "cursor"),
        (vec![("date", "2026-02-04"), ("cursor", cursor)], "invalid_cursor", "cursor"),
        (vec![("date", "2026-02-30")], "invalid_request", "date"),
        (vec![("date", "")], "invalid_request", "date"),
        (vec![("date", "today")], "invalid_request", "date"),
        (vec![("limit", "0")], "invalid_request", "limit"),
        (vec![("limit", "501")], "invalid_request", "limit"),
        (vec![("limit", "+1")], "invalid_request", "limit"),
        (vec![("part", "8")], "invalid_request", "part"),
    ];
    for (query, code, field) in cases {
        assert_eq!(told(&world.get("/orders", &query).await), (400, code, field), "{query:?}");
    }
}
