//! Owns the attempts to place an order: what was asked for, what it is to become, and how far it is.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{Content, OrderTable};
use crate::{
    id::Id,
    store::{
        StoreError, Transaction,
        item::{Item, item, json, json_of, number, number_of, text, text_of},
    },
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

impl OrderTable {
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
        let values = item([
            (":placed", text(phase_name(Phase::Placed))),
            (":placing", text(phase_name(Phase::Placing))),
        ]);
        let key = (&*attempt_pk(name), KEY);
        let placed = self.0.update_in(key, "SET phase = :placed", "phase = :placing", values)?;
        match self.0.transact(vec![self.0.put_new(content.as_pending()?)?, placed]).await? {
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
}

fn attempt_pk(name: &AttemptName) -> String {
    format!("key#{}#{}", name.client_id, name.key)
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Placing => "placing",
        Phase::Placed => "placed",
        Phase::Rejected(_) => "rejected",
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
