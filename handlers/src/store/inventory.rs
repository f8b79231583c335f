//! The inventory's table: one item for each SKU, and one for each stock movement, by its caller and reference.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `stock#{SKU}` | `stock` | the item as it is shown; `unit_price` once a price was set |
//! | `movement#{client id}#{reference}` | `movement` | the movement: that it happened, or why it was refused |
//!
//! The items of SKUs stand in the index, each under a key of its own (`{SKU}` / `stock`): a page of them is one `Scan` of
//! the index, and no partition takes the writes of all.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Change, Key, Place, StoreError, Table, Transaction};
use crate::{
    error::{Reason, Refusal},
    inventory::{NewMovement, NewMovementLine, StockItem},
    json::{Integer, List},
    money::{Currency, MAX_EXACT},
    text::Sku,
};

/// The sort key of an SKU's item, in the table and in the index.
const STOCK: &str = "stock";

/// DynamoDB writes a hundred items in one transaction; one of them is the movement itself.
// SPEC: Amazon DynamoDB, TransactWriteItems: up to 100 actions
pub(crate) const MOST_LINES: usize = 99;

/// A stock movement that happened, or was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub(crate) asked: NewMovement,
    pub(crate) created_by: String,
    pub(crate) created_at: String,
    /// The stock that was answered for each line, once it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_hand: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refusal: Option<Refusal>,
}

impl Table {
    /// The items of these SKUs, in no order; those that the inventory does not know are left out.
    pub(crate) async fn stock<'s>(
        &self,
        skus: impl Iterator<Item = &'s Sku>,
    ) -> Result<Vec<StockItem>, StoreError> {
        self.get_all(&skus.map(stock_key).collect::<Vec<_>>()).await
    }

    /// A page of the stock after `after`, in DynamoDB's own order, and whether there is more. It may be a moment old.
    pub(crate) async fn stock_page(
        &self,
        after: Option<&Sku>,
        most: usize,
    ) -> Result<(Vec<StockItem>, bool), StoreError> {
        self.scan(after.map(|sku| (stock_key(sku), place(sku))), most).await
    }

    /// Applies a movement once: all its lines, or none. Returns what is written down under its key, which is another
    /// movement where the key was used before.
    pub(crate) async fn apply(
        &self,
        key: &Key,
        movement: Movement,
        currency: Currency,
    ) -> Result<Movement, StoreError> {
        let List(lines) = &movement.asked.lines;
        let mut writes = vec![self.put_new(key, None, &movement)?];
        for line in lines {
            let change = stock_change(line, movement.asked.is_return, currency)?;
            writes.push(self.change(&stock_key(&line.sku), &change)?);
        }
        let refused = match self.transact(writes).await? {
            Transaction::Done => return Ok(movement),
            Transaction::Refused(write) => write.checked_sub(1),
        };
        // INVARIANT: a refusal is written down before anybody hears of it. Where another call of the same movement has
        // happened meanwhile, that one stands.
        if let Some(at) = refused {
            let is_out = lines.get(at).is_some_and(|line| line.change.0 < 0);
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
        let List(lines) = &movement.asked.lines;
        let found = self.stock(lines.iter().map(|line| &line.sku)).await?;
        let of = |line: &NewMovementLine| found.iter().find(|item| item.sku == line.sku);
        let on_hand: Option<Vec<i64>> = lines.iter().map(|line| of(line).map(|item| item.on_hand)).collect();
        let values = json!({ "on_hand": on_hand.ok_or(StoreError::Item("on_hand"))? });
        let update = "SET #on_hand = if_not_exists(#on_hand, :on_hand)";
        let change = Change::new(update, "attribute_exists(#pk)", &values)?;
        let kept = self.update::<Movement>(key, &change).await?;
        kept.and_then(|kept| kept.on_hand).ok_or(StoreError::Item("on_hand"))
    }
}

fn stock_key(sku: &Sku) -> Key {
    Key::new(format!("stock#{sku}"), STOCK)
}

fn place(sku: &Sku) -> Place {
    Place { list_pk: sku.to_string(), list_sk: STOCK.to_owned() }
}

/// INVARIANT: stock stays from zero to `MAX_EXACT`, whoever else is writing; only what was deducted before may go back
/// beyond that.
fn stock_change(line: &NewMovementLine, is_return: bool, currency: Currency) -> Result<Change, StoreError> {
    let NewMovementLine { sku, change: Integer(change), unit_price } = line;
    let price = match unit_price {
        Some(_) => "#unit_price = :unit_price, #currency = :currency",
        None => "#currency = if_not_exists(#currency, :currency)",
    };
    let condition = match change {
        ..=-1 => "#on_hand >= :least",
        1.. if !is_return => "#on_hand <= :most OR attribute_not_exists(#on_hand)",
        _ => "",
    };
    let Place { list_pk, list_sk } = place(sku);
    let values = json!({
        "sku": sku, "list_pk": list_pk, "list_sk": list_sk, "change": change, "unit_price": unit_price,
        "currency": currency, "least": change.saturating_neg(), "most": MAX_EXACT.saturating_sub(*change),
    });
    let update =
        format!("SET #sku = :sku, #list_pk = :list_pk, #list_sk = :list_sk, {price} ADD #on_hand :change");
    Change::new(update, condition, &values)
}
