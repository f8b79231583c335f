//! The payment service: one payment for an order, the lists, and the sweep of what is half done. The order's status is
//! the order service's, and is read and set through the API.
//!
//! A payment is an attempt that reserves its order, so that there is no second one, and is carried out by setting the
//! order to paid. Where the order was cancelled meanwhile, the attempt is refused: a cancelled order stays cancelled.
//!
//! | pk | sk | attributes |
//! | --- | --- | --- |
//! | `key#{client id}#{Idempotency-Key}` | `key` | the attempt |
//! | `order#{order id}` | `order` | the `attempt` that has the order |
//! | `day#{day}#{part}` | the payment's id | the payment as it is shown, once it is settled |

use access::ClientId;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    attempt::{self, Made, Make},
    config::Config,
    day::stamp,
    day_list::{PageOfDay, find},
    entry::{Answer, Invocation, Request, Service},
    error::{ApiError, Reason, Refusal},
    id::Id,
    json::Integer,
    money::{Currency, MAX_EXACT},
    orders::Status,
    store::{Key, Table, attempt::UNFINISHED},
    sweep::Swept,
    upstream::{Api, Call},
};

/// The scopes that the service calls the orders with.
pub const SCOPES: &[&str] = &["orders/read", "orders/status"];

/// The payment service.
#[derive(Clone, Debug)]
pub struct Payments<A> {
    table: Table,
    api: A,
    currency: Currency,
}

/// A payment as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    order_id: Id,
    amount: Integer<0, MAX_EXACT>,
    currency: Option<Currency>,
}

/// A settled payment, as it is kept and as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Payment {
    #[serde(rename = "payment_id")]
    id: Id,
    order_id: Id,
    amount: i64,
    currency: Currency,
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["settled"])))]
    status: String,
    /// The client that made it.
    created_by: String,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    created_at: String,
    /// When it was settled.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    updated_at: String,
}

/// A page of the payments of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PaymentPage {
    payments: Vec<Payment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The fields of an order that a payment needs.
#[derive(Debug, Deserialize)]
struct PayableOrder {
    status: Status,
    total: i64,
    currency: Currency,
    payment_id: Option<Id>,
}

impl<A: Api> Payments<A> {
    /// The service over the table that `config` names; the orders are reached by `api`.
    pub fn new(dynamodb: Client, api: A, config: Config) -> Self {
        Self { table: Table::new(dynamodb, config.table_name), api, currency: config.currency }
    }

    async fn order(&self, id: Id, invocation: &Invocation) -> Result<Option<PayableOrder>, ApiError> {
        let reply = self.api.send(Call::get(format!("/orders/{id}"), invocation)).await?;
        if reply.status == 404 { Ok(None) } else { reply.ok("the order").map(Some) }
    }
}

impl Made for Payment {
    const SUBJECT: &'static str = "payment_id";

    fn id(&self) -> Id {
        self.id
    }

    fn made_at(self, time: String) -> Self {
        Self { updated_at: time, ..self }
    }

    fn reserves(&self) -> Option<(Key, Refusal)> {
        let key = Key::new(format!("order#{}", self.order_id), "order");
        Some((key, Reason::AlreadyPaid.at("order_id")))
    }
}

impl<A: Api> Make for Payments<A> {
    type Asked = NewPayment;
    type Made = Payment;

    fn table(&self) -> &Table {
        &self.table
    }

    /// The payment, if it fits the order. What is refused here stays so, since total, currency and cancellation of an
    /// order never change, and need not be stored.
    async fn draft(
        &self,
        asked: &NewPayment,
        client_id: &ClientId<'_>,
        invocation: &Invocation,
    ) -> Result<Result<Payment, Refusal>, ApiError> {
        let NewPayment { order_id, amount: Integer(amount), currency } = *asked;
        invocation.about("order_id", order_id);
        let order = self.order(order_id, invocation).await?.ok_or_else(|| {
            ApiError::refused(404, "order_not_found", "there is no such order").at("order_id")
        })?;
        if order.currency != self.currency {
            return Err(ApiError::fault("currency", "the orders have another currency than the payments"));
        }
        let mismatch = |field| {
            let message = "a payment is the order's total, in its currency";
            Err(ApiError::conflict("amount_mismatch", message).at(field))
        };
        if currency.is_some_and(|currency| currency != order.currency) {
            return mismatch("currency");
        }
        if amount != order.total {
            return mismatch("amount");
        }
        match order.status {
            // A paid order may still wait for its payment: the reservation tells which attempt holds it.
            Status::Pending | Status::Paid => {}
            Status::Cancelled => return Err(Reason::OrderCancelled.at("order_id").into()),
            Status::Other(_) => {
                return Err(ApiError::unavailable("order_pending", "the order has an unknown status"));
            }
        }
        let id = invocation.draw()?;
        Ok(Ok(Payment {
            id,
            order_id,
            amount,
            currency: self.currency,
            status: "settled".to_owned(),
            created_by: client_id.to_string(),
            created_at: stamp(id.created_at()),
            updated_at: stamp(id.created_at()),
        }))
    }

    /// Sets the order to paid, by this payment.
    async fn carry_out(
        &self,
        _: &NewPayment,
        payment: &Payment,
        invocation: &Invocation,
    ) -> Result<Option<Refusal>, ApiError> {
        let Payment { order_id, id: payment_id, .. } = *payment;
        invocation.about("order_id", order_id);
        let paid = json!({ "status": Status::Paid, "payment_id": payment_id });
        let call = Call::with_body(client::Method::PATCH, format!("/orders/{order_id}"), &paid, invocation);
        let reply = self.api.send(call).await?;
        match reply.status {
            200 => return Ok(None),
            409 => {}
            _ => return Err(reply.unexpected("the order's status")),
        }
        let order = self.order(order_id, invocation).await?;
        let order = order.ok_or_else(|| ApiError::fault("upstream_answer", "an order has vanished"))?;
        match order.status {
            Status::Paid if order.payment_id == Some(payment_id) => Ok(None),
            Status::Paid => Ok(Some(Reason::AlreadyPaid.at("order_id"))),
            Status::Cancelled => Ok(Some(Reason::OrderCancelled.at("order_id"))),
            Status::Pending | Status::Other(_) => {
                Err(ApiError::unavailable("order_pending", "the order would not be paid"))
            }
        }
    }
}

impl<A: Api> Service for Payments<A> {
    const ROUTES: &'static [&'static str] = &["POST /payments", "GET /payments", "GET /payments/{id}"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "POST /payments" => attempt::attempt(self, &request).await,
            "GET /payments" => {
                let page = PageOfDay::of(&request, "payments")?;
                let (payments, next_cursor) = page.read(&self.table, Payment::id).await?;
                Answer::ok(&PaymentPage { payments, next_cursor })
            }
            "GET /payments/{id}" => {
                Answer::ok(&find::<Payment>(&self.table, request.id(Payment::SUBJECT)?).await?)
            }
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }

    async fn scheduled(&self, _: Timestamp, invocation: &Invocation) -> Result<Swept, ApiError> {
        let mut swept = Swept::default();
        let finish = |key: Key| async move { attempt::finish(self, &key, invocation).await };
        swept.add(&self.table, UNFINISHED, invocation.now(), invocation, finish).await?;
        Ok(swept)
    }
}

#[cfg(test)]
mod tests;
