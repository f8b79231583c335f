//! The status of an order.

use serde::{Deserialize, Deserializer, Serialize, de::IntoDeserializer as _};

/// The status of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderStatus"))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Placed, not paid.
    Pending,
    /// Paid.
    Paid,
    /// Cancelled; its stock goes back.
    Cancelled,
    /// A status that another version of the service knows.
    #[serde(untagged)]
    Other(String),
}

/// Reads a status that is a string. Serde would also take `{"paid":null}`.
pub(super) fn from_string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    Status::deserialize(String::deserialize(deserializer)?.into_deserializer())
}
