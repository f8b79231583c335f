//! Owns one DynamoDB table: reads, conditional writes, transactions and how their failures are told apart. The only
//! place, with the files below it, that knows of items and keys. Rules of the business are left to the services.
//!
//! Every table has the string keys `pk` and `sk` and no index. Reads are consistent throughout.

mod error;
pub mod inventory;
mod item;
pub mod orders;
pub mod payments;
pub mod reports;

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    operation::{
        put_item::PutItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::{AttributeValue, KeysAndAttributes, Put, ReturnValue, TransactWriteItem, Update},
};

pub use error::StoreError;
use error::{failed, is_conflict};
use item::{Item, text};

/// How often a write is tried that lost against another of the same moment.
const TRIES: u32 = 10;

/// The condition of an item that must not be there yet.
const IF_NEW: &str = "attribute_not_exists(pk)";

/// The first pause between two tries; each later one is at most twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// All of it happened.
    Done,
    /// None of it happened: for each write in order, whether its condition failed.
    Refused(Vec<bool>),
}

/// A page of a partition.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Item>,
    /// Whether there is more behind the last item.
    pub(crate) has_more: bool,
}

/// One table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub(crate) const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let request = request.key("pk", text(pk)).key("sk", text(sk));
        Ok(request.send().await.map_err(failed("GetItem"))?.item)
    }

    /// The items of these keys, in no order; those that do not exist are left out.
    pub(crate) async fn get_all(&self, pk: &str, sks: &[&str]) -> Result<Vec<Item>, StoreError> {
        let keys = sks.iter().map(|sk| key(pk, sk)).collect();
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let wanted = wanted.build().map_err(|_| StoreError::Item("keys"))?;
        let mut wanted = HashMap::from([(self.name.clone(), wanted)]);
        let mut items = Vec::with_capacity(sks.len());
        for attempt in 0..TRIES {
            let request = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = request.send().await.map_err(failed("BatchGetItem"))?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(items);
            }
            pause(attempt).await;
        }
        Err(StoreError::Busy)
    }

    /// Up to `most` items of a partition, in the order of their sort keys, that come behind `after`.
    pub(crate) async fn page(&self, pk: &str, after: Option<&str>, most: i32) -> Result<Page, StoreError> {
        let request = self.client.query().table_name(&self.name).consistent_read(true);
        let request =
            request.key_condition_expression("pk = :pk").expression_attribute_values(":pk", text(pk));
        // One more than asked for tells whether there is more.
        let request = request.limit(most + 1).set_exclusive_start_key(after.map(|sk| key(pk, sk)));
        let answer = request.send().await.map_err(failed("Query"))?;
        let mut items = answer.items.unwrap_or_default();
        let most = usize::try_from(most).unwrap_or(0);
        let has_more = items.len() > most || answer.last_evaluated_key.is_some();
        items.truncate(most);
        Ok(Page { items, has_more })
    }

    /// Writes all or nothing. Tries again where others write the same items at the same moment.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Transaction, StoreError> {
        for attempt in 0..TRIES {
            let request = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let Err(error) = request.send().await else { return Ok(Transaction::Done) };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancelled.cancellation_reasons()
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => &[],
                _ => return Err(failed("TransactWriteItems")(error)),
            };
            let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
            // INVARIANT: a failed condition decides only where nothing else was in the way. Beside a conflict it may
            // be the work of the very transaction that we lost against, and then the next try tells.
            if reasons.is_empty()
                || has("TransactionConflict")
                || has("ThrottlingError")
                || has("ProvisionedThroughputExceeded")
            {
                pause(attempt).await;
            } else if has("ConditionalCheckFailed") {
                let failed = reasons.iter().map(|reason| reason.code() == Some("ConditionalCheckFailed"));
                return Ok(Transaction::Refused(failed.collect()));
            } else {
                return Err(failed("TransactWriteItems")(error));
            }
        }
        Err(StoreError::Busy)
    }

    /// Changes one item under a condition and returns it as it is then; `None` where the condition failed.
    pub(crate) async fn update(
        &self,
        (pk, sk): (&str, &str),
        change: &str,
        condition: &str,
        values: Item,
    ) -> Result<Option<Item>, StoreError> {
        for attempt in 0..TRIES {
            let request = self.client.update_item().table_name(&self.name).set_key(Some(key(pk, sk)));
            let request = request.update_expression(change).condition_expression(condition);
            let request = request.set_expression_attribute_values(Some(values.clone()));
            match request.return_values(ReturnValue::AllNew).send().await {
                Ok(answer) => return Ok(answer.attributes),
                Err(error) if is_conflict(&error) => pause(attempt).await,
                Err(error) => match error.as_service_error() {
                    Some(UpdateItemError::ConditionalCheckFailedException(_)) => return Ok(None),
                    _ => return Err(failed("UpdateItem")(error)),
                },
            }
        }
        Err(StoreError::Busy)
    }

    /// Writes an item in place of any before, under a condition on that one; false where it failed.
    pub(crate) async fn put_if(
        &self,
        item: Item,
        condition: &str,
        values: Option<Item>,
    ) -> Result<bool, StoreError> {
        for attempt in 0..TRIES {
            let request = self.client.put_item().table_name(&self.name).set_item(Some(item.clone()));
            let request = request.condition_expression(condition);
            match request.set_expression_attribute_values(values.clone()).send().await {
                Ok(_) => return Ok(true),
                Err(error) if is_conflict(&error) => pause(attempt).await,
                Err(error) => match error.as_service_error() {
                    Some(PutItemError::ConditionalCheckFailedException(_)) => return Ok(false),
                    _ => return Err(failed("PutItem")(error)),
                },
            }
        }
        Err(StoreError::Busy)
    }

    /// Writes an item; false where there is one already.
    pub(crate) async fn put_if_new(&self, item: Item) -> Result<bool, StoreError> {
        self.put_if(item, IF_NEW, None).await
    }

    /// A write for a transaction: an item that must not be there yet.
    pub(crate) fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = put.condition_expression(IF_NEW).build();
        let put = put.map_err(|_| StoreError::Item("item"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A write for a transaction: a change of one item under a condition, both with these values.
    pub(crate) fn update_in(
        &self,
        (pk, sk): (&str, &str),
        change: &str,
        condition: &str,
        values: Item,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder().table_name(&self.name).set_key(Some(key(pk, sk)));
        let update = update.update_expression(change).condition_expression(condition);
        let update = update.set_expression_attribute_values(Some(values)).build();
        let update = update.map_err(|_| StoreError::Item("update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// Waits between two tries, up to twice as long each time, and for a random part of that, so that those who met
/// once do not meet again.
async fn pause(attempt: u32) {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE);
    let random = RandomState::new().build_hasher().finish();
    let part = f64::from(u32::try_from(random >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    tokio::time::sleep(longest.mul_f64(part)).await;
}

#[cfg(test)]
mod tests;
