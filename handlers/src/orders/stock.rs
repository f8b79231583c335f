//! Owns the order service's calls of the inventory: prices, deducting stock, returning it.

use client::Method;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::Orders;
use crate::{
    error::ApiError,
    money::{Currency, Money},
    store::orders::Content,
    text::Sku,
    upstream::{Api, Call, Trace},
};

/// How many prices are asked for at a time.
const PARALLEL: usize = 8;

/// What became of a deduction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deducted {
    /// The stock is deducted, now or before.
    Done,
    /// There is too little of this SKU. Nothing was deducted.
    Short(Sku),
}

#[derive(Serialize)]
struct Movement<'a> {
    reference: String,
    lines: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    sku: &'a Sku,
    change: i64,
}

#[derive(Deserialize)]
struct Item {
    unit_price: i64,
    currency: Currency,
}

impl<A: Api> Orders<A> {
    /// What each of `skus` costs, in their order; `None` for one that the inventory does not know.
    pub(super) async fn prices(
        &self,
        skus: impl Iterator<Item = &Sku>,
        trace: &Trace,
    ) -> Result<Vec<Option<Money>>, ApiError> {
        let calls: Vec<Call> = skus
            .map(|sku| Call::get(format!("/inventory/{}", client::segment(sku.as_str())), trace.clone()))
            .collect();
        stream::iter(calls).map(|call| self.price(call)).buffered(PARALLEL).try_collect().await
    }

    async fn price(&self, call: Call) -> Result<Option<Money>, ApiError> {
        let reply = self.api.send(call).await?;
        let item: Item = match reply.status {
            200 => reply.json()?,
            404 => return Ok(None),
            _ => return Err(reply.unexpected("the price")),
        };
        if item.currency != self.currency {
            return Err(ApiError::fault("currency", "the inventory has another currency than the orders"));
        }
        let price = Money::new(item.unit_price, item.currency);
        price.map(Some).map_err(|error| ApiError::fault("upstream_answer", error.to_string()))
    }

    /// Deducts the stock of an order. Once, however often this is called.
    ///
    /// # Errors
    /// Whether it is deducted is not known then.
    pub(super) async fn deduct(&self, content: &Content, trace: Trace) -> Result<Deducted, ApiError> {
        // INVARIANT: sent once and no more. If it were repeated behind our back, a refusal would say nothing of the
        // one before it, which may be on its way still.
        let call = Call::with_body(Method::POST, "/inventory", &movement(content, "", -1), trace)?;
        let reply = self.api.send(call).await?;
        if reply.status == 200 {
            return Ok(Deducted::Done);
        }
        let (code, field) = reply.error();
        if reply.status != 409 || code != "insufficient_stock" {
            return Err(reply.unexpected("the deduction"));
        }
        let line = field
            .as_deref()
            .and_then(|field| field.strip_prefix("lines[")?.strip_suffix("].change")?.parse::<usize>().ok());
        let line = line.and_then(|at| content.lines.get(at)).or_else(|| content.lines.first());
        line.map(|line| Deducted::Short(line.sku.clone()))
            .ok_or_else(|| ApiError::fault("store_item", "an order without lines"))
    }

    /// Gives the stock of a cancelled order back. Once, however often this is called.
    pub(super) async fn return_stock(&self, content: &Content, trace: Trace) -> Result<(), ApiError> {
        let mut call = Call::with_body(Method::POST, "/inventory", &movement(content, ":cancel", 1), trace)?;
        call.is_safe_to_repeat = true;
        let reply = self.api.send(call).await?;
        if reply.status == 200 { Ok(()) } else { Err(reply.unexpected("the return of stock")) }
    }
}

fn movement<'a>(content: &'a Content, suffix: &str, sign: i64) -> Movement<'a> {
    let line = |line: &'a crate::store::orders::OrderLine| Line {
        sku: &line.sku,
        change: line.quantity.saturating_mul(sign),
    };
    Movement { reference: format!("{}{suffix}", content.id), lines: content.lines.iter().map(line).collect() }
}
