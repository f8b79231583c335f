//! Owns the orders' table: every attempt to place an order, by its caller and key, and the orders that stand, by the
//! day in their id.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `key#{client id}#{Idempotency-Key}` | `key` | `asked`, `content`, `phase`, `open_calls` (for its stock); `short_line` once rejected |
//! | `day#{day}` | the order's id | `content`, `order_status`; `is_returned` once it is cancelled |
//!
//! An order gets its second item when its stock is deducted, and is seen from then on.

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde::{Deserialize, Serialize};

use super::{
    StoreError, Table, Transaction,
    item::{Item, item, json, json_of, number, number_of, optional, text, text_of},
};
use crate::{
    day::Day,
    id::Id,
    money::Currency,
    text::{AttemptName, Customer, Sku},
};

const KEY: &str = "key";

/// What was asked for, to the letter: the same key with anything else is another request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The lines as they were sent.
    pub lines: Vec<AskedLine>,
    /// Whom it is for.
    pub customer: Option<Customer>,
}

/// One line as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: i64,
}

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
pub struct OrderLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: i64,
    /// For how much each, in minor units.
    pub unit_price: i64,
}

/// An attempt to place an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was asked for.
    pub asked: Asked,
    /// The order that it is to become.
    pub content: Content,
    /// How far it is.
    pub phase: Phase,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its stock may be deducted or not.
    Placing,
    /// Its stock is deducted, and the order stands.
    Placed,
    /// Its stock was not there and never will be deducted; which line of `asked` lacked.
    Rejected(usize),
}

/// The status of an order that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// The orders' table.
#[derive(Clone, Debug)]
pub struct OrderTable(Table);

impl OrderTable {
    /// The table of this name.
    pub const fn new(client: Client, name: String) -> Self {
        Self(Table::new(client, name))
    }

    /// The attempt of this name.
    pub async fn attempt(&self, name: &AttemptName) -> Result<Option<Attempt>, StoreError> {
        self.0.get(&attempt_pk(name), KEY).await?.as_ref().map(attempt_of).transpose()
    }

    /// Writes down an attempt and, where it is placing, the call for its stock that comes next; false where there is
    /// one of this name already.
    pub async fn begin(&self, name: &AttemptName, attempt: &Attempt, call: Id) -> Result<bool, StoreError> {
        let Attempt { asked, content, phase } = attempt;
        let mut new = item([
            ("pk", text(attempt_pk(name))),
            ("sk", text(KEY)),
            ("asked", json("asked", asked)?),
            ("content", json("content", content)?),
            ("phase", text(phase_name(*phase))),
            ("open_calls", set_of(call)),
        ]);
        if let Phase::Rejected(line) = phase {
            new.insert("short_line".to_owned(), short_line(*line));
        }
        self.0.put_if_new(new).await
    }

    /// Writes down another call for its stock, if it is placing still; says how far it is.
    pub async fn open_call(&self, name: &AttemptName, call: Id) -> Result<Phase, StoreError> {
        let values = item([(":call", set_of(call)), (":placing", text(phase_name(Phase::Placing)))]);
        let key = (&*attempt_pk(name), KEY);
        match self.0.update(key, "ADD open_calls :call", "phase = :placing", values).await? {
            Some(found) => phase_of(&found),
            None => self.phase(name).await,
        }
    }

    /// Makes the attempt an order: its stock is deducted. Says how far it is.
    pub async fn place(&self, name: &AttemptName, content: &Content) -> Result<Phase, StoreError> {
        let order = item([
            ("pk", text(day_pk(content.id.day()))),
            ("sk", text(content.id.to_string())),
            ("content", json("content", content)?),
            ("order_status", text(status_name(Status::Pending))),
        ]);
        let values = item([
            (":placed", text(phase_name(Phase::Placed))),
            (":placing", text(phase_name(Phase::Placing))),
        ]);
        let key = (&*attempt_pk(name), KEY);
        let placed = self.0.update_in(key, "SET phase = :placed", "phase = :placing", values)?;
        match self.0.transact(vec![self.0.put_new(order)?, placed]).await? {
            Transaction::Done => Ok(Phase::Placed),
            Transaction::Refused(_) => self.phase(name).await,
        }
    }

    /// Closes a call for the stock that was refused. Says how far the attempt is then.
    ///
    /// INVARIANT: it is rejected only if no other call is open. One that is may still deduct the stock, and then the
    /// attempt has to become an order.
    pub async fn reject(&self, name: &AttemptName, line: usize, call: Id) -> Result<Phase, StoreError> {
        let values = item([
            (":rejected", text(phase_name(Phase::Rejected(line)))),
            (":line", short_line(line)),
            (":placing", text(phase_name(Phase::Placing))),
            (":call", set_of(call)),
        ]);
        let key = (&*attempt_pk(name), KEY);
        let change = "SET phase = :rejected, short_line = :line";
        let rejected = self.0.update(key, change, "phase = :placing AND open_calls = :call", values).await?;
        if let Some(found) = rejected {
            return phase_of(&found);
        }
        let closed = item([(":call", set_of(call))]);
        let found = self.0.update(key, "DELETE open_calls :call", "attribute_exists(pk)", closed).await?;
        found.as_ref().map_or(Err(StoreError::Item("phase")), phase_of)
    }

    async fn phase(&self, name: &AttemptName) -> Result<Phase, StoreError> {
        self.attempt(name).await?.map(|attempt| attempt.phase).ok_or(StoreError::Item("phase"))
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

fn attempt_pk(name: &AttemptName) -> String {
    format!("key#{}#{}", name.client_id, name.key)
}

fn day_pk(day: Day) -> String {
    format!("day#{day}")
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Placing => "placing",
        Phase::Placed => "placed",
        Phase::Rejected(_) => "rejected",
    }
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Paid => "paid",
        Status::Cancelled => "cancelled",
    }
}

/// Calls are kept as a set, so that a write which is sent twice counts once.
fn set_of(call: Id) -> AttributeValue {
    AttributeValue::Ss(vec![call.to_string()])
}

fn short_line(line: usize) -> AttributeValue {
    number(i64::try_from(line).unwrap_or(i64::MAX))
}

fn phase_of(found: &Item) -> Result<Phase, StoreError> {
    match text_of(found, "phase")? {
        "placing" => Ok(Phase::Placing),
        "placed" => Ok(Phase::Placed),
        "rejected" => {
            let line = usize::try_from(number_of(found, "short_line")?);
            line.map(Phase::Rejected).map_err(|_| StoreError::Item("short_line"))
        }
        _ => Err(StoreError::Item("phase")),
    }
}

fn attempt_of(found: &Item) -> Result<Attempt, StoreError> {
    let (asked, content) = (json_of(found, "asked")?, json_of(found, "content")?);
    Ok(Attempt { asked, content, phase: phase_of(found)? })
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
