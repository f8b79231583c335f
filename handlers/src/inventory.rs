//! The inventory service: what is on hand, and the stock movements that change it.

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    cursor,
    day::stamp,
    entry::{Answer, Invocation, Request, Service},
    error::ApiError,
    json::{Integer, List},
    money::{Currency, MAX_EXACT},
    store::{
        Key, Table,
        inventory::{MOST_LINES, Movement},
    },
    text::{Reference, Sku},
};

/// Items of a page, unless `limit` says fewer, and SKUs that can be asked for by name, at most.
const PAGE: usize = 100;

const LIST: &str = "inventory";

/// The inventory service.
#[derive(Clone, Debug)]
pub struct Inventory {
    table: Table,
    currency: Currency,
}

/// A stock movement as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMovement {
    reference: Reference,
    pub(crate) lines: List<NewMovementLine, MOST_LINES>,
    /// Whether it gives back what was deducted before, and so may exceed the limit of what can be stocked.
    #[serde(default)]
    pub(crate) is_return: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMovementLine {
    pub(crate) sku: Sku,
    /// How many come in, or with a minus go out; 0 only where the price changes.
    pub(crate) change: Integer<{ -MAX_EXACT }, MAX_EXACT>,
    pub(crate) unit_price: Option<Integer<0, MAX_EXACT>>,
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

/// One item of the inventory, as it is kept and as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StockItem {
    pub(crate) sku: Sku,
    pub(crate) on_hand: i64,
    /// `null` until a price is set.
    unit_price: Option<i64>,
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
        Self { table: Table::new(dynamodb, config.table_name), currency: config.currency }
    }

    /// Applies a movement once, whole or not at all. Its reference belongs to the caller `client_id` and is always given
    /// the first answer.
    ///
    /// # Errors
    /// 409 `insufficient_stock` or `stock_limit` naming the first line at fault, `reference_reused`; 400 for a line that
    /// changes nothing, or an SKU twice.
    pub async fn apply(
        &self,
        client_id: &str,
        movement: NewMovement,
        invocation: &Invocation,
    ) -> Result<Moved, ApiError> {
        let (reference, List(lines)) = (&movement.reference, &movement.lines);
        invocation.about("reference", reference);
        for (at, line) in lines.iter().enumerate() {
            if lines.iter().take(at).any(|earlier| earlier.sku == line.sku) {
                return Err(ApiError::invalid(format!("lines[{at}].sku"), "is in an earlier line, too"));
            }
            if line.change == Integer(0) && line.unit_price.is_none() {
                let message = "must not be zero without a price";
                return Err(ApiError::invalid(format!("lines[{at}].change"), message));
            }
        }
        let key = Key::new(format!("movement#{client_id}#{reference}"), "movement");
        let written = if let Some(written) = self.table.get::<Movement>(&key).await? {
            written
        } else {
            let new = Movement {
                asked: movement.clone(),
                created_by: client_id.to_owned(),
                created_at: stamp(invocation.now()),
                on_hand: None,
                refusal: None,
            };
            self.table.apply(&key, new, self.currency).await?
        };
        if written.asked != movement {
            let message = "another movement has this reference";
            return Err(ApiError::conflict("reference_reused", message).at("reference"));
        }
        if let Some(refusal) = written.refusal {
            return Err(refusal.into());
        }
        let on_hand = self.table.on_hand(&key, written).await?;
        let NewMovement { reference, lines: List(lines), .. } = movement;
        let lines = lines.into_iter().zip(on_hand).map(|(line, on_hand)| OnHand { sku: line.sku, on_hand });
        Ok(Moved { reference, lines: lines.collect() })
    }

    /// A page of all items, from the start or from a cursor, ordered by SKU. It may be a moment old.
    pub async fn list(&self, unverified_cursor: Option<&str>, limit: usize) -> Result<StockPage, ApiError> {
        let sku = |position: &str| Sku::parse(position).ok();
        let after = unverified_cursor.map(|cursor| cursor::decode(LIST, cursor, sku)).transpose()?;
        let (mut items, has_more) = self.table.stock_page(after.as_ref(), limit).await?;
        let last = items.last().filter(|_| has_more);
        let next_cursor = last.map(|item| cursor::encode(LIST, item.sku.as_str()));
        items.sort_by(|one, other| one.sku.cmp(&other.sku));
        Ok(StockPage { items, next_cursor })
    }

    /// The items of these SKUs in their order, without unknown ones.
    async fn named(&self, unverified_skus: &[&str]) -> Result<StockPage, ApiError> {
        if unverified_skus.len() > PAGE {
            return Err(ApiError::invalid("sku", "is given more than 100 times"));
        }
        let mut skus = Vec::with_capacity(unverified_skus.len());
        for sku in unverified_skus {
            let sku = Sku::parse(*sku).map_err(|error| error.at("sku"))?;
            if !skus.contains(&sku) {
                skus.push(sku);
            }
        }
        let mut items = self.table.stock(skus.iter()).await?;
        items.sort_by_key(|item| skus.iter().position(|sku| *sku == item.sku));
        Ok(StockPage { items, next_cursor: None })
    }

    async fn find(&self, unverified_sku: &str) -> Result<StockItem, ApiError> {
        let sku = Sku::parse(unverified_sku).map_err(|_| ApiError::not_found())?;
        self.table.stock([&sku].into_iter()).await?.pop().ok_or_else(ApiError::not_found)
    }
}

impl Service for Inventory {
    const ROUTES: &'static [&'static str] = &["GET /inventory", "GET /inventory/{sku}", "POST /inventory"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "GET /inventory" => match request.queries("sku").as_slice() {
                [] => {
                    let limit = request.number("limit", 1, PAGE)?.unwrap_or(PAGE);
                    Answer::ok(&self.list(request.query("cursor")?, limit).await?)
                }
                skus => {
                    // Named items come at once, in no pages.
                    for name in ["cursor", "limit"] {
                        if request.query(name)?.is_some() {
                            return Err(ApiError::invalid(name, "cannot be given together with `sku`"));
                        }
                    }
                    Answer::ok(&self.named(skus).await?)
                }
            },
            "GET /inventory/{sku}" => {
                Answer::ok(&self.find(&request.parameter("sku").unwrap_or_default()).await?)
            }
            "POST /inventory" => {
                let client_id = request.caller.client_id.as_str();
                Answer::ok(&self.apply(client_id, request.body()?, request.invocation).await?)
            }
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
