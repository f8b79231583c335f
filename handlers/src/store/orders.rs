//! The orders' table: attempts to place an order, and the orders that stand, by the day in their id.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `key#{client id}#{Idempotency-Key}` | `key` | the attempt |
//! | `day#{day}#{part}` | the order's id | the order as it is shown |
//!
//! An order gets its second item when its stock is deducted, and is seen from then on. In the index stand, in shards:
//! `unfinished`, with open attempts and cancelled orders whose stock is not back yet, and `pending`.

use jiff::Timestamp;
use serde_json::json;

use super::{Change, Place, StoreError, Table, attempt::UNFINISHED};
use crate::{
    day::stamp,
    day_list::item_key,
    id::Id,
    orders::{Order, Status},
};

/// The list of the orders that are neither paid nor cancelled.
pub(crate) const PENDING: &str = "pending";

impl Table {
    /// Makes a pending order a paid one; `None` where it is not pending, or not there.
    pub(crate) async fn set_paid(
        &self,
        id: Id,
        payment_id: Option<Id>,
        now: Timestamp,
    ) -> Result<Option<Order>, StoreError> {
        let update = "SET #status = :paid, #updated_at = :now, #paid_at = :now, #payment_id = :payment_id \
                      REMOVE #list_pk, #list_sk";
        let values = json!({
            "paid": Status::Paid, "pending": Status::Pending, "now": stamp(now), "payment_id": payment_id,
        });
        self.update(&item_key(id), &Change::new(update, "#status = :pending", &values)?).await
    }

    /// Makes a pending order a cancelled one whose stock has to go back; `None` where it is not pending, or not there.
    pub(crate) async fn set_cancelled(&self, id: Id, now: Timestamp) -> Result<Option<Order>, StoreError> {
        let Place { list_pk, list_sk } = Place::waiting(UNFINISHED, id, now);
        let update = "SET #status = :cancelled, #updated_at = :now, #list_pk = :list_pk, #list_sk = :list_sk";
        let values = json!({
            "cancelled": Status::Cancelled, "pending": Status::Pending, "now": stamp(now),
            "list_pk": list_pk, "list_sk": list_sk,
        });
        self.update(&item_key(id), &Change::new(update, "#status = :pending", &values)?).await
    }

    /// Notes that the stock of a cancelled order has gone back.
    pub(crate) async fn note_returned(&self, id: Id) -> Result<(), StoreError> {
        let values = json!({ "cancelled": Status::Cancelled });
        let change = Change::new("REMOVE #list_pk, #list_sk", "#status = :cancelled", &values)?;
        self.update::<Order>(&item_key(id), &change).await.map(|_| ())
    }
}
