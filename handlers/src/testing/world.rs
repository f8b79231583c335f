//! The four functions over one embedded DynamoDB, calling each other by events as they would through API Gateway.

use std::{future::Future, pin::Pin, sync::Arc};

use access::{ClientId, Method, route::Segment};
use aws_sdk_dynamodb::Client;
use serde_json::{Value, json};

use super::{Fuse, clock, create_table, dynamodb_with, event, log, now, read, with_body};
use crate::{
    config::Config,
    entry::{Entry, Service},
    id::Ids,
    inventory::Inventory,
    money::Currency,
    orders::{self, Orders},
    payments::{self, Payments},
    reports::{self, Reports},
    routes::ROUTES,
    store::orders::{Asked, Attempt, Content, OrderLine, OrderTable, Phase},
    text::{AttemptName, IdempotencyKey, Sku},
    upstream::{Api, Call, NoReply, Reply},
};

/// An entry of any service.
trait Handle: Send + Sync {
    fn handle<'a>(&'a self, event: &'a Value) -> Pin<Box<dyn Future<Output = (i64, Value)> + Send + 'a>>;
}

impl<S: Service> Handle for Entry<S> {
    fn handle<'a>(&'a self, event: &'a Value) -> Pin<Box<dyn Future<Output = (i64, Value)> + Send + 'a>> {
        Box::pin(async { read(&self.handle(event.to_string().as_bytes(), "i").await.unwrap()) })
    }
}

/// Each function with the routes that it serves.
type Served = Vec<(&'static [&'static str], Arc<dyn Handle>)>;

/// The API as one client sees it.
pub(crate) struct Gate {
    served: Served,
    scopes: &'static [&'static str],
    fuse: Fuse,
}

impl Api for Gate {
    async fn send(&self, call: Call) -> Result<Reply, NoReply> {
        let dead = || NoReply { is_transient: true, detail: "dead".to_owned() };
        if !self.fuse.is_taken() {
            return Err(dead());
        }
        let query = call.query.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        let event = request(call.method.as_str(), &call.path, &self.scopes.join(" "), &query);
        let event = match call.body {
            Some(body) => with_body(event, body),
            None => event,
        };
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
        event["queryStringParameters"] = query.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    }
    event
}

pub(crate) struct World {
    served: Served,
    pub(crate) fuse: Fuse,
    dynamodb: Client,
    pub(crate) reports: Arc<Entry<Reports<Gate>>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let fuse = Fuse::default();
        let dynamodb = dynamodb_with(Some(fuse.clone())).await;
        for name in ["inventory", "orders", "payments", "reports"] {
            create_table(&dynamodb, name).await;
        }
        let config = |name: &str| Config { table_name: name.to_owned(), currency: Currency::EUR };
        let gate = |served: &Served, scopes| Gate { served: served.clone(), scopes, fuse: fuse.clone() };
        let mut served: Served = Vec::new();
        let inventory = Inventory::new(dynamodb.clone(), config("inventory"));
        served.push((Inventory::ROUTES, Arc::new(Entry::new(inventory, clock, log().0))));
        let orders = Orders::new(dynamodb.clone(), gate(&served, orders::SCOPES), config("orders"));
        served.push((Orders::<Gate>::ROUTES, Arc::new(Entry::new(orders, clock, log().0))));
        let payments = Payments::new(dynamodb.clone(), gate(&served, payments::SCOPES), config("payments"));
        served.push((Payments::<Gate>::ROUTES, Arc::new(Entry::new(payments, clock, log().0))));
        let reports = Reports::new(dynamodb.clone(), gate(&served, reports::SCOPES), config("reports"));
        let reports = Arc::new(Entry::new(reports, clock, log().0));
        served.push((Reports::<Gate>::ROUTES, Arc::clone(&reports) as Arc<dyn Handle>));
        Self { served, fuse, dynamodb, reports }
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

    /// So many orders of one unit, written straight to the table.
    pub(crate) async fn write_orders(&self, count: usize, sku: &str) {
        let (table, ids) = (OrderTable::new(self.dynamodb.clone(), "orders".to_owned()), Ids::default());
        let sku = Sku::parse(sku).unwrap();
        for _ in 0..count {
            let (id, currency) = (ids.draw(now()).unwrap(), Currency::EUR);
            let lines = vec![OrderLine { sku: sku.clone(), quantity: 1, unit_price: 1250 }];
            let content = Content { id, lines, total: 1250, currency, customer: None };
            let asked = Asked { lines: Vec::new(), customer: None };
            let attempt = Attempt { asked, content: content.clone(), phase: Phase::Placing };
            let key = IdempotencyKey::parse(id.to_string()).unwrap();
            let name = AttemptName { client_id: ClientId::parse("c").unwrap(), key };
            assert_eq!(table.begin(&name, &attempt, id).await, Ok(true));
            assert_eq!(table.place(&name, &content).await, Ok(Phase::Placed));
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
