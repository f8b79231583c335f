//! What the types do not say about the API: the purpose of each operation, how it can be refused, and examples.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::{
    day::Day,
    day_list::MOST,
    id::Id,
    inventory::{Moved, NewMovement, StockItem, StockPage},
    orders::{NewOrder, NewOrderStatus, Order, OrderPage},
    payments::{NewPayment, Payment, PaymentPage},
    reports::{NewReport, Report},
    routes::{FUNCTIONS, ROUTES},
    text::Sku,
};

/// The schema of a type.
type Shape = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
pub(super) struct Operation {
    /// The route, as it prints itself.
    pub(super) route: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [&'static str],
    /// Whether `Idempotency-Key` is asked for.
    pub(super) is_idempotent: bool,
    /// The body, and an example of one.
    pub(super) request: Option<(Shape, fn() -> Value)>,
    pub(super) success: u16,
    pub(super) answer: Shape,
    /// The refusals besides those of [`ANY_ROUTE`].
    pub(super) refusals: &'static [u16],
}

/// How a call of any route can end.
pub(super) const ANY_ROUTE: &[u16] = &[401, 403, 408, 413, 429, 500, 502, 503, 504];

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn get(route: &'static str, id: &'static str, summary: &'static str, answer: Shape) -> Operation {
    Operation {
        route,
        id,
        summary,
        query: &[],
        is_idempotent: false,
        request: None,
        success: 200,
        answer,
        refusals: &[400, 404],
    }
}

/// Every operation, in the order of the route table.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &["sku", "limit", "cursor"],
        refusals: &[400],
        ..get("GET /inventory", "listStock", "A page of the inventory", shape::<StockPage>)
    },
    get("GET /inventory/{sku}", "getStock", "One item of the inventory", shape::<StockItem>),
    Operation {
        request: Some((
            shape::<NewMovement>,
            || json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 100, "unit_price": 1250 }] }),
        )),
        refusals: &[400, 409, 415],
        ..get(
            "POST /inventory",
            "moveStock",
            "A stock movement, done once, whole or not at all",
            shape::<Moved>,
        )
    },
    Operation {
        is_idempotent: true,
        request: Some((
            shape::<NewOrder>,
            || json!({ "lines": [{ "sku": "A-1", "quantity": 2 }], "customer": "c-1" }),
        )),
        success: 201,
        refusals: &[400, 409, 415],
        ..get("POST /orders", "placeOrder", "An order, its stock deducted", shape::<Order>)
    },
    Operation {
        query: &["date", "limit", "part", "cursor"],
        refusals: &[400],
        ..get(
            "GET /orders",
            "listOrders",
            "A page of the orders of a day, as they were made",
            shape::<OrderPage>,
        )
    },
    get("GET /orders/{id}", "getOrder", "One order", shape::<Order>),
    Operation {
        request: Some((shape::<NewOrderStatus>, || json!({ "status": "cancelled" }))),
        refusals: &[400, 404, 409, 415],
        ..get("PATCH /orders/{id}", "changeOrder", "A pending order paid or cancelled", shape::<Order>)
    },
    Operation {
        is_idempotent: true,
        request: Some((
            shape::<NewPayment>,
            || json!({ "order_id": "0190a5e0-0000-7000-8000-000000000001", "amount": 2500 }),
        )),
        success: 201,
        refusals: &[400, 404, 409, 415],
        ..get("POST /payments", "pay", "The payment of an order, to its total", shape::<Payment>)
    },
    Operation {
        query: &["date", "limit", "part", "cursor"],
        refusals: &[400],
        ..get(
            "GET /payments",
            "listPayments",
            "A page of the payments of a day, as they were made",
            shape::<PaymentPage>,
        )
    },
    get("GET /payments/{id}", "getPayment", "One payment", shape::<Payment>),
    Operation {
        request: Some((shape::<NewReport>, || json!({ "date": "2026-01-31" }))),
        success: 201,
        refusals: &[400, 415],
        ..get("POST /reports", "makeReport", "The report of a day, as it is now", shape::<Report>)
    },
    get("GET /reports/{date}", "getReport", "The report of a day, as it was last made", shape::<Report>),
];

/// What a parameter of a path is. One that is no such thing names nothing: 404, or 400 for a date.
pub(super) fn path_parameter(name: &str, requests: &mut SchemaGenerator) -> (&'static str, Schema) {
    match name {
        "sku" => ("The SKU", requests.subschema_for::<Sku>()),
        "date" => ("The day, UTC", requests.subschema_for::<Day>()),
        _ => ("The id, as it was answered", requests.subschema_for::<Id>()),
    }
}

/// What a parameter of a query is.
pub(super) fn query_parameter(name: &str, requests: &mut SchemaGenerator) -> (&'static str, Schema) {
    match name {
        "date" => {
            ("The day, UTC; today, or the day of the cursor, without it", requests.subschema_for::<Day>())
        }
        "sku" => (
            "Names items, up to 100 times; the list of all items without it",
            json_schema!({ "type": "array", "maxItems": 100, "items": requests.subschema_for::<Sku>() }),
        ),
        "limit" => (
            "The most that the page may have; 100 without it",
            json_schema!({ "type": "integer", "minimum": 1, "maximum": MOST }),
        ),
        "part" => (
            "One of the parts that a day is kept in, for reading all of it in parallel; all of them without it",
            json_schema!({ "type": "integer", "minimum": 0, "maximum": 7 }),
        ),
        _ => (
            "`next_cursor` of the page before, as it stands",
            json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" }),
        ),
    }
}

/// The functions, as the operations are grouped.
pub(super) fn tags() -> Vec<Value> {
    let tag = |(function, _): &(&str, &[&str])| json!({ "name": function, "description": format!("The {function} function") });
    FUNCTIONS.iter().map(tag).collect()
}

/// Every scope, and the routes that it opens.
pub(super) fn scopes() -> BTreeMap<&'static str, String> {
    let mut scopes = BTreeMap::<_, Vec<String>>::new();
    for route in ROUTES.routes() {
        for scope in route.scopes() {
            scopes.entry(scope.as_str()).or_default().push(route.to_string());
        }
    }
    scopes.into_iter().map(|(scope, routes)| (scope, routes.join(", "))).collect()
}

/// The refusals and failures that operations refer to, by status; all of them have the shape `error`.
pub(super) fn refusals(error: &Value) -> Value {
    const CHALLENGE: Option<(&str, &str)> = Some(("WWW-Authenticate", "Challenge"));
    let told = [
        (400, "The request is malformed; `field` names what is at fault", None),
        (401, "No token, or one that is refused", CHALLENGE),
        (403, "A good token without the scope of the route", CHALLENGE),
        (404, "There is nothing of that name", None),
        (408, "The time that the request gives in `X-Time-Left-Ms` is over", None),
        (409, "It cannot be done as things stand; `error` says why", None),
        (413, "The body is over 1 MiB", None),
        (415, "The body is not `application/json`", None),
        (429, "The client's usage plan, or the API's limit, is exceeded", None),
        (500, "A failure of ours; `request_id` leads to it in our logs", None),
        (502, "A function failed", None),
        (503, "A moment later the same request may succeed", Some(("Retry-After", "RetryAfter"))),
        (504, "No answer within 29 seconds", None),
    ];
    let responses = told.into_iter().map(|(status, description, header)| {
        let mut headers = Map::new();
        let reference = |kind: &str| json!({ "$ref": format!("#/components/headers/{kind}") });
        headers.insert("x-amzn-RequestId".to_owned(), reference("RequestId"));
        headers.extend(header.map(|(name, kind)| (name.to_owned(), reference(kind))));
        let content = json!({ "application/json": { "schema": error } });
        (status.to_string(), json!({ "description": description, "headers": headers, "content": content }))
    });
    responses.collect::<Map<_, _>>().into()
}
