//! One DynamoDB table: reads, conditional writes, transactions, lists over several partitions, and how their failures
//! are told apart. Only this file and those below it know of items and keys.
//!
//! Every table has the string keys `pk` and `sk`. An item that is listed across partitions, or has to be finished, also
//! has `list_pk` and `list_sk`, the keys of the sparse index `lists`. No partition key is shared by all items of a kind:
//! where there is no natural one, items are spread over [`SHARDS`]. Reads of the table itself are consistent.

pub(crate) mod attempt;
mod error;
pub(crate) mod expression;
pub(crate) mod inventory;
pub(crate) mod orders;
pub(crate) mod reports;

use std::{
    collections::HashMap,
    future::Future,
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    types::{AttributeValue, Delete, KeysAndAttributes, Put, ReturnValue, TransactWriteItem, Update},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{day::stamp, id::Id};
pub use error::StoreError;
use error::{WriteError, failed_condition, refused};
pub(crate) use expression::Change;

/// How many partitions share the items of a kind or of a day. A day keeps what it began with, so it never changes.
pub const SHARDS: u8 = 8;

/// The index over what is listed, or has to be finished.
const LISTS: &str = "lists";

/// How often a write is tried that lost against another of the same moment.
const TRIES: u32 = 10;

/// The first pause between two tries; each later one is at most twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// An item by the names of its attributes.
type Item = HashMap<String, AttributeValue>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// The keys of an item in the index. No two items share them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) list_pk: String,
    pub(crate) list_sk: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// All of it happened.
    Done,
    /// None of it happened: the first write whose condition failed.
    Refused(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Table,
    Index,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    client: Client,
    name: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    fn item(&self) -> Item {
        HashMap::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }
}

impl Place {
    /// Where something waits in `list` since then.
    pub(crate) fn waiting(list: &str, id: Id, since: Timestamp) -> Self {
        Self { list_pk: partition(list, id.shard()), list_sk: format!("{}#{id}", stamp(since)) }
    }

    fn item(&self) -> Item {
        HashMap::from([
            ("list_pk".to_owned(), text(&self.list_pk)),
            ("list_sk".to_owned(), text(&self.list_sk)),
        ])
    }
}

/// The partition key of a shard of `list`.
pub(crate) fn partition(list: &str, shard: u8) -> String {
    format!("{list}#{shard}")
}

impl Table {
    pub(crate) const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let answer = request.set_key(Some(key.item())).send().await;
        answer.map_err(|error| refused("GetItem", &error))?.item.map(read).transpose()
    }

    /// Whether an item is in the index.
    pub(crate) async fn is_listed(&self, key: &Key) -> Result<bool, StoreError> {
        #[derive(Deserialize)]
        struct Listed {
            list_pk: Option<String>,
        }
        Ok(self.get::<Listed>(key).await?.is_some_and(|listed| listed.list_pk.is_some()))
    }

    /// The items of these keys, 100 at most, in no order; those that do not exist are left out.
    pub(crate) async fn get_all<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<T>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.iter().map(Key::item).collect()));
        let wanted = wanted.consistent_read(true).build().map_err(|_| StoreError::Item("keys"))?;
        let mut wanted = HashMap::from([(self.name.clone(), wanted)]);
        let mut items = Vec::with_capacity(keys.len());
        for attempt in 0..TRIES {
            let request = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = request.send().await.map_err(|error| refused("BatchGetItem", &error))?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return items.into_iter().map(read).collect();
            }
            pause(attempt).await;
        }
        Err(StoreError::Busy)
    }

    /// Up to `most` items of one partition in order, after the sort key `after`, and whether there are more.
    pub(crate) async fn query<T: DeserializeOwned>(
        &self,
        source: Source,
        partition: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<(Vec<T>, bool), StoreError> {
        let request = self.client.query().table_name(&self.name).limit(one_more(most));
        let request = request.expression_attribute_values(":pk", text(partition));
        let (hash, sort, request) = match source {
            Source::Table => ("pk", "sk", request.consistent_read(true)),
            Source::Index => ("list_pk", "list_sk", request.index_name(LISTS)),
        };
        let request = match after {
            None => request.key_condition_expression(format!("{hash} = :pk")),
            Some(after) => request
                .key_condition_expression(format!("{hash} = :pk AND {sort} > :after"))
                .expression_attribute_values(":after", text(after)),
        };
        let answer = request.send().await.map_err(|error| refused("Query", &error))?;
        page(answer.items, answer.last_evaluated_key.as_ref(), most)
    }

    /// Up to `most` items of the whole index after the item `after`, in DynamoDB's own order, and whether there are more.
    pub(crate) async fn scan<T: DeserializeOwned>(
        &self,
        after: Option<(Key, Place)>,
        most: usize,
    ) -> Result<(Vec<T>, bool), StoreError> {
        let start = after.map(|(key, place)| key.item().into_iter().chain(place.item()).collect());
        let request = self.client.scan().table_name(&self.name).index_name(LISTS).limit(one_more(most));
        let answer = request.set_exclusive_start_key(start).send().await;
        let answer = answer.map_err(|error| refused("Scan", &error))?;
        page(answer.items, answer.last_evaluated_key.as_ref(), most)
    }

    /// Writes all or nothing.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Transaction, StoreError> {
        let write = || self.client.transact_write_items().set_transact_items(Some(writes.clone())).send();
        let written = until_free("TransactWriteItems", write).await?;
        Ok(written.map_or_else(Transaction::Refused, |_| Transaction::Done))
    }

    /// Changes one item under a condition and returns it as it is then; `None` where the condition failed.
    pub(crate) async fn update<T: DeserializeOwned>(
        &self,
        key: &Key,
        change: &Change,
    ) -> Result<Option<T>, StoreError> {
        let write = || {
            let request = self.client.update_item().table_name(&self.name).set_key(Some(key.item()));
            let request = request.update_expression(&change.update);
            let request = request.set_condition_expression(change.condition.clone());
            let request = request.set_expression_attribute_names(Some(change.names.clone()));
            let request = request.set_expression_attribute_values(Some(change.values.clone()));
            request.return_values(ReturnValue::AllNew).send()
        };
        let written = until_free("UpdateItem", write).await?;
        written.ok().and_then(|answer| answer.attributes).map(read).transpose()
    }

    /// A write for a transaction: an item that must not be there yet.
    pub(crate) fn put_new(
        &self,
        key: &Key,
        place: Option<&Place>,
        item: &impl Serialize,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = write(key, item)?;
        item.extend(place.into_iter().flat_map(Place::item));
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)").build();
        Ok(TransactWriteItem::builder().put(put.map_err(|_| StoreError::Item("item"))?).build())
    }

    /// A write for a transaction: a change of one item.
    pub(crate) fn change(&self, key: &Key, change: &Change) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder().table_name(&self.name).set_key(Some(key.item()));
        let update = update.update_expression(&change.update);
        let update = update.set_condition_expression(change.condition.clone());
        let update = update.set_expression_attribute_names(Some(change.names.clone()));
        let update = update.set_expression_attribute_values(Some(change.values.clone())).build();
        Ok(TransactWriteItem::builder().update(update.map_err(|_| StoreError::Item("update"))?).build())
    }

    /// Writes an item in place of any before.
    pub(crate) async fn put(&self, key: &Key, item: &impl Serialize) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.name).set_item(Some(write(key, item)?));
        request.send().await.map(|_| ()).map_err(|error| refused("PutItem", &error))
    }

    /// Deletes up to 100 items.
    pub(crate) async fn delete(&self, keys: &[Key]) -> Result<(), StoreError> {
        let delete = |key: &Key| {
            let delete = Delete::builder().table_name(&self.name).set_key(Some(key.item())).build();
            Ok(TransactWriteItem::builder().delete(delete.map_err(|_| StoreError::Item("key"))?).build())
        };
        self.transact(keys.iter().map(delete).collect::<Result<_, StoreError>>()?).await.map(|_| ())
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The limit of a read that tells whether there are more than `most`.
fn one_more(most: usize) -> i32 {
    i32::try_from(most.saturating_add(1)).unwrap_or(i32::MAX)
}

/// DynamoDB ends a page at 1 MB, too.
fn page<T: DeserializeOwned>(
    items: Option<Vec<Item>>,
    read_to: Option<&Item>,
    most: usize,
) -> Result<(Vec<T>, bool), StoreError> {
    let mut items = items.unwrap_or_default();
    let has_more = items.len() > most || read_to.is_some();
    items.truncate(most);
    Ok((items.into_iter().map(read).collect::<Result<_, _>>()?, has_more))
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    // The text of the error can quote the item.
    serde_dynamo::from_item(item).map_err(|_| StoreError::Item("attribute"))
}

fn write(key: &Key, item: &impl Serialize) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(item).map_err(|_| StoreError::Item("attribute"))?;
    item.extend(key.item());
    Ok(item)
}

/// Tries a write again while others write the same items at the same moment. Returns its answer, or which condition
/// failed.
async fn until_free<T, F: Future<Output = Result<T, SdkError<impl WriteError>>>>(
    operation: &'static str,
    write: impl Fn() -> F,
) -> Result<Result<T, usize>, StoreError> {
    for attempt in 0..TRIES {
        let error = match write().await {
            Ok(answer) => return Ok(Ok(answer)),
            Err(error) => error,
        };
        if let Some(failed) = failed_condition(operation, &error)? {
            return Ok(Err(failed));
        }
        pause(attempt).await;
    }
    Err(StoreError::Busy)
}

/// Waits for a random part of a time that doubles with each try, so that writers that met once do not meet again.
async fn pause(attempt: u32) {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE);
    let random = RandomState::new().build_hasher().finish();
    let part = f64::from(u32::try_from(random >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    tokio::time::sleep(longest.mul_f64(part)).await;
}

#[cfg(test)]
mod tests;
