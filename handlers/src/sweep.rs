//! The sweep finishes interrupted work that no caller retries: the items of a list in the index, oldest first, until the
//! list is empty or the time is up.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    day::stamp,
    entry::Invocation,
    error::ApiError,
    id::Id,
    store::{Key, SHARDS, Source, StoreError, Table, partition},
};

/// Items worked on at a time.
const PARALLEL: usize = 8;

/// Items read at a time.
const PAGE: usize = 100;

/// Ids in the log line, at most.
const NAMED: usize = 200;

/// Items older than this are counted as overdue, which raises an alarm.
const OVERDUE: SignedDuration = SignedDuration::from_mins(15);

/// What a sweep did, for its log line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Items finished.
    pub finished: u64,
    /// The orders or payments among it, the first 200 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finished_ids: Vec<Id>,
    /// Items that could not be finished.
    pub unfinished: u64,
    /// Those of them that have waited for 15 minutes.
    pub overdue: u64,
    /// The first failure.
    #[serde(skip)]
    pub failure: Option<String>,
}

/// An item of the list. `list_sk` begins with the time since which it waits.
#[derive(Clone, Debug, serde::Deserialize)]
struct Waiting {
    pk: String,
    sk: String,
    list_sk: String,
}

impl Swept {
    /// Finishes what has been waiting in `list` since `until` or longer; `finish` returns the id of what it finished.
    ///
    /// # Errors
    /// If the list cannot be read. The failure of one item is counted.
    pub(crate) async fn add<F: Future<Output = Result<Option<Id>, ApiError>> + Send>(
        &mut self,
        table: &Table,
        list: &str,
        until: Timestamp,
        invocation: &Invocation,
        finish: impl Fn(Key) -> F + Send,
    ) -> Result<(), StoreError> {
        let overdue = until.saturating_sub(OVERDUE).map(stamp).unwrap_or_default();
        let until = stamp(until);
        let all = async {
            // Another shard is first each minute, so that items that cannot be finished do not block the others.
            let first =
                u8::try_from((invocation.now().as_second() / 60).rem_euclid(i64::from(SHARDS))).unwrap_or(0);
            for shard in (first..SHARDS).chain(0..first) {
                let (partition, mut after) = (partition(list, shard), None::<String>);
                loop {
                    let page =
                        table.query::<Waiting>(Source::Index, &partition, after.as_deref(), PAGE).await?;
                    let (mut waiting, has_more) = page;
                    after = waiting.last().map(|last| last.list_sk.clone());
                    let read = waiting.len();
                    // An item of exactly `until` is due.
                    waiting.retain(|waiting| waiting.list_sk.get(..until.len()) <= Some(until.as_str()));
                    let is_last = !has_more || waiting.len() < read;
                    let mut work = Vec::with_capacity(waiting.len());
                    for Waiting { pk, sk, list_sk } in waiting {
                        let finished = finish(Key::new(pk, sk));
                        work.push(async move { (list_sk, finished.await) });
                    }
                    let mut outcomes = stream::iter(work).buffer_unordered(PARALLEL);
                    while let Some((since, outcome)) = outcomes.next().await {
                        self.count(&since, &overdue, outcome);
                    }
                    if is_last {
                        break;
                    }
                }
            }
            Ok(())
        };
        // Items that are not reached stay first in their shard.
        let limit = invocation.time_left().saturating_sub(Duration::from_secs(1));
        tokio::time::timeout(limit, all).await.unwrap_or(Ok(()))
    }

    fn count(&mut self, since: &str, overdue: &str, outcome: Result<Option<Id>, ApiError>) {
        match outcome {
            Ok(id) => {
                self.finished += 1;
                self.finished_ids.extend(id.filter(|_| self.finished_ids.len() < NAMED));
            }
            Err(error) => {
                self.unfinished += 1;
                self.overdue += u64::from(since < overdue);
                let detail = || format!("{}: {}", error.label, error.detail.as_deref().unwrap_or_default());
                self.failure.get_or_insert_with(detail);
            }
        }
    }
}

#[cfg(test)]
mod tests;
