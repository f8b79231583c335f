//! The sweep finishes what nobody comes back for: everything that waits in a list of the index, oldest first, until the
//! list is done or the time is up.

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

/// How much is worked on at a time.
const PARALLEL: usize = 8;

/// How much of a list is read at a time.
const PAGE: usize = 100;

/// How many ids the log line names at most.
const NAMED: usize = 200;

/// What waits for longer than this is counted as overdue, which raises an alarm.
const OVERDUE: SignedDuration = SignedDuration::from_mins(15);

/// What a sweep did, as its log line says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How much was finished.
    pub finished: u64,
    /// The orders or payments among it, the first 200 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finished_ids: Vec<Id>,
    /// How much could not be.
    pub unfinished: u64,
    /// How much of that waits for 15 minutes already.
    pub overdue: u64,
    /// The first failure.
    #[serde(skip)]
    pub failure: Option<String>,
}

/// Where something waits, and since when.
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
            // Another shard is first each minute, so that one that never ends holds up none.
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
                    // The place begins with the time; what is as old as `until` itself is due.
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
        // What is not reached now is first in its shard the next time.
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
                let detail = || format!("{}: {}", error.label(), error.detail().unwrap_or_default());
                self.failure.get_or_insert_with(detail);
            }
        }
    }
}

#[cfg(test)]
mod tests;
