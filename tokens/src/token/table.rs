//! The table of sealed tokens: one item for each client, secret and set of scopes, with the lease of the caller that renews it.
//!
//! `pk` is the client's id, `sk` a derivation of its secret. The rest are `sealed` and `expires` (seconds), `lease`
//! (milliseconds) and `holder`, and `ttl` for DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::AttributeValue,
};

/// How long an item stays after its token and its lease have expired.
const KEPT_SECONDS: u64 = 3600;

#[derive(Clone, Debug)]
pub(super) struct Table {
    client: Client,
    name: String,
}

/// Where an item is.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) client_id: String,
    pub(super) derived: String,
}

/// An item as read.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// The sealed token.
    pub(super) sealed: Option<Vec<u8>>,
    /// When it expires, in seconds.
    pub(super) expires: Option<u64>,
    /// When the lease ends, in milliseconds.
    pub(super) lease_until_ms: u64,
}

/// The table did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {detail}")]
pub(super) struct TableError {
    operation: &'static str,
    detail: String,
}

type Attributes = HashMap<String, AttributeValue>;

impl Table {
    pub(super) const fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Reads an item, `None` where there is none. Only a consistent read, at twice the price, sees the last write.
    pub(super) async fn read(&self, key: &Key, consistent: bool) -> Result<Option<Item>, TableError> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(attributes(key)));
        let found = request.consistent_read(consistent).send().await.map_err(failed("GetItem"))?;
        Ok(found.item.as_ref().map(Item::of))
    }

    /// Takes the lease, unless it is taken or the token is no longer the one that was `seen`.
    pub(super) async fn lease(
        &self,
        key: &Key,
        holder: &str,
        seen: Option<u64>,
        now_ms: u64,
        until_ms: u64,
    ) -> Result<bool, TableError> {
        let is_seen = if seen.is_some() { "expires = :seen" } else { "attribute_not_exists(expires)" };
        let kept = (until_ms / 1000).max(seen.unwrap_or(0)) + KEPT_SECONDS;
        let request = self.client.update_item().table_name(&self.name).set_key(Some(attributes(key)));
        let request = request
            .update_expression("SET lease = :until, holder = :holder, #ttl = :ttl")
            .condition_expression(format!("(attribute_not_exists(lease) OR lease < :now) AND {is_seen}"))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":now", number(now_ms))
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()))
            .expression_attribute_values(":ttl", number(kept));
        let request = match seen {
            Some(seen) => request.expression_attribute_values(":seen", number(seen)),
            None => request,
        };
        unless_refused(request.send().await, "UpdateItem")
    }

    /// Replaces the item, lease included, with a token; `false` if another caller has taken the lease.
    pub(super) async fn store(
        &self,
        key: &Key,
        holder: &str,
        sealed: Vec<u8>,
        expires: u64,
    ) -> Result<bool, TableError> {
        let request = self.client.put_item().table_name(&self.name).set_item(Some(attributes(key)));
        let request = request
            .item("sealed", AttributeValue::B(Blob::new(sealed)))
            .item("expires", number(expires))
            .item("ttl", number(expires + KEPT_SECONDS))
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()));
        unless_refused(request.send().await, "PutItem")
    }

    /// Deletes the item, lease included; `false` if another caller has taken the lease.
    pub(super) async fn forget(&self, key: &Key, holder: &str) -> Result<bool, TableError> {
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(attributes(key)));
        let request = request
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", AttributeValue::S(holder.to_owned()));
        unless_refused(request.send().await, "DeleteItem")
    }
}

impl Item {
    /// An attribute that is not as we write it counts as missing, and is written again.
    fn of(attributes: &Attributes) -> Self {
        let number = |name: &str| attributes.get(name).and_then(|value| value.as_n().ok()?.parse().ok());
        let sealed = attributes.get("sealed").and_then(|value| value.as_b().ok());
        Self {
            sealed: sealed.map(|sealed| sealed.as_ref().to_vec()),
            expires: number("expires"),
            lease_until_ms: number("lease").unwrap_or(0),
        }
    }
}

fn attributes(key: &Key) -> Attributes {
    let text = |value: &String| AttributeValue::S(value.clone());
    HashMap::from([("pk".to_owned(), text(&key.client_id)), ("sk".to_owned(), text(&key.derived))])
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Whether a conditional write was made.
fn unless_refused<O, E>(outcome: Result<O, SdkError<E>>, operation: &'static str) -> Result<bool, TableError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match outcome {
        Ok(_) => Ok(true),
        Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(failed(operation)(error)),
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> TableError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| TableError { operation, detail: DisplayErrorContext(&error).to_string() }
}
