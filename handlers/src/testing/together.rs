//! Orders, payments and stock together: whatever dies wherever, the next try converges, and nothing is lost or
//! doubled on the way.

use std::{collections::BTreeMap, future::Future};

use proptest::prelude::*;
use serde_json::Value;

use crate::{
    routes::ROUTES,
    testing::{Death, World, clock, event},
};

const LOADED: i64 = 20;

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

/// What is sold by orders that stand, and how many of those are paid.
async fn sold(world: &World) -> (i64, usize) {
    let (mut sold, mut paid) = (0, 0);
    for order in world.all("orders").await {
        if order["status"] != "cancelled" {
            sold += order["lines"][0]["quantity"].as_i64().unwrap();
        }
        paid += usize::from(order["status"] == "paid");
    }
    (sold, paid)
}

/// Lets `act` die at each of its steps in turn, before and after the step's effect, and tries again each time. The
/// second try has to end as one that nothing happened to.
async fn dies_everywhere(
    prepare: impl AsyncFn(&World) -> Value,
    act: impl AsyncFn(&World, &Value) -> (i64, Value),
    check: impl AsyncFn(&World),
) {
    let mut deaths = 0;
    for death in [Death::Before, Death::After] {
        for steps in 0.. {
            assert!(steps < 60, "it never ends");
            let world = world().await;
            let given = prepare(&world).await;
            world.fuse.set(steps, death);
            let first = act(&world, &given).await;
            let is_dead = world.fuse.restart();
            let second = act(&world, &given).await;
            assert!((200..300).contains(&second.0), "{death:?} at step {steps}: {second:?}");
            if is_dead {
                assert!(first.0 >= 500, "{death:?} at step {steps}: {first:?}");
                deaths += 1;
            } else {
                assert_eq!(first, second);
            }
            check(&world).await;
            if !is_dead {
                break;
            }
        }
    }
    assert!(deaths > 10, "it died {deaths} times only");
}

#[tokio::test]
async fn a_movement_that_dies_anywhere_is_finished_once() {
    let act = async |world: &World, _: &Value| {
        let body = r#"{"reference":"r","lines":[{"sku":"A","change":-3},{"sku":"B","change":4}]}"#;
        world.send("POST", "/inventory", None, body).await
    };
    let mut deaths = 0;
    for death in [Death::Before, Death::After] {
        for steps in 0..10 {
            let world = world().await;
            world.fuse.set(steps, death);
            act(&world, &Value::Null).await;
            deaths += usize::from(world.fuse.restart());
            assert_eq!(act(&world, &Value::Null).await.0, 200);
            assert_eq!((world.on_hand("A").await, world.on_hand("B").await), (LOADED - 3, 4));
        }
    }
    assert!(deaths >= 6, "it died {deaths} times only");
}

#[tokio::test]
async fn an_order_that_dies_anywhere_is_finished_once() {
    dies_everywhere(
        async |_| Value::Null,
        async |world, _| world.order("k", "A", 3).await,
        async |world| {
            assert_eq!((world.on_hand("A").await, sold(world).await), (LOADED - 3, (3, 0)));
            assert_eq!(world.all("orders").await.len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn a_payment_that_dies_anywhere_is_finished_once() {
    dies_everywhere(
        async |world| world.order("k", "A", 3).await.1,
        async |world, order| world.pay("p", order).await,
        async |world| {
            assert_eq!((world.on_hand("A").await, sold(world).await), (LOADED - 3, (3, 1)));
            assert_eq!(world.all("payments").await.len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn a_payment_that_died_is_finished_by_whoever_comes_next() {
    for steps in 0..40 {
        let world = world().await;
        let (_, order) = world.order("k", "A", 3).await;
        world.fuse.set(steps, Death::After);
        world.pay("p", &order).await;
        let is_dead = world.fuse.restart();
        let (status, _) = world.pay("q", &order).await;
        assert!(matches!(status, 201 | 409), "{status}");
        assert_eq!((world.all("payments").await.len(), sold(&world).await), (1, (3, 1)), "at step {steps}");
        if !is_dead {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_cancellation_that_dies_anywhere_returns_the_stock_once() {
    for death in [Death::Before, Death::After] {
        for steps in 0..40 {
            let world = world().await;
            let (_, order) = world.order("k", "A", 3).await;
            world.fuse.set(steps, death);
            let first = world.change(&order, "cancelled").await;
            let is_dead = world.fuse.restart();
            let second = world.change(&order, "cancelled").await;
            // It may have died when all was done; then there is nothing left to change.
            assert!(matches!(second.0, 200 | 409), "{death:?} at step {steps}: {second:?}");
            assert_eq!((world.on_hand("A").await, sold(&world).await), (LOADED, (0, 0)), "at step {steps}");
            if !is_dead {
                assert_eq!((first.0, second.0), (200, 409));
                break;
            }
        }
    }
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
    let (sold, paid) = sold(&world).await;
    assert_eq!(world.on_hand("A").await + sold, loaded);
    let payments = world.all("payments").await;
    let mut of: Vec<&str> = payments.iter().map(|payment| payment["order_id"].as_str().unwrap()).collect();
    of.sort_unstable();
    of.dedup();
    assert_eq!((of.len(), payments.len()), (paid, paid), "a payment for each paid order, and no other");
}

/// Payments are for paid orders, each for its own; stock and sales make up what was loaded; nothing waits.
async fn all_is_well(world: &World) {
    assert_eq!(world.unfinished().await, 0, "nothing waits");
    let (sold, _) = sold(world).await;
    assert_eq!(world.on_hand("A").await + sold, LOADED, "no unit is lost or doubled");
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
    all_is_well(&world).await;
    world.load("more", "A", 1000).await;
    for act in refused {
        assert_eq!(perform(&world, &act, &orders).await.unwrap().0, 409, "{act:?}: a 409 is final");
    }
}

#[tokio::test]
async fn what_dies_anywhere_and_is_never_tried_again_is_put_right_by_a_sweep() {
    type Do = fn(&World) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let acts: [Do; 3] = [
        |world| Box::pin(async { drop(world.order("k", "A", 3).await) }),
        |world| {
            Box::pin(async {
                if let (201, order) = world.order("k", "A", 3).await {
                    world.pay("p", &order).await;
                }
            })
        },
        |world| {
            Box::pin(async {
                if let (201, order) = world.order("k", "A", 3).await {
                    world.change(&order, "cancelled").await;
                }
            })
        },
    ];
    for act in acts {
        for death in [Death::Before, Death::After] {
            for steps in 0.. {
                assert!(steps < 60, "it never ends");
                let world = world().await;
                world.fuse.set(steps, death);
                act(&world).await;
                let is_dead = world.fuse.restart();
                world.sweep(clock).await;
                world.sweep(clock).await;
                all_is_well(&world).await;
                if !is_dead {
                    break;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
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
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn stock_and_sales_make_up_what_was_loaded(
        groups in prop::collection::vec((prop::collection::vec(act(), 1..5), death()), 1..10)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(groups));
    }
}
