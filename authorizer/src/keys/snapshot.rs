//! `Snapshot`: the keys that are packaged with the function, and how old they are.

use access::UnixSeconds;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::jwk::{KeySet, KeySetError};
use crate::{claims::LATEST, json::from_object};

/// Keys fetched when the function was packaged.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    pub(crate) fetched_at: UnixSeconds,
}

#[derive(Deserialize)]
struct Document<'a> {
    fetched_at: UnixSeconds,
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl Snapshot {
    /// Reads `{"fetched_at": <seconds>, "keys": […]}`: a JWKS and the time at which it was fetched.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        let document: Document<'_> = from_object(text).map_err(|_| KeySetError::Malformed)?;
        if document.fetched_at.0 > LATEST {
            return Err(KeySetError::Malformed);
        }
        Ok(Self { keys: KeySet::of(&document.keys)?, fetched_at: document.fetched_at })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::FIRST;

    #[test]
    fn a_snapshot_has_a_time_and_keys() {
        let snapshot = |fetched_at| json!({"fetched_at": fetched_at, "keys": [FIRST.jwk()]}).to_string();
        let cases = [
            ("good", snapshot(json!(1_700_000_000)), Ok(1_700_000_000)),
            ("the last second of 9999", snapshot(json!(253_402_300_799_u64)), Ok(253_402_300_799)),
            ("milliseconds", snapshot(json!(253_402_300_800_u64)), Err(KeySetError::Malformed)),
            ("a fraction", snapshot(json!(1.5)), Err(KeySetError::Malformed)),
            ("negative", snapshot(json!(-1)), Err(KeySetError::Malformed)),
            ("a string", snapshot(json!("1700000000")), Err(KeySetError::Malformed)),
            ("no time", json!({"keys": [FIRST.jwk()]}).to_string(), Err(KeySetError::Malformed)),
            ("no keys", json!({"fetched_at": 1}).to_string(), Err(KeySetError::Malformed)),
            (
                "no usable key",
                json!({"fetched_at": 1, "keys": [{}]}).to_string(),
                Err(KeySetError::NoUsableKey),
            ),
            ("a list", json!([1, [FIRST.jwk()]]).to_string(), Err(KeySetError::Malformed)),
            ("empty", String::new(), Err(KeySetError::Malformed)),
        ];
        for (name, text, expected) in cases {
            let read = Snapshot::parse(text.as_bytes());
            assert_eq!(read.map(|snapshot| snapshot.fetched_at.0), expected, "{name}");
        }
    }
}
