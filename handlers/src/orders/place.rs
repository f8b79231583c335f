//! Owns the placing of an order, step by step, so that a crash between any two of them neither loses nor doubles
//! stock: whatever was written down is what the next try goes on with.
//!
//! 1. The prices are read and the attempt is written down, with the order that it is to become and its total.
//! 2. The stock is deducted, the order's id being the reference: however often that is asked for, it happens once.
//! 3. In one transaction the order appears and the attempt is placed.
//!
//! Where the stock was refused, the attempt is rejected for good, unless another try of it is still under way.

use jiff::Timestamp;
use serde::Deserialize;

use super::{OrderView, Orders, stock::Deducted};
use crate::{
    error::ApiError,
    id::Id,
    json::{Integer, List},
    money::Money,
    store::orders::{Asked, AskedLine, Attempt, Content, OrderLine, Phase, Status},
    text::{AttemptName, Customer, Sku},
    upstream::{Api, Trace},
};

/// The most lines of one order: each SKU's price is a call of its own.
const MOST_LINES: usize = 50;

/// The most of one SKU in one line.
const MOST_QUANTITY: i64 = 1_000_000_000;

/// An order as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    lines: List<NewLine, MOST_LINES>,
    customer: Option<Customer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "NewOrderLine"))]
struct NewLine {
    sku: Sku,
    quantity: Integer<1, MOST_QUANTITY>,
}

impl<A: Api> Orders<A> {
    /// Places an order once, however often it is asked for by the same name; the answer is the same each time.
    ///
    /// # Errors
    /// 409 `idempotency_key_reused` where something else was asked for by this name; 409 `insufficient_stock`; 400
    /// where the total is beyond what can be counted.
    pub async fn place(
        &self,
        name: &AttemptName,
        order: NewOrder,
        now: Timestamp,
        trace: Trace,
    ) -> Result<OrderView, ApiError> {
        let asked = asked(order);
        let call = self.draw(now)?;
        if let Some(earlier) = self.table.attempt(name).await? {
            return self.resume(name, asked, earlier, call, trace).await;
        }
        let attempt = self.draft(asked, self.draw(now)?, &trace).await?;
        if self.table.begin(name, &attempt, call).await? {
            return self.go_on(name, attempt, call, trace).await;
        }
        let earlier = self.table.attempt(name).await?;
        let earlier = earlier.ok_or_else(|| ApiError::fault("store_item", "an attempt has vanished"))?;
        self.resume(name, attempt.asked, earlier, call, trace).await
    }

    fn draw(&self, now: Timestamp) -> Result<Id, ApiError> {
        self.ids.draw(now).ok_or_else(|| ApiError::fault("clock", "the clock is out of range"))
    }

    /// What the attempt is to become, at the prices of now. A SKU that nobody knows is one that is not in stock.
    async fn draft(&self, asked: Asked, id: Id, trace: &Trace) -> Result<Attempt, ApiError> {
        let merged = merged(&asked.lines);
        let prices = self.prices(merged.iter().map(|(sku, _)| sku), trace).await?;
        let mut total = Money::zero(self.currency);
        let mut lines = Vec::with_capacity(merged.len());
        let mut unknown = None;
        for ((sku, quantity), price) in merged.into_iter().zip(prices) {
            let at = position(&asked.lines, &sku);
            let Some(price) = price else {
                unknown = unknown.or(Some(at));
                continue;
            };
            let sum = price.times(quantity).and_then(|price| total.plus(price));
            total = sum.map_err(|error| {
                ApiError::invalid(
                    format!("lines[{at}].quantity"),
                    format!("makes the total too large: {error}"),
                )
            })?;
            lines.push(OrderLine { sku, quantity, unit_price: price.minor() });
        }
        let customer = asked.customer.clone();
        let content = Content { id, lines, total: total.minor(), currency: self.currency, customer };
        Ok(Attempt { asked, content, phase: unknown.map_or(Phase::Placing, Phase::Rejected) })
    }

    /// Goes on with an attempt that was found under this name.
    async fn resume(
        &self,
        name: &AttemptName,
        asked: Asked,
        earlier: Attempt,
        call: Id,
        trace: Trace,
    ) -> Result<OrderView, ApiError> {
        if earlier.asked != asked {
            let message = "another order was asked for with this key before";
            return Err(ApiError::conflict("idempotency_key_reused", message).at("Idempotency-Key"));
        }
        let phase = match earlier.phase {
            Phase::Placing => self.table.open_call(name, call).await?,
            phase @ (Phase::Placed | Phase::Rejected(_)) => phase,
        };
        self.go_on(name, Attempt { phase, ..earlier }, call, trace).await
    }

    /// Takes an attempt to its end, `call` being written down as the next call for its stock.
    async fn go_on(
        &self,
        name: &AttemptName,
        attempt: Attempt,
        call: Id,
        trace: Trace,
    ) -> Result<OrderView, ApiError> {
        let Attempt { asked, content, phase } = attempt;
        let (phase, refused) = match phase {
            Phase::Placed | Phase::Rejected(_) => (phase, None),
            Phase::Placing => match self.deduct(&content, trace).await? {
                Deducted::Done => (self.table.place(name, &content).await?, None),
                Deducted::Short(sku) => {
                    let at = position(&asked.lines, &sku);
                    (self.table.reject(name, at, call).await?, Some(at))
                }
            },
        };
        match (phase, refused) {
            // The answer is what it was the first time, whatever has become of the order since.
            (Phase::Placed, _) => Ok(OrderView::new(content, Status::Pending)),
            (Phase::Rejected(at), _) | (Phase::Placing, Some(at)) => {
                let error = ApiError::conflict("insufficient_stock", "there is less stock than that");
                Err(error.at(format!("lines[{at}].quantity")))
            }
            (Phase::Placing, None) => Err(ApiError::fault("store_item", "a placed order is placing still")),
        }
    }
}

fn asked(NewOrder { lines: List(lines), customer }: NewOrder) -> Asked {
    let line = |NewLine { sku, quantity: Integer(quantity) }: NewLine| AskedLine { sku, quantity };
    Asked { lines: lines.into_iter().map(line).collect(), customer }
}

/// One line for each SKU, in the order in which they are first asked for.
fn merged(lines: &[AskedLine]) -> Vec<(Sku, i64)> {
    let mut merged: Vec<(Sku, i64)> = Vec::with_capacity(lines.len());
    for line in lines {
        match merged.iter_mut().find(|(sku, _)| *sku == line.sku) {
            Some((_, quantity)) => *quantity = quantity.saturating_add(line.quantity),
            None => merged.push((line.sku.clone(), line.quantity)),
        }
    }
    merged
}

/// The first line that asks for this SKU.
fn position(lines: &[AskedLine], sku: &Sku) -> usize {
    lines.iter().position(|line| line.sku == *sku).unwrap_or(0)
}
