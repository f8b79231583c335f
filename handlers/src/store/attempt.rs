//! The records of attempts, by their caller and key: what was asked for, and how far it is.
//!
//! `key#{client id}#{Idempotency-Key}` / `key` with `asked`, `phase`, `becomes`, `refusal`. One that is open stands in
//! the index; one that has ended is deleted by DynamoDB some time after `expires_at`.

use access::ClientId;
use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Change, Key, StoreError, Table, Transaction};
use crate::{error::Refusal, text::IdempotencyKey};

/// How long the answer to a key is kept once it is known: 30 days.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The list of what is half done.
pub(crate) const UNFINISHED: &str = "unfinished";

/// The sort key of every attempt.
pub(crate) const KEY: &str = "key";

/// An attempt to make something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt<A, T> {
    /// What was asked for, to the letter: the same key with anything else is another request.
    pub(crate) asked: A,
    #[serde(flatten)]
    pub(crate) phase: Phase<T>,
    /// In seconds, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
}

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub(crate) enum Phase<T> {
    /// What it takes may be done or not.
    Open {
        becomes: T,
    },
    Done {
        becomes: T,
    },
    /// Refused for good.
    Refused {
        refusal: Refusal,
    },
}

/// The key of an attempt. The same `Idempotency-Key` of another caller is another attempt.
pub(crate) fn attempt_key(client_id: &ClientId<'_>, key: &IdempotencyKey) -> Key {
    Key::new(format!("key#{client_id}#{key}"), KEY)
}

impl Table {
    /// Ends an attempt, and writes what it became with it. Refused where it has ended already.
    pub(crate) async fn end<T: Serialize>(
        &self,
        key: &Key,
        end: &Phase<T>,
        made: Option<TransactWriteItem>,
        now: Timestamp,
    ) -> Result<Transaction, StoreError> {
        #[derive(Serialize)]
        struct Values<'a, T> {
            #[serde(flatten)]
            end: &'a Phase<T>,
            open: &'static str,
            expires_at: i64,
        }
        let outcome = match end {
            Phase::Open { .. } | Phase::Done { .. } => "becomes",
            Phase::Refused { .. } => "refusal",
        };
        let update = format!(
            "SET #phase = :phase, #{outcome} = :{outcome}, #expires_at = :expires_at REMOVE #list_pk, #list_sk"
        );
        let values = Values { end, open: "open", expires_at: expiry(now) };
        let change = self.change(key, &Change::new(update, "#phase = :open", &values)?)?;
        self.transact(std::iter::once(change).chain(made).collect()).await
    }
}

/// When an attempt that ends now is forgotten, in seconds.
pub(crate) fn expiry(now: Timestamp) -> i64 {
    now.as_second().saturating_add(KEPT_SECONDS)
}
