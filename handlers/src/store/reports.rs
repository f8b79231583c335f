//! Owns the reports' table: one item for each day, `report#{day}` / `report`, with the whole report as one text.

use aws_sdk_dynamodb::Client;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    StoreError, Table,
    item::{item, json, json_of, text},
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

    /// Keeps the report of a day in place of any before.
    pub async fn keep(&self, day: Day, report: &impl Serialize) -> Result<(), StoreError> {
        let report = item([("pk", text(pk(day))), ("sk", text(REPORT)), (REPORT, json(REPORT, report)?)]);
        self.0.put(report).await
    }
}

fn pk(day: Day) -> String {
    format!("report#{day}")
}
