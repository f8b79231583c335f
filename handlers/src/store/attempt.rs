//! The records of attempts, by their caller and key: what was asked for, what it is to become, and how far it is.
//!
//! `key#{client id}#{Idempotency-Key}` / `key` with `asked`, `becomes`, `phase`, `refusal`. One that is open stands in
//! the index; one that has ended is deleted by DynamoDB some time after `expires_at`.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Change, Key, Place, StoreError, Table, Transaction, partition};
use crate::{day::stamp, error::Refusal, id::Id, text::AttemptName};

/// How long the answer to a key is kept once it is known: 30 days.
pub(crate) const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The list of what is half done.
pub(crate) const UNFINISHED: &str = "unfinished";

/// The sort key of every attempt.
pub(crate) const KEY: &str = "key";

/// An attempt to make something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt<A, T> {
    /// What was asked for, to the letter: the same key with anything else is another request.
    pub(crate) asked: A,
    /// What it is to become, or became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) becomes: Option<T>,
    pub(crate) phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// What it takes may be done or not.
    Open,
    Done,
    /// Refused for good.
    Refused,
}

impl<A, T> Attempt<A, T> {
    pub(crate) const fn open(asked: A, becomes: T) -> Self {
        Self { asked, becomes: Some(becomes), phase: Phase::Open, refusal: None, expires_at: None }
    }

    pub(crate) fn refused(asked: A, refusal: Refusal, now: Timestamp) -> Self {
        let (refusal, expires_at) = (Some(refusal), Some(expiry(now)));
        Self { asked, becomes: None, phase: Phase::Refused, refusal, expires_at }
    }
}

/// The key of the attempt of this name.
pub(crate) fn attempt_key(name: &AttemptName) -> Key {
    Key::new(format!("key#{}#{}", name.client_id, name.key), KEY)
}

/// Where something half done waits to be finished, since `now`.
pub(crate) fn unfinished(id: Id, now: Timestamp) -> Place {
    Place { list_pk: partition(UNFINISHED, id.shard()), list_sk: format!("{}#{id}", stamp(now)) }
}

impl Table {
    /// Writes an attempt down, and `reserved` with it. What is refused from the start needs no finishing.
    pub(crate) async fn begin<A: Serialize, T: Serialize>(
        &self,
        key: &Key,
        attempt: &Attempt<A, T>,
        id: Id,
        reserved: Option<TransactWriteItem>,
        now: Timestamp,
    ) -> Result<Transaction, StoreError> {
        let place = (attempt.phase == Phase::Open).then(|| unfinished(id, now));
        let put = self.put_new(key, place.as_ref(), attempt)?;
        self.transact(std::iter::once(put).chain(reserved).collect()).await
    }

    /// Ends an attempt as made, and writes what it became; does nothing if it has ended already.
    pub(crate) async fn finish<T: Serialize>(
        &self,
        key: &Key,
        made: &T,
        item: TransactWriteItem,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = ending(Phase::Done, now)?.set("becomes", made)?;
        self.transact(vec![self.change(key, &change)?, item]).await.map(|_| ())
    }

    /// Ends an attempt as refused; does nothing if it has ended already.
    pub(crate) async fn refuse(
        &self,
        key: &Key,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = ending(Phase::Refused, now)?.set("refusal", refusal)?;
        self.transact(vec![self.change(key, &change)?]).await.map(|_| ())
    }
}

fn ending(phase: Phase, now: Timestamp) -> Result<Change, StoreError> {
    let change = Change::default().set("phase", &phase)?.set("expires_at", &expiry(now))?;
    change.unlist().only_if("phase", "=", &Phase::Open)
}

fn expiry(now: Timestamp) -> i64 {
    now.as_second().saturating_add(KEPT_SECONDS)
}
