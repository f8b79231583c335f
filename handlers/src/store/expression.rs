//! A change of one item: what is set, added and removed, and under which condition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::{Place, StoreError};

/// A change of one item, put together attribute by attribute.
///
/// Attributes are named by placeholders throughout: DynamoDB reserves many words, `status` among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    condition: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    /// Sets an attribute.
    pub(crate) fn set(mut self, name: &'static str, value: &impl Serialize) -> Result<Self, StoreError> {
        let (name, value) = (self.name(name), self.value(name, value)?);
        self.set.push(format!("{name} = {value}"));
        Ok(self)
    }

    /// Sets an attribute that the item does not have yet.
    pub(crate) fn set_once(mut self, name: &'static str, value: &impl Serialize) -> Result<Self, StoreError> {
        let (name, value) = (self.name(name), self.value(name, value)?);
        self.set.push(format!("{name} = if_not_exists({name}, {value})"));
        Ok(self)
    }

    /// Adds to a number, which is 0 where there is none.
    pub(crate) fn add(mut self, name: &'static str, value: i64) -> Result<Self, StoreError> {
        let (name, value) = (self.name(name), self.value(name, &value)?);
        self.add.push(format!("{name} {value}"));
        Ok(self)
    }

    /// Moves the item to this place in the index.
    pub(crate) fn list(self, place: &Place) -> Result<Self, StoreError> {
        self.set("list_pk", &place.list_pk)?.set("list_sk", &place.list_sk)
    }

    /// Takes the item out of the index.
    pub(crate) fn unlist(mut self) -> Self {
        let names = ["list_pk", "list_sk"].map(|name| self.name(name));
        self.remove.extend(names);
        self
    }

    /// Only where the attribute has this relation to the value: `=`, `<=` …
    pub(crate) fn only_if(
        mut self,
        name: &'static str,
        relation: &str,
        value: &impl Serialize,
    ) -> Result<Self, StoreError> {
        let (name, value) = (self.name(name), self.value(&format!("{name}_{}", self.values.len()), value)?);
        self.condition.push(format!("{name} {relation} {value}"));
        Ok(self)
    }

    /// The condition so far, or the attribute does not exist.
    pub(crate) fn or_new(mut self, name: &'static str) -> Self {
        let name = self.name(name);
        self.condition.push(format!("attribute_not_exists({name})"));
        self
    }

    /// Only where the item exists.
    pub(crate) fn only_if_exists(mut self) -> Self {
        let name = self.name("pk");
        self.condition.push(format!("attribute_exists({name})"));
        self
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, name: &str, value: &impl Serialize) -> Result<String, StoreError> {
        let placeholder = format!(":{name}");
        let value = serde_dynamo::to_attribute_value(value).map_err(|_| StoreError::Item("value"))?;
        self.values.insert(placeholder.clone(), value);
        Ok(placeholder)
    }

    pub(super) fn expression(&self) -> String {
        let clauses = [("SET", &self.set), ("ADD", &self.add), ("REMOVE", &self.remove)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn condition(&self) -> Option<String> {
        Some(self.condition.join(" OR ")).filter(|condition| !condition.is_empty())
    }

    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}
