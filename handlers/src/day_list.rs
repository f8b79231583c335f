//! The list of what was made on a day, in the order of creation, page by page.
//!
//! `day#{day}#{part}` / the thing's id. A day is kept in parts, by random bits of the ids: otherwise all writes would go to
//! one partition. A page merges the parts; a reader of the whole day can read part by part.

use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;

use crate::{
    cursor,
    day::Day,
    entry::Request,
    error::ApiError,
    id::Id,
    store::{Key, SHARDS, Source, StoreError, Table, partition},
};

/// Things of a page, unless `limit` says another number.
const PAGE: usize = 100;

/// The most that `limit` may say: orders of fifty lines fill half of what a function may answer then.
pub const MOST: usize = 500;

/// Which page of a day is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageOfDay {
    list: &'static str,
    day: Day,
    after: Option<Id>,
    limit: usize,
    part: Option<u8>,
}

impl PageOfDay {
    /// Reads `date`, `cursor`, `limit` and `part` of the query. Without a date and a cursor it is today.
    ///
    /// # Errors
    /// 400 naming the one that is malformed.
    pub fn of(request: &Request<'_>, list: &'static str) -> Result<Self, ApiError> {
        let date = request.query("date")?.map(str::parse::<Day>).transpose();
        let date = date.map_err(|error| error.at("date"))?;
        let id =
            |position: &str| Id::parse(position).ok().filter(|id| date.is_none_or(|day| id.day() == day));
        let after = request.query("cursor")?.map(|cursor| cursor::decode(list, cursor, id)).transpose()?;
        let day = date.or_else(|| after.map(Id::day)).unwrap_or_else(|| Day::of(request.invocation.now()));
        let limit = request.number("limit", 1, MOST)?.unwrap_or(PAGE);
        let part = request.number("part", 0, usize::from(SHARDS) - 1)?;
        Ok(Self { list, day, after, limit, part: part.and_then(|part| u8::try_from(part).ok()) })
    }

    /// The things of the page, and the cursor behind the last of them. Only a page without any has none: whoever keeps
    /// the cursor of the last page finds behind it what is made later.
    ///
    /// The next thing may be in any part, so that every page reads all of them.
    pub(crate) async fn read<T: DeserializeOwned>(
        self,
        table: &Table,
        id: impl Fn(&T) -> Id,
    ) -> Result<(Vec<T>, Option<String>), StoreError> {
        let Self { list, day, after, limit, part } = self;
        let after = after.map(|id| id.to_string());
        // Things are spread evenly. Where a part has more than its share, the page ends where that part was read to.
        let (parts, share) = match part {
            Some(part) => (part..part + 1, limit),
            None => (0..SHARDS, limit.min(limit.div_ceil(usize::from(SHARDS)) * 2 + 10)),
        };
        let partitions: Vec<_> = parts.map(|part| partition(&format!("day#{day}"), part)).collect();
        let pages =
            partitions.iter().map(|part| table.query::<T>(Source::Table, part, after.as_deref(), share));
        let pages = try_join_all(pages).await?;
        let unfinished = pages.iter().filter(|(_, has_more)| *has_more);
        let read_to = unfinished.filter_map(|(things, _)| things.last().map(&id)).min();
        let mut things: Vec<T> = pages.into_iter().flat_map(|(things, _)| things).collect();
        things.retain(|thing| read_to.is_none_or(|read_to| id(thing) <= read_to));
        things.sort_by_key(&id);
        things.truncate(limit);
        let next_cursor = things.last().map(|last| cursor::encode(list, &id(last).to_string()));
        Ok((things, next_cursor))
    }
}

/// One thing, by its id.
///
/// # Errors
/// 404 where it does not exist.
pub(crate) async fn find<T: DeserializeOwned>(table: &Table, id: Id) -> Result<T, ApiError> {
    table.get(&item_key(id)).await?.ok_or_else(ApiError::not_found)
}

/// The key of what has this id.
pub(crate) fn item_key(id: Id) -> Key {
    Key::new(partition(&format!("day#{}", id.day()), id.shard()), id.to_string())
}

#[cfg(test)]
mod tests;
