//! The inventory's table: one item for each SKU, and one for each stock movement, by its caller and reference.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `stock#{SKU}` | `stock` | `sku`, `on_hand`; `unit_price` and `currency` once a price was set |
//! | `movement#{client id}#{reference}` | `movement` | the movement: that it happened, or why it was refused |
//!
//! SKUs stand in the index as `stock`, in shards and whole, so that a page of them is no read for each.

use serde::{Deserialize, Serialize};

use super::{Change, Key, Place, SHARDS, Source, StoreError, Table, Transaction, partition};
use crate::{
    error::{Reason, Refusal},
    money::{Currency, MAX_EXACT},
    text::Sku,
};

/// The sort key of an SKU's item, and the list of all of them.
const STOCK: &str = "stock";

/// DynamoDB writes a hundred items in one transaction; one of them is the movement itself.
// SPEC: Amazon DynamoDB, TransactWriteItems: up to 100 actions
pub(crate) const MOST_LINES: usize = 99;

/// What is there of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stock {
    /// Which.
    pub(crate) sku: Sku,
    /// How many; never below zero.
    pub(crate) on_hand: i64,
    /// For how much each in minor units, once a price was set.
    #[serde(default)]
    pub(crate) unit_price: Option<i64>,
    /// The currency of the price.
    #[serde(default)]
    pub(crate) currency: Option<Currency>,
}

/// A stock movement that happened, or was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub(crate) lines: Vec<Moving>,
    #[serde(default)]
    pub(crate) is_return: bool,
    pub(crate) created_by: String,
    pub(crate) created_at: String,
    /// The stock that was answered for each line, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on_hand: Option<Vec<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<Refusal>,
}

/// One line of a stock movement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moving {
    pub(crate) sku: Sku,
    /// How many come in, or go out where it is negative.
    pub(crate) change: i64,
    /// The new price, if it changes.
    pub(crate) unit_price: Option<i64>,
}

impl Table {
    /// The stock of these SKUs, in no order; those that the inventory does not know are left out.
    pub(crate) async fn stock<'s>(
        &self,
        skus: impl Iterator<Item = &'s Sku>,
    ) -> Result<Vec<Stock>, StoreError> {
        self.get_all(&skus.map(stock_key).collect::<Vec<_>>()).await
    }

    /// A page of the stock by SKU, behind `after`, and whether there is more. It may be a moment old.
    pub(crate) async fn stock_page(
        &self,
        after: Option<&Sku>,
        most: usize,
    ) -> Result<(Vec<Stock>, bool), StoreError> {
        let shards: Vec<_> = (0..SHARDS).map(|shard| partition(STOCK, shard)).collect();
        self.merged(Source::Index, &shards, after.map(Sku::as_str), most).await
    }

    /// Applies a movement once: all its lines, or none. Returns what is written down under its key, which is another
    /// one's lines where the key was used for that before.
    pub(crate) async fn apply(
        &self,
        key: &Key,
        movement: Movement,
        currency: Currency,
    ) -> Result<Movement, StoreError> {
        let mut writes = vec![self.put_new(key, None, &movement)?];
        for line in &movement.lines {
            writes.push(
                self.change(&stock_key(&line.sku), &stock_change(line, movement.is_return, currency)?)?,
            );
        }
        if writes.len() > MOST_LINES + 1 {
            return Err(StoreError::Item("lines"));
        }
        let refused = match self.transact(writes).await? {
            Transaction::Done => return Ok(movement),
            Transaction::Refused(write) => write.checked_sub(1),
        };
        // INVARIANT: a refusal is written down before anybody hears of it. Where another call of the same movement has
        // happened meanwhile, that one stands.
        if let Some(at) = refused {
            let is_out = movement.lines.get(at).is_some_and(|line| line.change < 0);
            let reason = if is_out { Reason::InsufficientStock } else { Reason::StockLimit };
            let refusal = Movement { refusal: Some(reason.at(format!("lines[{at}].change"))), ..movement };
            if self.transact(vec![self.put_new(key, None, &refusal)?]).await? == Transaction::Done {
                return Ok(refusal);
            }
        }
        self.get(key).await?.ok_or(StoreError::Item("movement"))
    }

    /// The stock behind the lines of a movement, as it was answered first: whoever is first decides.
    pub(crate) async fn on_hand(&self, key: &Key, movement: Movement) -> Result<Vec<i64>, StoreError> {
        if let Some(on_hand) = movement.on_hand {
            return Ok(on_hand);
        }
        let found = self.stock(movement.lines.iter().map(|line| &line.sku)).await?;
        let of = |line: &Moving| found.iter().find(|stock| stock.sku == line.sku).map(|stock| stock.on_hand);
        let on_hand: Option<Vec<i64>> = movement.lines.iter().map(of).collect();
        let change = Change::default().set_once("on_hand", &on_hand.ok_or(StoreError::Item("on_hand"))?)?;
        let kept = self.update::<Movement>(key, &change.only_if_exists()).await?;
        kept.and_then(|kept| kept.on_hand).ok_or(StoreError::Item("on_hand"))
    }
}

fn stock_key(sku: &Sku) -> Key {
    Key::new(format!("stock#{sku}"), STOCK)
}

/// INVARIANT: stock stays from zero to `MAX_EXACT`, whoever else is writing; only what was deducted before may go back
/// beyond that.
fn stock_change(line: &Moving, is_return: bool, currency: Currency) -> Result<Change, StoreError> {
    let shard =
        line.sku.as_str().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % SHARDS;
    let place = Place { list_pk: partition(STOCK, shard), list_sk: line.sku.to_string() };
    let mut change = Change::default().add("on_hand", line.change)?.set("sku", &line.sku)?.list(&place)?;
    if let Some(price) = line.unit_price {
        change = change.set("unit_price", &price)?.set("currency", &currency)?;
    }
    if line.change < 0 {
        change.only_if("on_hand", ">=", &line.change.saturating_neg())
    } else if line.change > 0 && !is_return {
        Ok(change.only_if("on_hand", "<=", &MAX_EXACT.saturating_sub(line.change))?.or_new("on_hand"))
    } else {
        Ok(change)
    }
}
