//! Owns the orders' table: every attempt to place an order, by its caller and key, and the orders that stand, by the
//! day in their id.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `key#{client id}#{Idempotency-Key}` | `key` | `asked`, `content`, `phase`, `open_calls` (for its stock); `short_line` once rejected |
//! | `day#{day}` | the order's id | `content`, `order_status`; `is_returned` once it is cancelled |
//!
//! An order gets its second item when its stock is deducted, and is seen from then on.

mod attempts;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};

pub use attempts::{Asked, AskedLine, Attempt, Phase};

use super::{
    StoreError, Table,
    item::{Item, item, json, json_of, number, number_of, optional, text, text_of},
};
use crate::{
    day::Day,
    id::Id,
    money::Currency,
    text::{Customer, Sku},
};

/// What never changes of an order once its prices are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The order's id.
    pub id: Id,
    /// One line for each SKU.
    pub lines: Vec<OrderLine>,
    /// The sum of the lines in minor units.
    pub total: i64,
    /// The currency of every amount in it.
    pub currency: Currency,
    /// Whom it is for.
    pub customer: Option<Customer>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: i64,
    /// For how much each, in minor units.
    pub unit_price: i64,
}

/// The status of an order that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", schemars(rename = "OrderStatus"))]
pub enum Status {
    /// Placed, not paid.
    Pending,
    /// Paid.
    Paid,
    /// Called off; its stock goes back.
    Cancelled,
}

/// An order that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What never changes of it.
    pub content: Content,
    /// Its status.
    pub status: Status,
    /// Whether the stock of a cancelled order has gone back.
    pub is_returned: bool,
}

impl Content {
    /// The item of an order that has just been placed.
    fn as_pending(&self) -> Result<Item, StoreError> {
        Ok(item([
            ("pk", text(day_pk(self.id.day()))),
            ("sk", text(self.id.to_string())),
            ("content", json("content", self)?),
            ("order_status", text(status_name(Status::Pending))),
        ]))
    }
}

/// The orders' table.
#[derive(Clone, Debug)]
pub struct OrderTable(Table);

impl OrderTable {
    /// The table of this name.
    pub const fn new(client: Client, name: String) -> Self {
        Self(Table::new(client, name))
    }

    /// The order with this id.
    pub async fn find(&self, id: Id) -> Result<Option<Order>, StoreError> {
        self.0.get(&day_pk(id.day()), &id.to_string()).await?.as_ref().map(order_of).transpose()
    }

    /// Up to `most` orders of a day in the order of their creation that come behind `after`, and whether there are
    /// more.
    pub async fn page(
        &self,
        day: Day,
        after: Option<Id>,
        most: i32,
    ) -> Result<(Vec<Order>, bool), StoreError> {
        let page = self.0.page(&day_pk(day), after.map(|id| id.to_string()).as_deref(), most).await?;
        Ok((page.items.iter().map(order_of).collect::<Result<_, _>>()?, page.has_more))
    }

    /// Changes a pending order to `status`; `None` where it is not pending, or not there.
    pub async fn leave_pending(&self, id: Id, status: Status) -> Result<Option<Order>, StoreError> {
        let values =
            item([(":status", text(status_name(status))), (":pending", text(status_name(Status::Pending)))]);
        let (pk, sk) = (day_pk(id.day()), id.to_string());
        let (change, condition) = ("SET order_status = :status", "order_status = :pending");
        self.0.update((&pk, &sk), change, condition, values).await?.as_ref().map(order_of).transpose()
    }

    /// Notes that the stock of a cancelled order has gone back.
    pub async fn note_returned(&self, id: Id) -> Result<(), StoreError> {
        let values = item([(":returned", number(1)), (":cancelled", text(status_name(Status::Cancelled)))]);
        let (pk, sk) = (day_pk(id.day()), id.to_string());
        let (change, condition) = ("SET is_returned = :returned", "order_status = :cancelled");
        let noted = self.0.update((&pk, &sk), change, condition, values).await?;
        noted.map(|_| ()).ok_or(StoreError::Item("order_status"))
    }
}

fn day_pk(day: Day) -> String {
    format!("day#{day}")
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Paid => "paid",
        Status::Cancelled => "cancelled",
    }
}

fn order_of(found: &Item) -> Result<Order, StoreError> {
    let status = match text_of(found, "order_status")? {
        "pending" => Status::Pending,
        "paid" => Status::Paid,
        "cancelled" => Status::Cancelled,
        _ => return Err(StoreError::Item("order_status")),
    };
    let is_returned = optional(found, "is_returned", number_of)?.is_some();
    Ok(Order { content: json_of(found, "content")?, status, is_returned })
}
