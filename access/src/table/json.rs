//! The members of a JSON object in their order, duplicates included.

use std::fmt;

use serde::{
    Deserializer as _,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// The members of `text`, which must be one JSON object.
pub(super) fn entries(text: &str) -> Result<Vec<(String, Value)>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let entries = json.deserialize_map(Entries)?;
    json.end()?;
    Ok(entries)
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"GET /orders\": [\"orders/read\"]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
