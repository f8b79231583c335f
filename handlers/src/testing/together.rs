//! Orders, payments and stock together: whatever dies wherever, the next try converges, and nothing is lost or
//! doubled on the way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    routes::ROUTES,
    testing::{Death, World, clock, event},
};

const LOADED: i64 = 20;

/// How many cases a test of chance tries; `CASES` sets another number.
fn cases() -> ProptestConfig {
    #[expect(clippy::disallowed_methods, reason = "a longer run is asked for by the environment")]
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(10))
}

async fn world() -> World {
    let world = World::new().await;
    world.load("load", "A", LOADED).await;
    world
}

#[tokio::test]
async fn every_route_is_served_by_its_function_and_to_nobody_without_its_scope() {
    let world = World::new().await;
    for route in ROUTES.routes() {
        let scopes = route.scopes().iter().map(access::Scope::as_str).collect::<Vec<_>>().join(" ");
        let (status, body) = world.handle(&event(route.method().as_str(), route.path(), &scopes)).await;
        assert!(status < 500 && !matches!(status, 401 | 403), "{route}: {status} {body}");
        let others = ROUTES
            .routes()
            .iter()
            .flat_map(access::Route::scopes)
            .filter(|scope| !route.scopes().contains(scope));
        let others = others.map(access::Scope::as_str).collect::<Vec<_>>().join(" ");
        let (status, body) = world.handle(&event(route.method().as_str(), route.path(), &others)).await;
        assert_eq!((status, &body["error"]), (403, &"insufficient_scope".into()), "{route}");
    }
}

/// What became of the orders of one SKU: how many there are, what is sold by those that stand, and how many are paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sales {
    orders: usize,
    sold: i64,
    paid: usize,
}

async fn sales(world: &World) -> BTreeMap<String, Sales> {
    let mut sales = BTreeMap::<_, Sales>::new();
    for order in world.all("orders").await {
        let line = &order["lines"][0];
        let of = sales.entry(line["sku"].as_str().unwrap().to_owned()).or_default();
        of.orders += 1;
        of.paid += usize::from(order["status"] == "paid");
        if order["status"] != "cancelled" {
            of.sold += line["quantity"].as_i64().unwrap();
        }
    }
    sales
}

/// Lets `act` die at each of its steps in turn, before and after the step's effect, each time with an SKU and keys of its
/// own in the same world; `then` says what comes after the death, and takes the first answer if it came alive.
async fn dies_everywhere(
    world: &World,
    prepare: impl AsyncFn(&World, &str) -> Value,
    act: impl AsyncFn(&World, &str, &Value) -> (i64, Value),
    then: impl AsyncFn(&World, &str, &Value, Option<(i64, Value)>),
) -> Vec<String> {
    let mut skus = Vec::new();
    for death in [Death::Before, Death::After] {
        for steps in 0.. {
            assert!(steps < 60, "it never ends");
            let sku = format!("{death:?}-{steps}");
            world.load(&sku, &sku, LOADED).await;
            let given = prepare(world, &sku).await;
            world.fuse.set(steps, death);
            let first = act(world, &sku, &given).await;
            let is_dead = world.fuse.restart();
            skus.push(sku.clone());
            then(world, &sku, &given, Some(first).filter(|_| !is_dead)).await;
            if !is_dead {
                break;
            }
        }
    }
    assert!(skus.len() > 8, "it died {} times only", skus.len() - 2);
    skus
}

/// Each of these SKUs has these sales.
async fn assert_sales(world: &World, skus: &[String], expected: Sales) {
    let sales = sales(world).await;
    for sku in skus {
        assert_eq!(sales[sku], expected, "{sku}");
    }
}

async fn nothing(_: &World, _: &str) -> Value {
    Value::Null
}

async fn order(world: &World, sku: &str) -> Value {
    let (status, order) = world.order(sku, sku, 3).await;
    assert_eq!(status, 201, "{order}");
    order
}

/// Tries again what died: the second try has to end as one that nothing happened to.
async fn again(
    prepare: impl AsyncFn(&World, &str) -> Value,
    act: impl AsyncFn(&World, &str, &Value) -> (i64, Value),
) -> (World, Vec<String>) {
    let world = World::new().await;
    let then = async |world: &World, sku: &str, given: &Value, first: Option<(i64, Value)>| {
        let second = act(world, sku, given).await;
        assert!((200..300).contains(&second.0), "{sku}: {second:?}");
        assert!(first.is_none_or(|first| first == second), "{sku}");
    };
    let skus = dies_everywhere(&world, prepare, &act, then).await;
    (world, skus)
}

#[tokio::test]
async fn a_movement_that_dies_anywhere_is_finished_once() {
    let (world, skus) = again(nothing, async |world, sku, _| {
        let line = |sku: &str, change: i64| json!({"sku": sku, "change": change});
        let lines = [line(sku, -3), line(&format!("{sku}-B"), 4)];
        let body = json!({"reference": format!("{sku}-r"), "lines": lines}).to_string();
        world.send("POST", "/inventory", None, body).await
    })
    .await;
    for sku in skus {
        assert_eq!((world.on_hand(&sku).await, world.on_hand(&format!("{sku}-B")).await), (LOADED - 3, 4));
    }
}

#[tokio::test]
async fn an_order_that_dies_anywhere_is_finished_once() {
    let (world, skus) = again(nothing, async |world, sku, _| world.order(sku, sku, 3).await).await;
    assert_sales(&world, &skus, Sales { orders: 1, sold: 3, paid: 0 }).await;
    for sku in skus {
        assert_eq!(world.on_hand(&sku).await, LOADED - 3, "{sku}");
    }
}

#[tokio::test]
async fn a_payment_that_dies_anywhere_is_finished_once() {
    let (world, skus) = again(order, async |world, sku, order| world.pay(sku, order).await).await;
    all_is_well(&world, &skus).await;
    assert_sales(&world, &skus, Sales { orders: 1, sold: 3, paid: 1 }).await;
}

#[tokio::test]
async fn a_payment_that_died_is_finished_by_whoever_comes_next() {
    let world = World::new().await;
    let pay = async |world: &World, sku: &str, order: &Value| world.pay(sku, order).await;
    let skus = dies_everywhere(&world, order, pay, async |world, sku, order, _| {
        let (status, _) = world.pay(&format!("{sku}-q"), order).await;
        assert!(matches!(status, 201 | 409), "{sku}: {status}");
    })
    .await;
    // Where it died before anything was written, the other payment is the only one.
    all_is_well(&world, &skus).await;
    assert_sales(&world, &skus, Sales { orders: 1, sold: 3, paid: 1 }).await;
}

#[tokio::test]
async fn a_cancellation_that_dies_anywhere_returns_the_stock_once() {
    let world = World::new().await;
    let cancel = async |world: &World, _: &str, order: &Value| world.change(order, "cancelled").await;
    let skus = dies_everywhere(
        &world,
        order,
        cancel,
        async |world: &World, sku: &str, order: &Value, first: Option<(i64, Value)>| {
            let second = world.change(order, "cancelled").await;
            // It may have died when all was done; then there is nothing left to change.
            assert!(matches!(second.0, 200 | 409), "{sku}: {second:?}");
            assert!(first.is_none_or(|first| (first.0, second.0) == (200, 409)), "{sku}");
        },
    )
    .await;
    all_is_well(&world, &skus).await;
    assert_sales(&world, &skus, Sales { orders: 1, sold: 0, paid: 0 }).await;
}

#[derive(Clone, Debug)]
enum Act {
    Order { key: u8, quantity: i64 },
    Pay { order: u8, key: u8 },
    Cancel { order: u8 },
    Load { reference: u8, change: i64 },
}

/// Acts of one moment, and where the process dies meanwhile, if it does.
type Group = (Vec<Act>, Option<(usize, Death)>);

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..8u8, 1..6i64).prop_map(|(key, quantity)| Act::Order { key, quantity }),
        3 => (0..8u8, 0..8u8).prop_map(|(order, key)| Act::Pay { order, key }),
        2 => (0..8u8).prop_map(|order| Act::Cancel { order }),
        1 => (0..4u8, 1..6i64).prop_map(|(reference, change)| Act::Load { reference, change }),
    ]
}

fn death() -> impl Strategy<Value = Option<(usize, Death)>> {
    let death = (0..14usize, prop_oneof![Just(Death::Before), Just(Death::After)]);
    prop_oneof![1 => Just(None), 2 => death.prop_map(Some)]
}

async fn perform(world: &World, act: &Act, orders: &BTreeMap<u8, Value>) -> Option<(i64, Value)> {
    Some(match act {
        Act::Order { key, quantity } => world.order(&format!("k-{key}"), "A", *quantity).await,
        Act::Pay { order, key } => world.pay(&format!("p-{key}"), orders.get(order)?).await,
        Act::Cancel { order } => world.change(orders.get(order)?, "cancelled").await,
        Act::Load { reference, change } => {
            let body = format!(
                r#"{{"reference":"l-{reference}","lines":[{{"sku":"A","change":{change},"unit_price":1250}}]}}"#
            );
            world.send("POST", "/inventory", None, body).await
        }
    })
}

/// Acts in groups of those that run at the same time, each group with a death of the process or without, and then
/// each tried again. Whatever happened, stock and sales make up what was loaded, and payments are for paid orders.
async fn run(groups: Vec<Group>) {
    let world = world().await;
    let (mut orders, mut loads) = (BTreeMap::new(), BTreeMap::new());
    for (acts, death) in groups {
        if let Some((steps, death)) = death {
            world.fuse.set(steps, death);
        }
        futures_util::future::join_all(acts.iter().map(|act| perform(&world, act, &orders))).await;
        world.fuse.restart();
        for act in &acts {
            let Some((status, body)) = perform(&world, act, &orders).await else { continue };
            assert!(status < 500, "{act:?}: {status} {body}");
            match act {
                Act::Order { key, .. } if status == 201 => drop(orders.insert(*key, body)),
                Act::Load { reference, change } if status == 200 => drop(loads.insert(*reference, *change)),
                Act::Order { .. } | Act::Pay { .. } | Act::Cancel { .. } | Act::Load { .. } => {}
            }
        }
    }
    let loaded = LOADED + loads.values().sum::<i64>();
    let Sales { sold, paid, .. } = sales(&world).await.remove("A").unwrap_or_default();
    assert_eq!(world.on_hand("A").await + sold, loaded);
    let payments = world.all("payments").await;
    let mut of: Vec<&str> = payments.iter().map(|payment| payment["order_id"].as_str().unwrap()).collect();
    of.sort_unstable();
    of.dedup();
    assert_eq!((of.len(), payments.len()), (paid, paid), "a payment for each paid order, and no other");
}

/// Payments are for paid orders, each for its own; stock and sales make up what was loaded; nothing waits.
async fn all_is_well(world: &World, skus: &[impl AsRef<str>]) {
    assert_eq!(world.unfinished().await, 0, "nothing waits");
    let sales = sales(world).await;
    for sku in skus.iter().map(AsRef::as_ref) {
        let sold = sales.get(sku).map_or(0, |sales| sales.sold);
        assert_eq!(world.on_hand(sku).await + sold, LOADED, "{sku}: no unit is lost or doubled");
    }
    let paid = |of: &str, item: &Value| format!("{} {}", item["order_id"], item[of]);
    let mut paid_orders: Vec<_> = world.all("orders").await;
    paid_orders.retain(|order| order["status"] == "paid");
    let mut paid_orders: Vec<_> = paid_orders.iter().map(|order| paid("payment_id", order)).collect();
    let mut payments: Vec<_> =
        world.all("payments").await.iter().map(|item| paid("payment_id", item)).collect();
    paid_orders.sort_unstable();
    payments.sort_unstable();
    assert_eq!(paid_orders, payments, "a payment for each paid order, and no other");
}

/// Acts of which none is ever tried again, sweeps that die, and writes in conflict with others. Two sweeps that don't
/// die put everything right, and what was answered stands.
async fn run_without_retries(groups: Vec<Group>, sweeps: Vec<Option<(usize, Death)>>, conflicts: usize) {
    let world = world().await;
    world.fuse.conflict(conflicts);
    let (mut orders, mut refused) = (BTreeMap::new(), Vec::new());
    for (number, (acts, death)) in groups.into_iter().enumerate() {
        if let Some((steps, death)) = death {
            world.fuse.set(steps, death);
        }
        let answers =
            futures_util::future::join_all(acts.iter().map(|act| perform(&world, act, &orders))).await;
        world.fuse.restart();
        for (act, answer) in acts.iter().zip(answers) {
            match (act, answer) {
                (Act::Order { key, .. }, Some((201, order))) => drop(orders.insert(*key, order)),
                (Act::Order { .. }, Some((409, error))) if error["error"] == "insufficient_stock" => {
                    refused.push(act.clone());
                }
                (Act::Order { .. } | Act::Pay { .. } | Act::Cancel { .. } | Act::Load { .. }, _) => {}
            }
        }
        if let Some(Some((steps, death))) = sweeps.get(number) {
            world.fuse.set(*steps, *death);
            world.sweep(clock).await;
            world.fuse.restart();
        }
    }
    world.fuse.conflict(0);
    world.sweep(clock).await;
    world.sweep(clock).await;
    all_is_well(&world, &["A"]).await;
    world.load("more", "A", 1000).await;
    for act in refused {
        assert_eq!(perform(&world, &act, &orders).await.unwrap().0, 409, "{act:?}: a 409 is final");
    }
}

#[tokio::test]
async fn what_dies_anywhere_and_is_never_tried_again_is_put_right_by_a_sweep() {
    let acts = ["order", "pay", "cancel"];
    for name in acts {
        let world = World::new().await;
        let act = async |world: &World, sku: &str, _: &Value| {
            let (status, order) = world.order(sku, sku, 3).await;
            match (status, name) {
                (201, "pay") => world.pay(sku, &order).await,
                (201, "cancel") => world.change(&order, "cancelled").await,
                _ => (status, order),
            }
        };
        let skus = dies_everywhere(&world, nothing, act, async |_, _, _, _| {}).await;
        assert!(world.unfinished().await > 0, "{name}");
        world.sweep(clock).await;
        world.sweep(clock).await;
        all_is_well(&world, &skus).await;
    }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn two_sweeps_restore_what_nobody_retries(
        groups in prop::collection::vec(
            (prop::collection::vec(act().prop_filter("loads are not what is half done", |act| !matches!(act, Act::Load { .. })), 1..5), death()), 1..10),
        sweeps in prop::collection::vec(death(), 10),
        conflicts in 0..2usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run_without_retries(groups, sweeps, conflicts));
    }
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn stock_and_sales_make_up_what_was_loaded(
        groups in prop::collection::vec((prop::collection::vec(act(), 1..5), death()), 1..10)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(groups));
    }
}
