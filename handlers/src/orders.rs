//! The order service: placing orders, changing their status, listing them, and the sweep. Stock belongs to the
//! inventory service, which is called through the API.
//!
//! An order is an attempt that is carried out by deducting its stock. The order's id is the reference of that movement,
//! so the inventory does it once, or refuses it for good, however often it is called.

mod status;

use std::time::Duration;

use access::ClientId;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::json;

pub use status::Status;

use crate::{
    attempt::{self, Made, Make},
    config::Config,
    day::stamp,
    day_list::{PageOfDay, find, item_key},
    entry::{Answer, Invocation, Request, Service},
    error::{ApiError, Reason, Refusal},
    id::Id,
    json::{Integer, List},
    money::{Currency, Money},
    store::{
        Key, Place, Table,
        attempt::{KEY, UNFINISHED},
        orders::PENDING,
    },
    sweep::Swept,
    text::{Customer, Sku},
    upstream::{Api, Call, Reply},
};

/// The scopes that the service calls the inventory with.
pub const SCOPES: &[&str] = &["inventory/read", "inventory/write"];

const MOST_LINES: usize = 50;

const MOST_QUANTITY: i64 = 1_000_000_000;

/// The order service.
#[derive(Clone, Debug)]
pub struct Orders<A> {
    table: Table,
    api: A,
    currency: Currency,
    expiry: Option<Duration>,
}

/// An order as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    lines: List<NewOrderLine, MOST_LINES>,
    customer: Option<Customer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct NewOrderLine {
    sku: Sku,
    quantity: Integer<1, MOST_QUANTITY>,
}

/// An order, as it is kept and as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Order {
    #[serde(rename = "order_id")]
    id: Id,
    status: Status,
    lines: Vec<OrderLine>,
    /// The sum of the lines in minor units.
    total: i64,
    currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<Customer>,
    /// The client that placed it.
    created_by: String,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    created_at: String,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    updated_at: String,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paid_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<Id>,
}

/// One line of an order, each of another SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderLine {
    sku: Sku,
    quantity: i64,
    /// For how much each, in minor units.
    unit_price: i64,
}

/// A page of the orders of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderPage {
    orders: Vec<Order>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What an order's status is asked to become.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOrderStatus {
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("enum" = ["paid", "cancelled"])))]
    #[serde(deserialize_with = "status::from_string")]
    status: Status,
    /// The payment that pays it.
    payment_id: Option<Id>,
}

/// The fields of an item that an order needs.
#[derive(Deserialize)]
struct PricedItem {
    sku: Sku,
    unit_price: Option<i64>,
    currency: Currency,
}

impl<A: Api> Orders<A> {
    /// The service over the table that `config` names; the inventory is reached by `api`.
    pub fn new(dynamodb: Client, api: A, config: Config) -> Self {
        let Config { table_name, currency, order_expiry: expiry } = config;
        Self { table: Table::new(dynamodb, table_name), api, currency, expiry }
    }

    /// Changes a pending order to paid or cancelled. The stock of a cancelled order goes back once; if that is
    /// interrupted, the same change again finishes it, or the sweep does.
    async fn change(
        &self,
        id: Id,
        NewOrderStatus { status, payment_id }: NewOrderStatus,
        invocation: &Invocation,
    ) -> Result<Order, ApiError> {
        let now = invocation.now();
        let changed = match status {
            Status::Paid => self.table.set_paid(id, payment_id, now).await?,
            Status::Cancelled if payment_id.is_some() => {
                return Err(ApiError::invalid("payment_id", "goes with `paid` only"));
            }
            Status::Cancelled => self.table.set_cancelled(id, now).await?,
            Status::Pending | Status::Other(_) => {
                return Err(ApiError::invalid("status", "must be `paid` or `cancelled`"));
            }
        };
        let order = if let Some(order) = changed {
            order
        } else {
            let order: Order = find(&self.table, id).await?;
            // An interrupted cancellation is resumed.
            let goes_on = status == Status::Cancelled && order.status == status;
            if !goes_on || !self.table.is_listed(&item_key(id)).await? {
                let message = "only a pending order can be changed";
                return Err(ApiError::conflict("invalid_transition", message).at("status"));
            }
            order
        };
        // INVARIANT: the order is cancelled before its stock goes back, so that nobody pays for what is on sale again.
        if status == Status::Cancelled {
            self.return_stock(&order, invocation).await?;
        }
        Ok(order)
    }

    async fn expire(&self, key: Key, invocation: &Invocation) -> Result<Option<Id>, ApiError> {
        let id = Id::parse(&key.sk).map_err(|error| ApiError::fault("store_item", error.to_string()))?;
        // It may have been paid or cancelled meanwhile.
        let Some(order) = self.table.set_cancelled(id, invocation.now()).await? else { return Ok(None) };
        self.return_stock(&order, invocation).await
    }

    async fn finish(&self, key: Key, invocation: &Invocation) -> Result<Option<Id>, ApiError> {
        if key.sk == KEY {
            return attempt::finish(self, &key, invocation).await;
        }
        match self.table.get::<Order>(&key).await? {
            Some(order) if order.status == Status::Cancelled => self.return_stock(&order, invocation).await,
            Some(_) | None => Ok(None),
        }
    }

    /// The items of `skus` that the inventory knows, with their prices.
    async fn prices(
        &self,
        skus: impl Iterator<Item = &Sku>,
        invocation: &Invocation,
    ) -> Result<Vec<PricedItem>, ApiError> {
        #[derive(Deserialize)]
        struct Priced {
            items: Vec<PricedItem>,
        }
        let mut call = Call::get("/inventory".to_owned(), invocation);
        call.query.extend(skus.map(|sku| ("sku", sku.to_string())));
        let Priced { items } = self.api.send(call).await?.ok("the prices")?;
        if items.iter().any(|item| item.currency != self.currency) {
            return Err(ApiError::fault("currency", "the inventory has another currency than the orders"));
        }
        Ok(items)
    }

    /// Returns the stock of a cancelled order; to repeat this changes nothing.
    async fn return_stock(&self, order: &Order, invocation: &Invocation) -> Result<Option<Id>, ApiError> {
        let id = order.id;
        let reply = self.move_stock(order, ":cancel", 1, invocation).await;
        let returned = reply.and_then(|reply| reply.ok::<IgnoredAny>("the return of stock"));
        returned.map_err(|error| error.about(id))?;
        self.table.note_returned(id).await?;
        Ok(Some(id))
    }

    /// Moves the stock of an order, once: the inventory answers a reference the same each time.
    async fn move_stock(
        &self,
        order: &Order,
        suffix: &str,
        sign: i64,
        invocation: &Invocation,
    ) -> Result<Reply, ApiError> {
        let change = |OrderLine { sku, quantity, .. }: &OrderLine| json!({ "sku": sku, "change": quantity.saturating_mul(sign) });
        let movement = json!({
            "reference": format!("{}{suffix}", order.id),
            "lines": order.lines.iter().map(change).collect::<Vec<_>>(),
            "is_return": sign > 0,
        });
        let path = "/inventory".to_owned();
        self.api.send(Call::with_body(client::Method::POST, path, &movement, invocation)).await
    }
}

impl Made for Order {
    const SUBJECT: &'static str = "order_id";

    fn id(&self) -> Id {
        self.id
    }

    fn made_at(self, time: String) -> Self {
        Self { updated_at: time, ..self }
    }

    fn place(&self) -> Option<Place> {
        Some(Place::waiting(PENDING, self.id, self.id.created_at()))
    }
}

impl<A: Api> Make for Orders<A> {
    type Asked = NewOrder;
    type Made = Order;

    fn table(&self) -> &Table {
        &self.table
    }

    /// The order at current prices.
    async fn draft(
        &self,
        asked: &NewOrder,
        client_id: &ClientId<'_>,
        invocation: &Invocation,
    ) -> Result<Result<Order, Refusal>, ApiError> {
        let merged = merged(&asked.lines.0);
        let prices = self.prices(merged.iter().map(|(sku, _)| sku), invocation).await?;
        let mut total = Money::zero(self.currency);
        let mut lines = Vec::with_capacity(merged.len());
        for (sku, quantity) in merged {
            let at = position(asked, &sku);
            let unit_price = match prices.iter().find(|item| item.sku == sku).map(|item| item.unit_price) {
                None => return Ok(Err(Reason::UnknownSku.at(format!("lines[{at}].sku")))),
                Some(None) => return Ok(Err(Reason::NoPrice.at(format!("lines[{at}].sku")))),
                Some(Some(price)) => price,
            };
            let price = Money::new(unit_price, self.currency)
                .map_err(|error| ApiError::fault("upstream_answer", error.to_string()))?;
            let sum = price.times(quantity).and_then(|price| total.plus(price));
            total = sum.map_err(|error| {
                let message = format!("makes the total too large: {error}");
                ApiError::invalid(format!("lines[{at}].quantity"), message)
            })?;
            lines.push(OrderLine { sku, quantity, unit_price });
        }
        let id = invocation.draw()?;
        Ok(Ok(Order {
            id,
            status: Status::Pending,
            lines,
            total: total.minor(),
            currency: self.currency,
            customer: asked.customer.clone(),
            created_by: client_id.to_string(),
            created_at: stamp(id.created_at()),
            updated_at: stamp(id.created_at()),
            paid_at: None,
            payment_id: None,
        }))
    }

    /// Deducts the stock.
    async fn carry_out(
        &self,
        asked: &NewOrder,
        order: &Order,
        invocation: &Invocation,
    ) -> Result<Option<Refusal>, ApiError> {
        let reply = self.move_stock(order, "", -1, invocation).await?;
        if reply.status == 200 {
            return Ok(None);
        }
        let (code, field) = reply.error();
        let line = field
            .as_deref()
            .and_then(|field| field.strip_prefix("lines[")?.strip_suffix("].change")?.parse().ok());
        match line.and_then(|at: usize| order.lines.get(at)) {
            Some(line) if reply.status == 409 && code == "insufficient_stock" => {
                let at = position(asked, &line.sku);
                Ok(Some(Reason::InsufficientStock.at(format!("lines[{at}].quantity"))))
            }
            Some(_) | None => Err(reply.unexpected("the deduction")),
        }
    }
}

/// One line for each SKU, in the order in which they are first asked for.
fn merged(lines: &[NewOrderLine]) -> Vec<(Sku, i64)> {
    let mut merged: Vec<(Sku, i64)> = Vec::with_capacity(lines.len());
    for NewOrderLine { sku, quantity: Integer(quantity) } in lines {
        match merged.iter_mut().find(|(known, _)| known == sku) {
            Some((_, sum)) => *sum = sum.saturating_add(*quantity),
            None => merged.push((sku.clone(), *quantity)),
        }
    }
    merged
}

/// The first line that asks for this SKU.
fn position(asked: &NewOrder, sku: &Sku) -> usize {
    asked.lines.0.iter().position(|line| line.sku == *sku).unwrap_or(0)
}

impl<A: Api> Service for Orders<A> {
    const ROUTES: &'static [&'static str] =
        &["POST /orders", "GET /orders", "GET /orders/{id}", "PATCH /orders/{id}"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "POST /orders" => attempt::attempt(self, &request).await,
            "GET /orders" => {
                let page = PageOfDay::of(&request, "orders")?;
                let (orders, next_cursor) = page.read(&self.table, Order::id).await?;
                Answer::ok(&OrderPage { orders, next_cursor })
            }
            "GET /orders/{id}" => Answer::ok(&find::<Order>(&self.table, request.id(Order::SUBJECT)?).await?),
            "PATCH /orders/{id}" => {
                let status = request.body()?;
                Answer::ok(&self.change(request.id(Order::SUBJECT)?, status, request.invocation).await?)
            }
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }

    /// Cancels what has been pending for too long, and finishes what is half done.
    async fn scheduled(&self, _: Timestamp, invocation: &Invocation) -> Result<Swept, ApiError> {
        let (mut swept, now) = (Swept::default(), invocation.now());
        if let Some(due) = self.expiry.and_then(|expiry| now.checked_sub(expiry).ok()) {
            swept.add(&self.table, PENDING, due, invocation, |key| self.expire(key, invocation)).await?;
        }
        swept.add(&self.table, UNFINISHED, now, invocation, |key| self.finish(key, invocation)).await?;
        Ok(swept)
    }
}

#[cfg(test)]
mod tests;
