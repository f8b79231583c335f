//! Owns the payments' table: every attempt to pay, by its caller and key; the one payment that an order may have;
//! and the payments that are settled, by the day in their id.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `key#{client id}#{Idempotency-Key}` | `key` | `asked`, `payment`, `phase` |
//! | `order#{order id}` | `order` | `attempt`: the pk of the attempt that pays the order |
//! | `day#{day}` | the payment's id | `payment` |

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};

use super::{
    StoreError, Table, Transaction,
    item::{Item, item, json, json_of, text, text_of},
};
use crate::{day::Day, id::Id, money::Currency, text::AttemptName};

const KEY: &str = "key";
const ORDER: &str = "order";

/// What was asked for, to the letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The order to pay.
    pub order_id: Id,
    /// How much, in minor units.
    pub amount: i64,
    /// In which currency, if that was said.
    pub currency: Option<Currency>,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: Id,
    /// The order that it pays.
    pub order_id: Id,
    /// How much, in minor units.
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
}

/// An attempt to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Where it is kept.
    pk: String,
    /// What was asked for.
    pub asked: Asked,
    /// The payment that it is to become.
    pub payment: Payment,
    /// How far it is.
    pub phase: Phase,
}

impl Attempt {
    /// Whether this is its name.
    pub fn is_of(&self, name: &AttemptName) -> bool {
        self.pk == attempt_pk(name)
    }
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The order is reserved for it, and may be set to paid or not.
    Settling,
    /// The order is paid.
    Settled,
    /// The order was cancelled before it was paid.
    Rejected,
}

/// What became of the beginning of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is written down, and the order is reserved for it.
    Now(Attempt),
    /// There is an attempt of this name already.
    Before,
    /// Another payment has the order.
    OrderTaken,
}

/// The payments' table.
#[derive(Clone, Debug)]
pub struct PaymentTable(Table);

impl PaymentTable {
    /// The table of this name.
    pub const fn new(client: Client, name: String) -> Self {
        Self(Table::new(client, name))
    }

    /// The attempt of this name.
    pub async fn attempt(&self, name: &AttemptName) -> Result<Option<Attempt>, StoreError> {
        self.attempt_at(&attempt_pk(name)).await
    }

    /// The attempt that has this order.
    pub async fn attempt_on(&self, order_id: Id) -> Result<Option<Attempt>, StoreError> {
        match self.0.get(&order_pk(order_id), ORDER).await? {
            Some(found) => self.attempt_at(text_of(&found, "attempt")?).await,
            None => Ok(None),
        }
    }

    async fn attempt_at(&self, pk: &str) -> Result<Option<Attempt>, StoreError> {
        self.0.get(pk, KEY).await?.as_ref().map(attempt_of).transpose()
    }

    /// Writes down an attempt and reserves its order, or neither.
    pub async fn begin(
        &self,
        name: &AttemptName,
        asked: Asked,
        payment: Payment,
    ) -> Result<Begun, StoreError> {
        let pk = attempt_pk(name);
        let attempt = self.0.put_new(item([
            ("pk", text(pk.as_str())),
            ("sk", text(KEY)),
            ("asked", json("asked", &asked)?),
            ("payment", json("payment", &payment)?),
            ("phase", text(phase_name(Phase::Settling))),
        ]))?;
        let order = self.0.put_new(item([
            ("pk", text(order_pk(payment.order_id))),
            ("sk", text(ORDER)),
            ("attempt", text(pk.as_str())),
        ]))?;
        Ok(match self.0.transact(vec![attempt, order]).await? {
            Transaction::Done => Begun::Now(Attempt { pk, asked, payment, phase: Phase::Settling }),
            Transaction::Refused(failed) if failed.first() == Some(&true) => Begun::Before,
            Transaction::Refused(_) => Begun::OrderTaken,
        })
    }

    /// Makes the attempt a payment: its order is paid. Says how far it is.
    pub async fn settle(&self, attempt: &Attempt) -> Result<Phase, StoreError> {
        let payment = &attempt.payment;
        let settled = self.0.put_new(item([
            ("pk", text(day_pk(payment.id.day()))),
            ("sk", text(payment.id.to_string())),
            ("payment", json("payment", payment)?),
        ]))?;
        let key = (attempt.pk.as_str(), KEY);
        let change = self.0.update_in(key, LEAVE, IF_SETTLING, leaving(Phase::Settled))?;
        match self.0.transact(vec![settled, change]).await? {
            Transaction::Done => Ok(Phase::Settled),
            Transaction::Refused(_) => self.phase(attempt).await,
        }
    }

    /// Gives the attempt up: its order is cancelled. Says how far it is.
    pub async fn reject(&self, attempt: &Attempt) -> Result<Phase, StoreError> {
        let key = (attempt.pk.as_str(), KEY);
        match self.0.update(key, LEAVE, IF_SETTLING, leaving(Phase::Rejected)).await? {
            Some(found) => phase_of(&found),
            None => self.phase(attempt).await,
        }
    }

    async fn phase(&self, attempt: &Attempt) -> Result<Phase, StoreError> {
        let found = self.attempt_at(&attempt.pk).await?;
        found.map(|attempt| attempt.phase).ok_or(StoreError::Item("phase"))
    }

    /// The settled payment with this id.
    pub async fn find(&self, id: Id) -> Result<Option<Payment>, StoreError> {
        self.0.get(&day_pk(id.day()), &id.to_string()).await?.as_ref().map(payment_of).transpose()
    }

    /// Up to `most` settled payments of a day in the order of their creation that come behind `after`, and whether
    /// there are more.
    pub async fn page(
        &self,
        day: Day,
        after: Option<Id>,
        most: i32,
    ) -> Result<(Vec<Payment>, bool), StoreError> {
        let page = self.0.page(&day_pk(day), after.map(|id| id.to_string()).as_deref(), most).await?;
        Ok((page.items.iter().map(payment_of).collect::<Result<_, _>>()?, page.has_more))
    }
}

const LEAVE: &str = "SET phase = :phase";
const IF_SETTLING: &str = "phase = :settling";

fn leaving(phase: Phase) -> Item {
    item([(":phase", text(phase_name(phase))), (":settling", text(phase_name(Phase::Settling)))])
}

fn attempt_pk(name: &AttemptName) -> String {
    format!("key#{}#{}", name.client_id, name.key)
}

fn order_pk(order_id: Id) -> String {
    format!("order#{order_id}")
}

fn day_pk(day: Day) -> String {
    format!("day#{day}")
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Settling => "settling",
        Phase::Settled => "settled",
        Phase::Rejected => "rejected",
    }
}

fn phase_of(found: &Item) -> Result<Phase, StoreError> {
    match text_of(found, "phase")? {
        "settling" => Ok(Phase::Settling),
        "settled" => Ok(Phase::Settled),
        "rejected" => Ok(Phase::Rejected),
        _ => Err(StoreError::Item("phase")),
    }
}

fn attempt_of(found: &Item) -> Result<Attempt, StoreError> {
    let pk = text_of(found, "pk")?.to_owned();
    let (asked, payment) = (json_of(found, "asked")?, json_of(found, "payment")?);
    Ok(Attempt { pk, asked, payment, phase: phase_of(found)? })
}

fn payment_of(found: &Item) -> Result<Payment, StoreError> {
    json_of(found, "payment")
}
