//! Owns the payment service: one payment for an order, and the lists. The order's status is the order service's, and
//! is read and set through the API. Event JSON and items are left to others.

mod pay;

use aws_sdk_dynamodb::Client;
use serde::Serialize;

pub use pay::NewPayment;

use crate::{
    config::Config,
    cursor,
    day::Day,
    entry::{Answer, Request, Service},
    error::ApiError,
    id::{Id, Ids},
    money::Currency,
    store::payments::{Payment, PaymentTable},
    upstream::Api,
};

/// The scopes that the service calls the orders with.
pub const SCOPES: &[&str] = &["orders/read", "orders/status"];

/// The most payments of one page.
const PAGE: i32 = 100;

/// The list that cursors belong to.
const LIST: &str = "payments";

/// The payment service.
#[derive(Debug)]
pub struct Payments<A> {
    table: PaymentTable,
    api: A,
    ids: Ids,
    currency: Currency,
}

/// A payment as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Payment"))]
pub struct PaymentView {
    payment_id: Id,
    order_id: Id,
    amount: i64,
    currency: Currency,
    #[cfg_attr(feature = "schema", schemars(extend("const" = "settled")))]
    status: &'static str,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    created_at: String,
}

impl From<Payment> for PaymentView {
    /// Only settled payments are shown.
    fn from(payment: Payment) -> Self {
        let Payment { id, order_id, amount, currency } = payment;
        let created_at = format!("{:.3}", id.created_at());
        Self { payment_id: id, order_id, amount, currency, status: "settled", created_at }
    }
}

/// A page of the payments of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PaymentPage {
    payments: Vec<PaymentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<A: Api> Payments<A> {
    /// The service over the table that `config` names; the orders are reached by `api`.
    pub fn new(dynamodb: Client, api: A, config: Config) -> Self {
        let Config { table_name, currency } = config;
        Self { table: PaymentTable::new(dynamodb, table_name), api, ids: Ids::default(), currency }
    }

    /// One payment.
    ///
    /// # Errors
    /// 404, also for a payment that is not settled.
    pub async fn find(&self, id: Id) -> Result<PaymentView, ApiError> {
        Ok(self.table.find(id).await?.ok_or_else(ApiError::not_found)?.into())
    }

    /// A page of the payments of a day in the order of their creation, from the start or from behind a payment.
    pub async fn list(&self, day: Day, after: Option<Id>) -> Result<PaymentPage, ApiError> {
        let (payments, has_more) = self.table.page(day, after, PAGE).await?;
        let last = payments.last().filter(|_| has_more);
        let next_cursor = last.map(|payment| cursor::encode(LIST, &payment.id.to_string()));
        Ok(PaymentPage { payments: payments.into_iter().map(PaymentView::from).collect(), next_cursor })
    }
}

impl<A: Api> Service for Payments<A> {
    const ROUTES: &'static [&'static str] = &["POST /payments", "GET /payments", "GET /payments/{id}"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "POST /payments" => {
                let (name, payment) = (request.attempt_name()?, request.body()?);
                Answer::created(&self.pay(&name, payment, request.now(), &request.trace()).await?)
            }
            "GET /payments" => {
                let (day, after) = request.page_of_day(LIST)?;
                Answer::ok(&self.list(day, after).await?)
            }
            "GET /payments/{id}" => Answer::ok(&self.find(request.id()?).await?),
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
