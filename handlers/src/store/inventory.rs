//! Owns the inventory's table: one item for each SKU, all in one partition so that they list in order, and one for
//! each stock movement, by its reference.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `stock` | the SKU | `on_hand`; `unit_price` and `currency` once a price was set |
//! | `movement#{reference}` | `movement` | `lines`, `created_at`; `on_hand` once it was read for the answer |

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    StoreError, Table, Transaction,
    item::{Item, item, json, json_of, number, number_of, optional, text, text_of},
};
use crate::{
    money::{Currency, MAX_EXACT, Money},
    text::{Reference, Sku},
};

const STOCK: &str = "stock";
const MOVEMENT: &str = "movement";

/// DynamoDB writes a hundred items in one transaction; one of them is the movement itself.
// SPEC: Amazon DynamoDB, TransactWriteItems: up to 100 actions
pub const MOST_LINES: usize = 99;

/// What is there of one SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Which.
    pub sku: Sku,
    /// How many; never below zero.
    pub on_hand: i64,
    /// For how much each, once a price was set.
    pub unit_price: Option<Money>,
}

/// One line of a stock movement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What moves.
    pub sku: Sku,
    /// How many come in, or go out where it is negative.
    pub change: i64,
    /// The new price, if it changes.
    pub unit_price: Option<i64>,
}

/// A movement that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// What it was.
    pub lines: Vec<Line>,
    /// The stock that was answered for each line, once it was.
    pub on_hand: Option<Vec<i64>>,
}

/// What became of a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// All its lines took effect.
    Done,
    /// There is a movement with this reference already; nothing changed.
    Taken,
    /// The condition of this line failed: too little stock or too much; nothing changed.
    Refused(usize),
}

/// The inventory's table.
#[derive(Clone, Debug)]
pub struct InventoryTable {
    table: Table,
    currency: Currency,
}

impl InventoryTable {
    /// The table of this name; prices are set in `currency`.
    pub const fn new(client: Client, name: String, currency: Currency) -> Self {
        Self { table: Table::new(client, name), currency }
    }

    /// One SKU.
    pub async fn find(&self, sku: &Sku) -> Result<Option<Stock>, StoreError> {
        self.table.get(STOCK, sku.as_str()).await?.as_ref().map(stock_of).transpose()
    }

    /// Up to `most` SKUs in order that come behind `after`, and whether there are more.
    pub async fn page(&self, after: Option<&Sku>, most: i32) -> Result<(Vec<Stock>, bool), StoreError> {
        let page = self.table.page(STOCK, after.map(Sku::as_str), most).await?;
        let stock = page.items.iter().map(stock_of).collect::<Result<_, _>>()?;
        Ok((stock, page.has_more))
    }

    /// Applies a movement: all its lines and the reference, or nothing.
    ///
    /// # Errors
    /// Besides the store's own, [`StoreError::Item`] for more lines than a transaction takes.
    pub async fn apply(
        &self,
        reference: &Reference,
        lines: &[Line],
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        if lines.len() > MOST_LINES {
            return Err(StoreError::Item("lines"));
        }
        let mut writes = vec![self.table.put_new(item([
            ("pk", text(movement_pk(reference))),
            ("sk", text(MOVEMENT)),
            ("lines", json("lines", &lines)?),
            ("created_at", text(now.to_string())),
        ]))?];
        for line in lines {
            let mut values = item([(":change", number(line.change))]);
            // INVARIANT: stock stays from zero to `MAX_EXACT`, whoever else is writing.
            let condition = if line.change < 0 {
                values.insert(":least".to_owned(), number(line.change.saturating_neg()));
                "on_hand >= :least"
            } else {
                values.insert(":most".to_owned(), number(MAX_EXACT.saturating_sub(line.change)));
                "attribute_not_exists(on_hand) OR on_hand <= :most"
            };
            let change = if let Some(price) = line.unit_price {
                values.insert(":price".to_owned(), number(price));
                values.insert(":currency".to_owned(), text(self.currency.to_string()));
                "ADD on_hand :change SET unit_price = :price, currency = :currency"
            } else {
                "ADD on_hand :change"
            };
            writes.push(self.table.update_in((STOCK, line.sku.as_str()), change, condition, values)?);
        }
        Ok(match self.table.transact(writes).await? {
            Transaction::Done => Applied::Done,
            Transaction::Refused(failed) => match failed.iter().position(|failed| *failed) {
                Some(0) | None => Applied::Taken,
                Some(line) => Applied::Refused(line - 1),
            },
        })
    }

    /// The movement with this reference.
    pub async fn movement(&self, reference: &Reference) -> Result<Option<Movement>, StoreError> {
        let found = self.table.get(&movement_pk(reference), MOVEMENT).await?;
        found.as_ref().map(movement_of).transpose()
    }

    /// Reads the stock behind the lines of a movement and keeps it with the movement as what was answered. Whoever
    /// is first decides; everyone gets what was kept.
    pub async fn keep_on_hand(&self, reference: &Reference, lines: &[Line]) -> Result<Vec<i64>, StoreError> {
        let skus: Vec<&str> = lines.iter().map(|line| line.sku.as_str()).collect();
        let found = self.table.get_all(STOCK, &skus).await?;
        let found = found.iter().map(stock_of).collect::<Result<Vec<_>, _>>()?;
        let on_hand =
            |line: &Line| found.iter().find(|stock| stock.sku == line.sku).map(|stock| stock.on_hand);
        let on_hand = lines.iter().map(on_hand).collect::<Option<Vec<_>>>();
        let on_hand = on_hand.ok_or(StoreError::Item("on_hand"))?;
        let pk = movement_pk(reference);
        let kept = self
            .table
            .update(
                (&pk, MOVEMENT),
                "SET on_hand = if_not_exists(on_hand, :on_hand)",
                "attribute_exists(pk)",
                item([(":on_hand", json("on_hand", &on_hand)?)]),
            )
            .await?;
        kept.as_ref()
            .map(movement_of)
            .transpose()?
            .and_then(|kept| kept.on_hand)
            .ok_or(StoreError::Item("on_hand"))
    }
}

fn movement_pk(reference: &Reference) -> String {
    format!("movement#{reference}")
}

fn stock_of(found: &Item) -> Result<Stock, StoreError> {
    let sku = Sku::parse(text_of(found, "sk")?).map_err(|_| StoreError::Item("sk"))?;
    let unit_price = match optional(found, "unit_price", number_of)? {
        Some(minor) => {
            let currency = text_of(found, "currency")?.parse().map_err(|_| StoreError::Item("currency"))?;
            Some(Money::new(minor, currency).map_err(|_| StoreError::Item("unit_price"))?)
        }
        None => None,
    };
    Ok(Stock { sku, on_hand: number_of(found, "on_hand")?, unit_price })
}

fn movement_of(found: &Item) -> Result<Movement, StoreError> {
    Ok(Movement { lines: json_of(found, "lines")?, on_hand: optional(found, "on_hand", json_of)? })
}
