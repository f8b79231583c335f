//! The four functions over one embedded DynamoDB, calling each other by events as they would through API Gateway.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use access::{Method, route::Segment};
use aws_sdk_dynamodb::Client;
use serde_json::{Value, json};

use super::{CONTEXT, Fuse, clock, create_table, dynamodb_with, event, log, now, read, schedule, with_body};
use crate::{
    config::Config,
    day_list::item_key,
    entry::{Entry, Service},
    error::ApiError,
    id::{Id, Ids},
    inventory::Inventory,
    money::Currency,
    orders::{self, Orders},
    payments::{self, Payments},
    reports::{self, Reports},
    routes::ROUTES,
    store::{Source, Table, partition},
    upstream::{Api, Call, Reply},
};

/// An entry of any service.
trait Handle: Send + Sync {
    fn handle<'a>(&'a self, event: &'a Value) -> Pin<Box<dyn Future<Output = (i64, Value)> + Send + 'a>>;
}

impl<S: Service> Handle for Entry<S> {
    fn handle<'a>(&'a self, event: &'a Value) -> Pin<Box<dyn Future<Output = (i64, Value)> + Send + 'a>> {
        Box::pin(async { read(&self.handle(event.to_string().as_bytes(), CONTEXT).await.unwrap()) })
    }
}

/// Each function with the routes that it serves.
type Served = Vec<(&'static [&'static str], Arc<dyn Handle>)>;

/// The API as one client sees it.
#[derive(Clone)]
pub(crate) struct Gate {
    client_id: &'static str,
    served: Served,
    scopes: &'static [&'static str],
    fuse: Fuse,
}

impl Api for Gate {
    async fn send(&self, call: Call) -> Result<Reply, ApiError> {
        let dead = || ApiError::unavailable("upstream_unavailable", "dead");
        if !self.fuse.is_taken() {
            return Err(dead());
        }
        let query = call.query.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        let event = request(call.method.as_str(), &call.path, &self.scopes.join(" "), &query);
        let mut event = match call.body {
            Some(body) => with_body(event, body),
            None => event,
        };
        event["requestContext"]["authorizer"]["client_id"] = json!(self.client_id);
        for (name, value) in call.trace {
            event["multiValueHeaders"][name] = json!([value]);
        }
        let (status, body) = handle(&self.served, &event).await;
        if !self.fuse.is_heard() {
            return Err(dead());
        }
        Ok(Reply { status: status.try_into().unwrap(), body: body.to_string().into_bytes() })
    }
}

async fn handle(served: &Served, event: &Value) -> (i64, Value) {
    let text = |name: &str| event[name].as_str().unwrap();
    let route = ROUTES.by_resource(text("httpMethod"), text("resource")).unwrap();
    let entry = served.iter().find(|(routes, _)| routes.contains(&route.name())).unwrap();
    entry.1.handle(event).await
}

/// The event of a request to this path.
fn request(method: &str, path: &str, scopes: &str, query: &[(&str, &str)]) -> Value {
    let path = path.trim_start_matches('/');
    let route = ROUTES.route_of(method.parse::<Method>().unwrap(), path).unwrap();
    let mut event = event(method, route.path(), scopes);
    for (segment, text) in route.segments().iter().zip(path.split('/')) {
        if let Segment::Parameter(name) = segment {
            event["pathParameters"] = json!({ name: text });
        }
    }
    if !query.is_empty() {
        for (name, value) in query {
            let values = &mut event["multiValueQueryStringParameters"][*name];
            *values = match values.as_array() {
                Some(before) => before.iter().cloned().chain([json!(value)]).collect(),
                None => json!([value]),
            };
        }
    }
    event
}

pub(crate) struct World {
    served: Served,
    pub(crate) fuse: Fuse,
    dynamodb: Client,
    pub(crate) orders: Orders<Gate>,
    payments: Payments<Gate>,
    pub(crate) reports: Arc<Entry<Reports<Gate>>>,
    /// What all of them logged.
    pub(crate) logged: Arc<Mutex<String>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let fuse = Fuse::default();
        let dynamodb = dynamodb_with(Some(fuse.clone())).await;
        for name in ["inventory", "orders", "payments", "reports"] {
            create_table(&dynamodb, name).await;
        }
        let order_expiry = Some(Duration::from_hours(24));
        let config =
            |name: &str| Config { table_name: name.to_owned(), currency: Currency::EUR, order_expiry };
        let gate = |client_id, served: &Served, scopes| Gate {
            client_id,
            served: served.clone(),
            scopes,
            fuse: fuse.clone(),
        };
        let (log, logged) = log();
        let mut served: Served = Vec::new();
        let inventory = Inventory::new(dynamodb.clone(), config("inventory"));
        served.push((Inventory::ROUTES, Arc::new(Entry::new(inventory, clock, log.clone()))));
        let api = gate("order-service", &served, orders::SCOPES);
        let orders = Orders::new(dynamodb.clone(), api, config("orders"));
        served.push((Orders::<Gate>::ROUTES, Arc::new(Entry::new(orders.clone(), clock, log.clone()))));
        let api = gate("payment-service", &served, payments::SCOPES);
        let payments = Payments::new(dynamodb.clone(), api, config("payments"));
        served.push((Payments::<Gate>::ROUTES, Arc::new(Entry::new(payments.clone(), clock, log.clone()))));
        let api = gate("report-service", &served, reports::SCOPES);
        let reports = Reports::new(dynamodb.clone(), api, config("reports"));
        let reports = Arc::new(Entry::new(reports, clock, log));
        served.push((Reports::<Gate>::ROUTES, Arc::clone(&reports) as Arc<dyn Handle>));
        Self { served, fuse, dynamodb, orders, payments, reports, logged }
    }

    /// The sweeps of both functions that have one, at a time of the clock's choice; says what they logged.
    pub(crate) async fn sweep(&self, clock: fn() -> SystemTime) -> String {
        let (log, logged) = log();
        let event = schedule("2026-02-03T04:06:00Z").to_string();
        // It may fail where the process dies.
        let _ = Entry::new(self.orders.clone(), clock, log.clone()).handle(event.as_bytes(), CONTEXT).await;
        let _ = Entry::new(self.payments.clone(), clock, log).handle(event.as_bytes(), CONTEXT).await;
        logged.lock().unwrap().clone()
    }

    pub(crate) fn dynamodb(&self) -> Client {
        self.dynamodb.clone()
    }

    /// How many things wait to be finished.
    pub(crate) async fn unfinished(&self) -> usize {
        let mut count = 0;
        for (name, shard) in
            ["orders", "payments"].iter().flat_map(|name| (0..8).map(move |shard| (*name, shard)))
        {
            let table = Table::new(self.dynamodb.clone(), name.to_owned());
            let list = partition("unfinished", shard);
            count += table.query::<Value>(Source::Index, &list, None, 1000).await.unwrap().0.len();
        }
        count
    }

    pub(crate) async fn handle(&self, event: &Value) -> (i64, Value) {
        handle(&self.served, event).await
    }

    /// A GET by someone who may read everything.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> (i64, Value) {
        let scopes = "inventory/read orders/read payments/read reports/read";
        self.handle(&request("GET", path, scopes, query)).await
    }

    /// A POST or PATCH by someone who may write everything.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: impl Into<String>,
    ) -> (i64, Value) {
        let scopes = "inventory/write orders/write orders/status payments/write reports/write";
        let mut event = with_body(request(method, path, scopes, &[]), body);
        if let Some(key) = key {
            event["multiValueHeaders"]["idempotency-key"] = json!([key]);
        }
        self.handle(&event).await
    }

    pub(crate) async fn load(&self, reference: &str, sku: &str, change: i64) {
        let line = json!({"sku": sku, "change": change, "unit_price": 1250});
        let body = json!({"reference": reference, "lines": [line]}).to_string();
        assert_eq!(self.send("POST", "/inventory", None, body).await.0, 200);
    }

    pub(crate) async fn on_hand(&self, sku: &str) -> i64 {
        let (status, item) = self.get(&format!("/inventory/{sku}"), &[]).await;
        if status == 404 { 0 } else { item["on_hand"].as_i64().unwrap() }
    }

    pub(crate) async fn order(&self, key: &str, sku: &str, quantity: i64) -> (i64, Value) {
        let body = json!({"lines": [{"sku": sku, "quantity": quantity}]}).to_string();
        self.send("POST", "/orders", Some(key), body).await
    }

    pub(crate) async fn change(&self, order: &Value, status: &str) -> (i64, Value) {
        let path = format!("/orders/{}", order["order_id"].as_str().unwrap());
        self.send("PATCH", &path, None, json!({"status": status}).to_string()).await
    }

    pub(crate) async fn pay(&self, key: &str, order: &Value) -> (i64, Value) {
        let body = json!({"order_id": order["order_id"], "amount": order["total"]}).to_string();
        self.send("POST", "/payments", Some(key), body).await
    }

    /// So many orders of one unit, or whatever `edit` makes of them, written straight to the table.
    pub(crate) async fn write_orders(&self, count: usize, edit: impl Fn(usize, &mut Value)) {
        let order = |number: usize, id: Id| {
            let mut order = json!({
                "order_id": id, "status": "pending", "lines": [{"sku": "A", "quantity": 1, "unit_price": 1250}],
                "total": 1250, "currency": "EUR", "created_by": "c",
                "created_at": "2026-02-03T04:05:06.789Z", "updated_at": "2026-02-03T04:05:06.789Z",
            });
            edit(number, &mut order);
            order
        };
        self.write("orders", count, order).await;
    }

    /// So many payments of one unit, written straight to the table.
    pub(crate) async fn write_payments(&self, count: usize) {
        let payment = |_, id: Id| {
            json!({
                "payment_id": id, "order_id": id, "amount": 1250, "currency": "EUR", "status": "settled",
                "created_by": "c", "created_at": "2026-02-03T04:05:06.789Z", "updated_at": "2026-02-03T04:05:06.789Z",
            })
        };
        self.write("payments", count, payment).await;
    }

    async fn write(&self, table: &str, count: usize, thing: impl Fn(usize, Id) -> Value) {
        let (table, ids) = (Table::new(self.dynamodb.clone(), table.to_owned()), Ids::default());
        for numbers in (0..count).collect::<Vec<_>>().chunks(100) {
            let put = |number: &usize| {
                let id = ids.draw(now()).unwrap();
                table.put_new(&item_key(id), None, &thing(*number, id)).unwrap()
            };
            table.transact(numbers.iter().map(put).collect()).await.unwrap();
        }
    }

    /// Every item of a day's list, all pages.
    pub(crate) async fn all(&self, list: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("date", "2026-02-03")];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let (status, mut page) = self.get(&format!("/{list}"), &query).await;
            assert_eq!(status, 200, "{page}");
            items.append(page[list].as_array_mut().unwrap());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
    }
}
