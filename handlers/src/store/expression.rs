//! A change of one item, in DynamoDB's own expressions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::{Item, StoreError};

/// A change of one item, and the condition under which it is made.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(super) update: String,
    pub(super) condition: Option<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Change {
    /// Both expressions name attributes as `#name`, since DynamoDB reserves many words, `status` among them, and the
    /// members of `values` as `:name`. Values that neither of them uses are left out. An empty condition is none.
    pub(crate) fn new(
        update: impl Into<String>,
        condition: impl Into<String>,
        values: &impl Serialize,
    ) -> Result<Self, StoreError> {
        let (update, condition) = (update.into(), condition.into());
        let mut given: Item = serde_dynamo::to_item(values).map_err(|_| StoreError::Item("value"))?;
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        let is_other = |character: char| !(character.is_ascii_alphanumeric() || "#:_".contains(character));
        for word in update.split(is_other).chain(condition.split(is_other)) {
            if let Some(name) = word.strip_prefix('#') {
                names.insert(word.to_owned(), name.to_owned());
            } else if let Some(value) = word.strip_prefix(':').and_then(|name| given.remove(name)) {
                values.insert(word.to_owned(), value);
            }
        }
        let condition = Some(condition).filter(|condition| !condition.is_empty());
        Ok(Self { update, condition, names, values })
    }
}
