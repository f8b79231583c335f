//! The ids of orders and payments. An id is a UUID of version 7 and so holds the time of creation: lists sorted by id are
//! in the order of creation, and the id alone tells the day that it is listed under.

use std::{fmt, sync::Mutex};

use jiff::Timestamp;
use uuid::{ContextV7, Uuid, Variant};

use crate::{day::Day, store::SHARDS, text::RuleError};

/// The id of an order or a payment.
// SPEC: RFC 9562 section 5.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    uuid: Uuid,
    created_at: Timestamp,
}

impl Id {
    /// Reads an id: hyphens and lower case, as it is printed, and no other form.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let id = Uuid::try_parse(text).ok().and_then(Self::of).filter(|id| id.to_string() == text);
        id.ok_or(RuleError("must be an id as it was answered"))
    }

    /// The time of creation, to the millisecond.
    pub const fn created_at(self) -> Timestamp {
        self.created_at
    }

    /// The day of creation, under which it is listed.
    pub fn day(self) -> Day {
        Day::of(self.created_at)
    }

    /// The part of its day, by random bits of the id.
    pub(crate) const fn shard(self) -> u8 {
        let [.., last] = *self.uuid.as_bytes();
        last % SHARDS
    }

    fn of(uuid: Uuid) -> Option<Self> {
        if uuid.get_version_num() != 7 || uuid.get_variant() != Variant::RFC4122 {
            return None;
        }
        let (seconds, nanoseconds) = uuid.get_timestamp()?.to_unix();
        let (seconds, nanoseconds) = (i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?);
        Some(Self { uuid, created_at: Timestamp::new(seconds, nanoseconds).ok()? })
    }
}

crate::json::string!(Id, Id::parse);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.as_hyphenated().fmt(f)
    }
}

/// Draws ids, each greater than the one before it, within one process and one millisecond too.
#[derive(Debug, Default)]
pub struct Ids(Mutex<ContextV7>);

impl Ids {
    /// An id for this time; `None` if the time is out of range.
    pub fn draw(&self, now: Timestamp) -> Option<Id> {
        let seconds = u64::try_from(now.as_second()).ok()?;
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).ok()?;
        Id::of(Uuid::new_v7(uuid::Timestamp::from_unix(&self.0, seconds, nanoseconds)))
    }
}

#[cfg(test)]
mod tests;
