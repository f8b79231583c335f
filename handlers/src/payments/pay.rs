//! Owns the paying of an order, step by step, so that a crash between any two of them is finished by the next try.
//!
//! 1. The order is read: it has to be pending, and the amount its total.
//! 2. In one transaction the attempt is written down and the order reserved for it, so that there is no second one.
//! 3. The order is set to paid. Where it was cancelled meanwhile, the attempt is rejected, and that is that: a
//!    cancelled order stays cancelled.
//! 4. In one transaction the payment appears and the attempt is settled.
//!
//! Whoever finds an order reserved for an attempt that was left half-way finishes that attempt first.

use client::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PaymentView, Payments};
use crate::{
    error::ApiError,
    id::Id,
    json::Integer,
    money::{Currency, MAX_EXACT},
    store::{
        orders::Status,
        payments::{Asked, Attempt, Begun, Payment, Phase},
    },
    text::AttemptName,
    upstream::{Api, Call, Trace},
};

/// A payment as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    order_id: Id,
    amount: Integer<0, MAX_EXACT>,
    currency: Option<Currency>,
}

/// What the payment service wants to know of an order.
#[derive(Debug, Deserialize)]
struct Order {
    status: Status,
    total: i64,
    currency: Currency,
}

#[derive(Serialize)]
struct Change {
    status: Status,
}

impl<A: Api> Payments<A> {
    /// Pays an order once, however often it is asked for by the same name; the answer is the same each time.
    ///
    /// # Errors
    /// 404 `order_not_found`; 409 `idempotency_key_reused`, `amount_mismatch`, `already_paid` or `order_cancelled`.
    pub async fn pay(
        &self,
        name: &AttemptName,
        payment: NewPayment,
        now: Timestamp,
        trace: &Trace,
    ) -> Result<PaymentView, ApiError> {
        let NewPayment { order_id, amount: Integer(amount), currency } = payment;
        let asked = Asked { order_id, amount, currency };
        if let Some(earlier) = self.table.attempt(name).await? {
            return self.resume(&asked, earlier, trace).await;
        }
        let payment = match self.check(&asked, trace).await? {
            Status::Pending => {
                let id = self.ids.draw(now);
                let id = id.ok_or_else(|| ApiError::fault("clock", "the clock is out of range"))?;
                Payment { id, order_id, amount, currency: self.currency }
            }
            Status::Paid => return self.taken(name, &asked, trace).await,
            Status::Cancelled => return Err(cancelled()),
        };
        match self.table.begin(name, asked.clone(), payment).await? {
            Begun::Now(attempt) => self.go_on(attempt, trace).await,
            Begun::Before => {
                let earlier = self.table.attempt(name).await?;
                let earlier =
                    earlier.ok_or_else(|| ApiError::fault("store_item", "an attempt has vanished"))?;
                self.resume(&asked, earlier, trace).await
            }
            Begun::OrderTaken => self.taken(name, &asked, trace).await,
        }
    }

    /// The status of the order, if the payment fits it.
    async fn check(&self, asked: &Asked, trace: &Trace) -> Result<Status, ApiError> {
        let order = self.order(asked.order_id, trace).await?.ok_or_else(|| {
            ApiError::refused(404, "order_not_found", "there is no such order").at("order_id")
        })?;
        if order.currency != self.currency {
            return Err(ApiError::fault("currency", "the orders have another currency than the payments"));
        }
        let mismatch = |field| {
            Err(ApiError::conflict("amount_mismatch", "a payment is the order's total, in its currency")
                .at(field))
        };
        if asked.currency.is_some_and(|currency| currency != order.currency) {
            return mismatch("currency");
        }
        if asked.amount != order.total {
            return mismatch("amount");
        }
        Ok(order.status)
    }

    async fn order(&self, id: Id, trace: &Trace) -> Result<Option<Order>, ApiError> {
        let reply = self.api.send(Call::get(format!("/orders/{id}"), trace.clone())).await?;
        match reply.status {
            200 => reply.json().map(Some),
            404 => Ok(None),
            _ => Err(reply.unexpected("the order")),
        }
    }

    /// Answers where the order is paid or reserved. The attempt that has it is taken to its end first; it may be one
    /// of this very name, which began a moment ago.
    async fn taken(&self, name: &AttemptName, asked: &Asked, trace: &Trace) -> Result<PaymentView, ApiError> {
        match self.table.attempt_on(asked.order_id).await? {
            Some(attempt) if attempt.is_of(name) => return self.resume(asked, attempt, trace).await,
            Some(other) => drop(self.go_on(other, trace).await?),
            None => {}
        }
        Err(ApiError::conflict("already_paid", "the order is paid by another payment").at("order_id"))
    }

    /// Goes on with an attempt that was found under this name.
    async fn resume(&self, asked: &Asked, earlier: Attempt, trace: &Trace) -> Result<PaymentView, ApiError> {
        if earlier.asked != *asked {
            let message = "another payment was asked for with this key before";
            return Err(ApiError::conflict("idempotency_key_reused", message).at("Idempotency-Key"));
        }
        self.go_on(earlier, trace).await
    }

    /// Takes an attempt to its end.
    async fn go_on(&self, attempt: Attempt, trace: &Trace) -> Result<PaymentView, ApiError> {
        let phase = match attempt.phase {
            Phase::Settling => match self.set_paid(attempt.payment.order_id, trace).await? {
                Status::Paid => self.table.settle(&attempt).await?,
                Status::Cancelled => self.table.reject(&attempt).await?,
                Status::Pending => {
                    return Err(ApiError::unavailable("order_pending", "the order would not be paid"));
                }
            },
            phase @ (Phase::Settled | Phase::Rejected) => phase,
        };
        match phase {
            Phase::Settled => Ok(attempt.payment.into()),
            Phase::Rejected => Err(cancelled()),
            Phase::Settling => Err(ApiError::fault("store_item", "a settled payment is settling still")),
        }
    }

    /// Sets the order to paid, and says what it is then. One that is paid already was paid by an earlier try of the
    /// attempt that has it: nobody else can set it.
    async fn set_paid(&self, order_id: Id, trace: &Trace) -> Result<Status, ApiError> {
        let change = Change { status: Status::Paid };
        let mut call = Call::with_body(Method::PATCH, format!("/orders/{order_id}"), &change, trace.clone())?;
        call.is_safe_to_repeat = true;
        let reply = self.api.send(call).await?;
        match reply.status {
            200 => Ok(Status::Paid),
            409 => match self.order(order_id, trace).await? {
                Some(order) => Ok(order.status),
                None => Err(ApiError::fault("upstream_answer", "an order has vanished")),
            },
            _ => Err(reply.unexpected("the order's status")),
        }
    }
}

fn cancelled() -> ApiError {
    ApiError::conflict("order_cancelled", "the order is cancelled").at("order_id")
}
