//! The reports' table: `report#{day}` / `report` with the sums of the day and the time at which they were `begun`, and
//! as many items `report#{day}` / `{begun}#{number}` as its SKUs fill.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Change, Key, StoreError, Table};
use crate::{
    day::{Day, stamp},
    reports::Sold,
};

/// How many SKUs stand in one item: 200 bytes each, where DynamoDB takes 400 KB.
const SKUS_PER_ITEM: usize = 1000;

/// The sort key of the sums. Those of the SKUs begin with a year.
const REPORT: &str = "report";

#[derive(Serialize, Deserialize)]
struct Sums {
    begun: String,
    items: usize,
    /// A JSON text: its numbers may be larger than DynamoDB's.
    totals: String,
}

#[derive(Serialize, Deserialize)]
struct Skus {
    /// A JSON text, as the sums are.
    skus: String,
}

impl Table {
    /// The sums of a day, as a JSON text, and its SKUs.
    pub(crate) async fn report(&self, day: Day) -> Result<Option<(String, Vec<Sold>)>, StoreError> {
        let Some(Sums { begun, items, totals }) = self.get(&key(day)).await? else { return Ok(None) };
        let mut by_sku = Vec::new();
        for number in 0..items {
            // A newer report has taken its place meanwhile: the next request finds that one.
            let Skus { skus } = self.get(&part(day, &begun, number)).await?.ok_or(StoreError::Busy)?;
            by_sku.extend(serde_json::from_str::<Vec<Sold>>(&skus).map_err(|_| StoreError::Item("skus"))?);
        }
        Ok(Some((totals, by_sku)))
    }

    /// Keeps the report of a day in place of any before that was begun no later, so that a slow run does not undo
    /// one that knew more. Nothing of it is seen before all of it is written.
    pub(crate) async fn keep_report(
        &self,
        day: Day,
        begun: Timestamp,
        sums: String,
        by_sku: &[Sold],
    ) -> Result<(), StoreError> {
        let before = self.get::<Sums>(&key(day)).await?;
        let begun = stamp(begun);
        let mut items = 0;
        for skus in by_sku.chunks(SKUS_PER_ITEM) {
            let skus = serde_json::to_string(skus).map_err(|_| StoreError::Item("skus"))?;
            self.put(&part(day, &begun, items), &Skus { skus }).await?;
            items += 1;
        }
        let sums = Sums { begun, items, totals: sums };
        let update = "SET #begun = :begun, #items = :items, #totals = :totals";
        let condition = "#begun <= :begun OR attribute_not_exists(#begun)";
        let kept = self.update::<Sums>(&key(day), &Change::new(update, condition, &sums)?).await?;
        // Of the two reports one is out of date now.
        let old =
            if kept.is_none() { Some(sums) } else { before.filter(|before| before.begun != sums.begun) };
        if let Some(Sums { begun, items, .. }) = old {
            let keys: Vec<_> = (0..items).map(|number| part(day, &begun, number)).collect();
            for keys in keys.chunks(100) {
                self.delete(keys).await?;
            }
        }
        Ok(())
    }
}

fn key(day: Day) -> Key {
    Key::new(format!("report#{day}"), REPORT)
}

fn part(day: Day, begun: &str, number: usize) -> Key {
    Key::new(format!("report#{day}"), format!("{begun}#{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TABLE, dynamodb, now};

    #[tokio::test]
    async fn the_report_that_was_begun_last_stays() {
        let table = Table::new(dynamodb().await, TABLE.to_owned());
        let (day, later) = (Day::of(now()), now() + std::time::Duration::from_millis(1));
        for (begun, report, kept) in
            [(now(), "a", "a"), (now(), "b", "b"), (later, "c", "c"), (now(), "d", "c")]
        {
            table.keep_report(day, begun, report.to_owned(), &[]).await.unwrap();
            assert_eq!(table.report(day).await.unwrap().unwrap().0, kept);
        }
    }
}
