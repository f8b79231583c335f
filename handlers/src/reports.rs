//! The report service: what was ordered and paid on a day, from the lists of the order and the payment service.
//!
//! `orders.count` counts every order of the day, as `by_status` does; `orders.total` and `by_sku` leave cancelled ones
//! out, as nothing of them was sold. Days are UTC, and an order or a payment belongs to the day on which it was made.
//! Memory holds one entry for each SKU of the day, and one page for each part that is being read.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::Client;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    cursor,
    day::{Day, stamp},
    day_list::MOST,
    entry::{Answer, Invocation, Request, Service},
    error::ApiError,
    money::Currency,
    store::{SHARDS, Table},
    sweep::Swept,
    text::Sku,
    upstream::{Api, Call},
};

/// The scopes that the service calls the orders and the payments with.
pub const SCOPES: &[&str] = &["orders/read", "payments/read"];

const LIST: &str = "report";

/// SKUs in one answer, at most: half of what a function may return.
const MOST_SKUS: usize = 20_000;

/// Parts of a day read at a time.
const PARALLEL: usize = 8;

/// Days that the schedule reports: what is finished late belongs to the day on which it began.
const DAYS: usize = 3;

/// The report service.
#[derive(Clone, Debug)]
pub struct Reports<A> {
    table: Table,
    api: A,
    currency: Currency,
}

/// The report of a day. Its sums may be larger than the numbers that JavaScript keeps exact.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    #[serde(flatten)]
    sums: Sums,
    by_sku: Vec<Sold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The sums of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Sums {
    date: Day,
    orders: OrderTotals,
    payments: Totals,
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    generated_at: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct OrderTotals {
    count: u64,
    total: u128,
    /// How many of each status; of `pending`, `paid` and `cancelled` also where there are none.
    by_status: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Totals {
    count: u64,
    total: u128,
}

/// What was sold of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sold {
    sku: Sku,
    quantity: u128,
    revenue: u128,
}

/// The day that a report is asked for.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    date: Day,
}

/// The fields of an order that a report needs.
#[derive(Deserialize)]
struct ListedOrder {
    status: String,
    lines: Vec<SoldLine>,
    total: u64,
    currency: Currency,
}

#[derive(Deserialize)]
struct SoldLine {
    sku: Sku,
    quantity: u64,
    unit_price: u64,
}

#[derive(Deserialize)]
struct ListedPayment {
    amount: u64,
    currency: Currency,
}

/// A page of either list.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    orders: Vec<ListedOrder>,
    #[serde(default)]
    payments: Vec<ListedPayment>,
    next_cursor: Option<String>,
}

/// The sums so far.
#[derive(Default)]
struct Tally {
    orders: OrderTotals,
    payments: Totals,
    by_sku: BTreeMap<Sku, (u128, u128)>,
}

impl<A: Api> Reports<A> {
    /// The service over the table that `config` names; orders and payments are reached by `api`.
    pub fn new(dynamodb: Client, api: A, config: Config) -> Self {
        Self { table: Table::new(dynamodb, config.table_name), api, currency: config.currency }
    }

    /// Builds the report of a day from the current lists, and stores it in place of any that was begun earlier.
    async fn run(&self, day: Day, invocation: &Invocation) -> Result<Report, ApiError> {
        let tally = Mutex::new(Tally::default());
        let parts = (0..SHARDS).flat_map(|part| [("/orders", part), ("/payments", part)]);
        let reads = parts.map(|(path, part)| self.add(path, part, day, &tally, invocation));
        let reads = stream::iter(reads.collect::<Vec<_>>());
        reads.buffer_unordered(PARALLEL).try_collect::<()>().await?;
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Tally { mut orders, payments, by_sku } = tally;
        for status in ["pending", "paid", "cancelled"] {
            orders.by_status.entry(status.to_owned()).or_default();
        }
        let sold = |(sku, (quantity, revenue))| Sold { sku, quantity, revenue };
        let by_sku: Vec<Sold> = by_sku.into_iter().map(sold).collect();
        let sums = Sums { date: day, orders, payments, generated_at: stamp(invocation.now()) };
        let text =
            serde_json::to_string(&sums).map_err(|error| ApiError::fault("answer", error.to_string()))?;
        self.table.keep_report(day, invocation.now(), text, &by_sku).await?;
        Ok(Report::page(sums, by_sku, None))
    }

    /// The report of a day as it was built last, its SKUs from the start or from a cursor.
    async fn find(&self, day: Day, unverified_cursor: Option<&str>) -> Result<Report, ApiError> {
        let sku = |position: &str| Sku::parse(position).ok();
        let after = unverified_cursor.map(|cursor| cursor::decode(LIST, cursor, sku)).transpose()?;
        let (sums, by_sku) = self.table.report(day).await?.ok_or_else(ApiError::not_found)?;
        let sums =
            serde_json::from_str(&sums).map_err(|_| ApiError::fault("store_item", "a report is garbled"))?;
        Ok(Report::page(sums, by_sku, after))
    }

    /// Adds one part of a day's list to the tally, all pages.
    async fn add(
        &self,
        path: &str,
        part: u8,
        day: Day,
        tally: &Mutex<Tally>,
        invocation: &Invocation,
    ) -> Result<(), ApiError> {
        let mut cursor = None;
        loop {
            let mut call = Call::get(path.to_owned(), invocation);
            call.query =
                vec![("date", day.to_string()), ("part", part.to_string()), ("limit", MOST.to_string())];
            call.query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let Page { orders, payments, next_cursor } = self.api.send(call).await?.ok("the list")?;
            let currencies = orders.iter().map(|order| order.currency);
            let mut currencies = currencies.chain(payments.iter().map(|payment| payment.currency));
            if currencies.any(|currency| currency != self.currency) {
                return Err(ApiError::fault("currency", "a list has another currency than the reports"));
            }
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            for order in orders {
                tally.add_order(order);
            }
            tally.payments.count += payments.len() as u64;
            tally.payments.total += payments.iter().map(|payment| u128::from(payment.amount)).sum::<u128>();
            if next_cursor.is_none() {
                return Ok(());
            }
            cursor = next_cursor;
        }
    }
}

impl Report {
    fn page(sums: Sums, mut by_sku: Vec<Sold>, after: Option<Sku>) -> Self {
        if let Some(after) = after {
            by_sku.retain(|sold| sold.sku > after);
        }
        let has_more = by_sku.len() > MOST_SKUS;
        by_sku.truncate(MOST_SKUS);
        let last = by_sku.last().filter(|_| has_more);
        let next_cursor = last.map(|sold| cursor::encode(LIST, sold.sku.as_str()));
        Self { sums, by_sku, next_cursor }
    }
}

impl Tally {
    fn add_order(&mut self, ListedOrder { status, lines, total, .. }: ListedOrder) {
        let is_cancelled = status == "cancelled";
        self.orders.count += 1;
        *self.orders.by_status.entry(status).or_default() += 1;
        if is_cancelled {
            return;
        }
        self.orders.total += u128::from(total);
        for SoldLine { sku, quantity, unit_price } in lines {
            let (quantities, revenue) = self.by_sku.entry(sku).or_default();
            *quantities += u128::from(quantity);
            *revenue += u128::from(quantity) * u128::from(unit_price);
        }
    }
}

impl<A: Api> Service for Reports<A> {
    const ROUTES: &'static [&'static str] = &["POST /reports", "GET /reports/{date}"];

    async fn call(&self, request: Request<'_>) -> Result<Answer, ApiError> {
        match request.route().name() {
            "POST /reports" => {
                let NewReport { date } = request.body()?;
                let report = self.run(date, request.invocation).await?;
                Answer::created(format!("/reports/{date}"), &report)
            }
            "GET /reports/{date}" => {
                let date = request.parameter("date").unwrap_or_default().parse::<Day>();
                let date = date.map_err(|error| error.at("date"))?;
                Answer::ok(&self.find(date, request.query("cursor")?).await?)
            }
            _ => Err(ApiError::fault("unserved_route", request.route().to_string())),
        }
    }

    /// Builds the reports of the days before; if one fails, the others are still built.
    async fn scheduled(&self, time: Timestamp, invocation: &Invocation) -> Result<Swept, ApiError> {
        let (mut swept, mut day) = (Swept::default(), Day::of(time));
        let mut failure = None;
        for _ in 0..DAYS {
            day = day
                .before()
                .ok_or_else(|| ApiError::fault("clock", "the schedule's time is out of range"))?;
            match Box::pin(self.run(day, invocation)).await {
                Ok(_) => swept.finished += 1,
                Err(error) => failure = Some(error.about(day)),
            }
        }
        failure.map_or(Ok(swept), Err)
    }
}

#[cfg(test)]
mod tests;
