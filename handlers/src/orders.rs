//! Owns the order service: placing an order, its status, and its lists. Stock is the inventory's, and is asked for
//! through the API. Event JSON and items are left to others.

mod place;
mod stock;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};

pub use place::NewOrder;

use crate::{
    config::Config,
    cursor,
    day::Day,
    entry::{Answer, Request, Service},
    error::ApiError,
    id::{Id, Ids},
    money::Currency,
    store::orders::{Content, OrderLine, OrderTable, Status},
    text::Customer,
    upstream::{Api, Trace},
};

/// The scopes that the service calls the inventory with.
pub const SCOPES: &[&str] = &["inventory/read", "inventory/write"];

/// The most orders of one page.
const PAGE: i32 = 100;

/// The list that cursors belong to.
const LIST: &str = "orders";

/// The order service.
#[derive(Debug)]
pub struct Orders<A> {
    table: OrderTable,
    api: A,
    ids: Ids,
    currency: Currency,
}

/// An order as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Order"))]
pub struct OrderView {
    order_id: Id,
    status: Status,
    lines: Vec<OrderLine>,
    total: i64,
    currency: Currency,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Customer>,
}

impl OrderView {
    fn new(content: Content, status: Status) -> Self {
        let Content { id, lines, total, currency, customer } = content;
        let created_at = format!("{:.3}", id.created_at());
        Self { order_id: id, status, lines, total, currency, created_at, customer }
    }
}

/// A page of the orders of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderPage {
    orders: Vec<OrderView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What an order may be changed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", expecting = "`paid` or `cancelled`")]
pub enum NewStatus {
    /// It is paid.
    Paid,
    /// It is called off.
    Cancelled,
}

/// What an order's status is asked to become.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "NewOrderStatus"))]
pub struct Change {
    status: NewStatus,
}

impl<A: Api> Orders<A> {
    /// The service over the table that `config` names; the inventory is reached by `api`.
    pub fn new(dynamodb: Client, api: A, config: Config) -> Self {
        let Config { table_name, currency } = config;
        Self { table: OrderTable::new(dynamodb, table_name), api, ids: Ids::default(), currency }
    }

    /// Changes a pending order to paid or cancelled. Stock goes back once; where that was interrupted, the same
    /// change again finishes it.
    ///
    /// # Errors
    /// 404; 409 `invalid_transition` for an order that is not pending.
    pub async fn change(&self, id: Id, status: NewStatus, trace: Trace) -> Result<OrderView, ApiError> {
        let to = match status {
            NewStatus::Paid => Status::Paid,
            NewStatus::Cancelled => Status::Cancelled,
        };
        let order = if let Some(order) = self.table.leave_pending(id, to).await? {
            order
        } else {
            let order = self.table.find(id).await?.ok_or_else(ApiError::not_found)?;
            let is_unfinished = order.status == Status::Cancelled && !order.is_returned;
            if !(is_unfinished && to == Status::Cancelled) {
                let message = "only a pending order can be changed";
                return Err(ApiError::conflict("invalid_transition", message).at("status"));
            }
            order
        };
        // INVARIANT: the order is cancelled before its stock goes back, so that nobody pays for what is on sale again.
        if to == Status::Cancelled {
            self.return_stock(&order.content, trace).await?;
            self.table.note_returned(id).await?;
        }
        Ok(OrderView::new(order.content, order.status))
    }

    /// One order.
    ///
    /// # Errors
    /// 404, also for an order whose stock is not deducted yet.
    pub async fn find(&self, id: Id) -> Result<OrderView, ApiError> {
        let order = self.table.find(id).await?.ok_or_else(ApiError::not_found)?;
        Ok(OrderView::new(order.content, order.status))
    }

    /// A page of the orders of a day in the order of their creation, from the start or from behind an order.
    pub async fn list(&self, day: Day, after: Option<Id>) -> Result<OrderPage, ApiError> {
        let (orders, has_more) = self.table.page(day, after, PAGE).await?;
        let last = orders.last().filter(|_| has_more);
        let next_cursor = last.map(|order| cursor::encode(LIST, &order.content.id.to_string()));
        let orders = orders.into_iter().map(|order| OrderView::new(order.content, order.status));
        Ok(OrderPage { orders: orders.collect(), next_cursor })
    }
}

impl<A: Api> Service for Orders<A> {
    const ROUTES: &'static [&'static str] =
        &["POST /orders", "GET /orders", "GET /orders/{id}", "PATCH /orders/{id}"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "POST /orders" => {
                let (name, order) = (request.attempt_name()?, request.body()?);
                Answer::created(&self.place(&name, order, request.now(), request.trace()).await?)
            }
            "GET /orders" => {
                let (day, after) = request.page_of_day(LIST)?;
                Answer::ok(&self.list(day, after).await?)
            }
            "GET /orders/{id}" => Answer::ok(&self.find(request.id()?).await?),
            "PATCH /orders/{id}" => {
                let Change { status } = request.body()?;
                Answer::ok(&self.change(request.id()?, status, request.trace()).await?)
            }
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
