//! Owns the report service: what was ordered and paid on a day, from the lists of the order and the payment service.
//! Event JSON and items are left to others.
//!
//! `orders.count` counts every order of the day, as `by_status` does; `orders.total` and `by_sku` leave cancelled ones
//! out, as nothing of them was sold. Days are UTC, and an order or a payment belongs to the day on which it was made.

mod build;

use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    day::Day,
    entry::{Answer, Request, Service},
    error::ApiError,
    money::Currency,
    store::reports::ReportTable,
    text::Sku,
    upstream::{Api, Trace},
};

/// The scopes that the service calls the orders and the payments with.
pub const SCOPES: &[&str] = &["orders/read", "payments/read"];

/// The report service.
#[derive(Clone, Debug)]
pub struct Reports<A> {
    table: ReportTable,
    api: A,
    currency: Currency,
}

/// The report of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    date: Day,
    orders: OrderTotals,
    payments: Totals,
    by_sku: Vec<Sold>,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    generated_at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct OrderTotals {
    count: u64,
    total: i64,
    by_status: ByStatus,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ByStatus {
    pending: u64,
    paid: u64,
    cancelled: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Totals {
    count: u64,
    total: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Sold {
    sku: Sku,
    quantity: i64,
    revenue: i64,
}

/// The day that a report is asked for.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    date: Day,
}

impl<A: Api> Reports<A> {
    /// The service over the table that `config` names; orders and payments are reached by `api`.
    pub fn new(dynamodb: Client, api: A, config: Config) -> Self {
        let Config { table_name, currency } = config;
        Self { table: ReportTable::new(dynamodb, table_name), api, currency }
    }

    /// Builds the report of a day from what is true now, and keeps it in place of any that was begun before.
    pub async fn run(&self, day: Day, now: Timestamp, trace: &Trace) -> Result<Report, ApiError> {
        let report = self.build(day, now, trace).await?;
        self.table.keep(day, now, &report).await?;
        Ok(report)
    }

    /// The report of a day as it was built last.
    ///
    /// # Errors
    /// 404 where none was built.
    pub async fn find(&self, day: Day) -> Result<Report, ApiError> {
        self.table.find(day).await?.ok_or_else(ApiError::not_found)
    }
}

impl<A: Api> Service for Reports<A> {
    const ROUTES: &'static [&'static str] = &["POST /reports", "GET /reports/{date}"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "POST /reports" => {
                let NewReport { date } = request.body()?;
                Answer::created(&self.run(date, request.now(), &request.trace()).await?)
            }
            "GET /reports/{date}" => {
                let date = request.parameter("date").unwrap_or_default().parse::<Day>();
                let date = date.map_err(|error| ApiError::invalid("date", error.to_string()))?;
                Answer::ok(&self.find(date).await?)
            }
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }

    /// The report of the day before.
    async fn scheduled(&self, time: Timestamp, now: Timestamp) -> Result<(), ApiError> {
        let day = Day::of(time).before();
        let day = day.ok_or_else(|| ApiError::fault("clock", "the schedule's time is out of range"))?;
        self.run(day, now, &Trace::new()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
