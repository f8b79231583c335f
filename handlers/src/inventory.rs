//! Owns the inventory service: what is on hand, and the stock movements that change it. Event JSON and items are
//! left to others.

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    cursor,
    entry::{Answer, Request, Service},
    error::ApiError,
    json::{Integer, List},
    money::{Currency, MAX_EXACT},
    store::inventory::{Applied, InventoryTable, Line, MOST_LINES, Stock},
    text::{Reference, Sku},
};

/// The most items of one page.
const PAGE: i32 = 100;

/// The list that cursors belong to.
const LIST: &str = "inventory";

/// The inventory service.
#[derive(Clone, Debug)]
pub struct Inventory {
    table: InventoryTable,
    currency: Currency,
}

/// A stock movement as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMovement {
    reference: Reference,
    lines: List<NewLine, MOST_LINES>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "NewMovementLine"))]
struct NewLine {
    sku: Sku,
    change: Change,
    unit_price: Option<Integer<0, MAX_EXACT>>,
}

/// How many come in or go out; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Integer<{ -MAX_EXACT }, MAX_EXACT>")]
pub(crate) struct Change(i64);

#[derive(Debug, thiserror::Error)]
#[error("must not be zero")]
pub(crate) struct NoChange;

impl TryFrom<Integer<{ -MAX_EXACT }, MAX_EXACT>> for Change {
    type Error = NoChange;

    fn try_from(Integer(change): Integer<{ -MAX_EXACT }, MAX_EXACT>) -> Result<Self, NoChange> {
        if change == 0 { Err(NoChange) } else { Ok(Self(change)) }
    }
}

/// What a movement is answered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Moved {
    reference: Reference,
    lines: Vec<OnHand>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct OnHand {
    sku: Sku,
    on_hand: i64,
}

/// One item of the inventory, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StockItem {
    sku: Sku,
    on_hand: i64,
    unit_price: i64,
    currency: Currency,
}

/// A page of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StockPage {
    items: Vec<StockItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Inventory {
    /// The service over the table that `config` names.
    pub fn new(dynamodb: Client, config: Config) -> Self {
        let Config { table_name, currency } = config;
        Self { table: InventoryTable::new(dynamodb, table_name, currency), currency }
    }

    /// Applies a movement once, whole or not at all.
    ///
    /// # Errors
    /// 400 where a SKU stands in two lines; 409 `reference_reused`, `insufficient_stock` or `stock_limit`.
    pub async fn apply(&self, movement: NewMovement, now: Timestamp) -> Result<Moved, ApiError> {
        let NewMovement { reference, lines: List(lines) } = movement;
        for (at, line) in lines.iter().enumerate() {
            if lines.iter().take(at).any(|earlier| earlier.sku == line.sku) {
                return Err(ApiError::invalid(format!("lines[{at}].sku"), "stands in two lines"));
            }
        }
        let line = |line: NewLine| Line {
            sku: line.sku,
            change: line.change.0,
            unit_price: line.unit_price.map(|Integer(price)| price),
        };
        let lines: Vec<Line> = lines.into_iter().map(line).collect();
        let on_hand = match self.table.apply(&reference, &lines, now).await? {
            Applied::Done => None,
            Applied::Taken => {
                let earlier = self.table.movement(&reference).await?.ok_or_else(|| {
                    ApiError::fault("store_item", "a movement that was there could not be read")
                })?;
                if earlier.lines != lines {
                    let message = "a movement with this reference and other lines was made before";
                    return Err(ApiError::conflict("reference_reused", message).at("reference"));
                }
                earlier.on_hand
            }
            Applied::Refused(at) => return Err(refusal(&lines, at)),
        };
        let on_hand = match on_hand {
            Some(on_hand) => on_hand,
            None => self.table.keep_on_hand(&reference, &lines).await?,
        };
        let lines = lines.into_iter().zip(on_hand).map(|(line, on_hand)| OnHand { sku: line.sku, on_hand });
        Ok(Moved { reference, lines: lines.collect() })
    }

    /// A page of what there is, ordered by SKU, from the start or from a cursor.
    pub async fn list(&self, unverified_cursor: Option<&str>) -> Result<StockPage, ApiError> {
        let sku = |position: &str| Sku::parse(position).ok();
        let after = unverified_cursor.map(|cursor| cursor::decode(LIST, cursor, sku)).transpose()?;
        let (stock, has_more) = self.table.page(after.as_ref(), PAGE).await?;
        let last = stock.last().filter(|_| has_more);
        let next_cursor = last.map(|stock| cursor::encode(LIST, stock.sku.as_str()));
        Ok(StockPage { items: stock.into_iter().map(|stock| self.show(stock)).collect(), next_cursor })
    }

    /// One item.
    ///
    /// # Errors
    /// 404 where it was never moved, or is no SKU at all.
    pub async fn find(&self, unverified_sku: &str) -> Result<StockItem, ApiError> {
        let sku = Sku::parse(unverified_sku).map_err(|_| ApiError::not_found())?;
        let stock = self.table.find(&sku).await?.ok_or_else(ApiError::not_found)?;
        Ok(self.show(stock))
    }

    /// An item that never got a price costs nothing.
    fn show(&self, stock: Stock) -> StockItem {
        let Stock { sku, on_hand, unit_price } = stock;
        let (unit_price, currency) =
            unit_price.map_or((0, self.currency), |price| (price.minor(), price.currency()));
        StockItem { sku, on_hand, unit_price, currency }
    }
}

fn refusal(lines: &[Line], at: usize) -> ApiError {
    let error = if lines.get(at).is_some_and(|line| line.change > 0) {
        ApiError::conflict("stock_limit", "more stock than can be counted")
    } else {
        ApiError::conflict("insufficient_stock", "there is less stock than that")
    };
    error.at(format!("lines[{at}].change"))
}

impl Service for Inventory {
    const ROUTES: &'static [&'static str] = &["GET /inventory", "GET /inventory/{sku}", "POST /inventory"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "GET /inventory" => Answer::ok(&self.list(request.query("cursor")?).await?),
            "GET /inventory/{sku}" => {
                Answer::ok(&self.find(&request.parameter("sku").unwrap_or_default()).await?)
            }
            "POST /inventory" => Answer::ok(&self.apply(request.body()?, request.now()).await?),
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
