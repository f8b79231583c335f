//! Owns the reading and writing of attributes: texts, whole numbers, and lists kept as JSON.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// An item by the names of its attributes.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A structure that is only ever read as a whole, as one JSON text.
pub(crate) fn json(name: &'static str, value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|_| StoreError::Item(name))
}

/// An item with these attributes.
pub(crate) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn text_of<'i>(item: &'i Item, name: &'static str) -> Result<&'i str, StoreError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(StoreError::Item(name))
}

pub(crate) fn number_of(item: &Item, name: &'static str) -> Result<i64, StoreError> {
    let digits = item.get(name).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or(StoreError::Item(name))
}

pub(crate) fn json_of<T: DeserializeOwned>(item: &Item, name: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text_of(item, name)?).map_err(|_| StoreError::Item(name))
}

/// What `read` makes of an attribute, if the item has it at all.
pub(crate) fn optional<'i, T>(
    item: &'i Item,
    name: &'static str,
    read: impl FnOnce(&'i Item, &'static str) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    if item.contains_key(name) { read(item, name).map(Some) } else { Ok(None) }
}
