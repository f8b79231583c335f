//! Owns the reports' table: one item for each day, `report#{day}` / `report`, with the whole `report` as one text and
//! the millisecond in which it was `begun`.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    StoreError, Table,
    item::{item, json, json_of, number, text},
};
use crate::day::Day;

const REPORT: &str = "report";

/// The reports' table.
#[derive(Clone, Debug)]
pub struct ReportTable(Table);

impl ReportTable {
    /// The table of this name.
    pub const fn new(client: Client, name: String) -> Self {
        Self(Table::new(client, name))
    }

    /// The report of a day.
    pub async fn find<R: DeserializeOwned>(&self, day: Day) -> Result<Option<R>, StoreError> {
        let found = self.0.get(&pk(day), REPORT).await?;
        found.map(|found| json_of(&found, REPORT)).transpose()
    }

    /// Keeps the report of a day in place of any before that was begun no later, so that a slow run does not undo
    /// one that knew more.
    pub async fn keep(&self, day: Day, begun: Timestamp, report: &impl Serialize) -> Result<(), StoreError> {
        let begun = number(begun.as_millisecond());
        let report = item([
            ("pk", text(pk(day))),
            ("sk", text(REPORT)),
            ("begun", begun.clone()),
            (REPORT, json(REPORT, report)?),
        ]);
        let condition = "attribute_not_exists(pk) OR begun <= :begun";
        self.0.put_if(report, condition, Some(item([(":begun", begun)]))).await.map(|_| ())
    }
}

fn pk(day: Day) -> String {
    format!("report#{day}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TABLE, dynamodb, now};

    #[tokio::test]
    async fn the_report_that_was_begun_last_stays() {
        let table = ReportTable::new(dynamodb().await, TABLE.to_owned());
        let (day, later) = (Day::of(now()), now() + std::time::Duration::from_millis(1));
        for (begun, report, kept) in
            [(now(), "a", "a"), (now(), "b", "b"), (later, "c", "c"), (now(), "d", "c")]
        {
            table.keep(day, begun, &report).await.unwrap();
            assert_eq!(table.find::<String>(day).await.unwrap().as_deref(), Some(kept));
        }
    }
}
