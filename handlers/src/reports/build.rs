//! Owns the adding up of a day's orders and payments, page by page, to the unit or not at all.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

use super::{ByStatus, OrderTotals, Report, Reports, Sold, Totals};
use crate::{
    day::Day,
    error::ApiError,
    money::{Currency, Money, MoneyError},
    store::orders::Status,
    text::Sku,
    upstream::{Api, Call, Trace},
};

/// The most pages of one list: a million orders a day.
const MOST_PAGES: usize = 10_000;

#[derive(Deserialize)]
struct Order {
    status: Status,
    lines: Vec<Line>,
    total: i64,
    currency: Currency,
}

#[derive(Deserialize)]
struct Line {
    sku: Sku,
    quantity: i64,
    unit_price: i64,
}

#[derive(Deserialize)]
struct Payment {
    amount: i64,
    currency: Currency,
}

/// A page of either list, each under its own name.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(alias = "orders", alias = "payments")]
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl<A: Api> Reports<A> {
    /// The report of a day as the lists say it now.
    pub(super) async fn build(&self, day: Day, now: Timestamp, trace: &Trace) -> Result<Report, ApiError> {
        let mut orders = OrderSums::new(self.currency);
        self.each("/orders", day, trace, |order: Order| orders.add(order)).await?;
        let (mut count, mut total) = (0, Money::zero(self.currency));
        self.each("/payments", day, trace, |payment: Payment| {
            count += 1;
            total = total.plus(Money::new(payment.amount, payment.currency)?)?;
            Ok(())
        })
        .await?;
        let by_sku = orders.by_sku.into_iter();
        Ok(Report {
            date: day,
            orders: OrderTotals {
                count: orders.by_status.pending + orders.by_status.paid + orders.by_status.cancelled,
                total: orders.total.minor(),
                by_status: orders.by_status,
            },
            payments: Totals { count, total: total.minor() },
            by_sku: by_sku
                .map(|(sku, (quantity, revenue))| Sold { sku, quantity, revenue: revenue.minor() })
                .collect(),
            generated_at: format!("{now:.3}"),
        })
    }

    /// Hands every item of a day's list to `add`, all pages.
    async fn each<T: DeserializeOwned>(
        &self,
        path: &str,
        day: Day,
        trace: &Trace,
        mut add: impl FnMut(T) -> Result<(), MoneyError> + Send,
    ) -> Result<(), ApiError> {
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let mut call = Call::get(path.to_owned(), trace.clone());
            call.query.push(("date", day.to_string()));
            call.query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let reply = self.api.send(call).await?;
            if reply.status != 200 {
                return Err(reply.unexpected("the list"));
            }
            let page: Page<T> = reply.json()?;
            for item in page.items {
                add(item).map_err(|error| ApiError::fault("upstream_answer", error.to_string()))?;
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
        Err(ApiError::fault("upstream_answer", "a list without an end"))
    }
}

/// The sums of the orders so far.
struct OrderSums {
    by_status: ByStatus,
    total: Money,
    by_sku: BTreeMap<Sku, (i64, Money)>,
}

impl OrderSums {
    const fn new(currency: Currency) -> Self {
        let by_status = ByStatus { pending: 0, paid: 0, cancelled: 0 };
        Self { by_status, total: Money::zero(currency), by_sku: BTreeMap::new() }
    }

    fn add(&mut self, order: Order) -> Result<(), MoneyError> {
        match order.status {
            Status::Pending => self.by_status.pending += 1,
            Status::Paid => self.by_status.paid += 1,
            Status::Cancelled => {
                self.by_status.cancelled += 1;
                return Ok(());
            }
        }
        self.total = self.total.plus(Money::new(order.total, order.currency)?)?;
        for line in order.lines {
            let revenue = Money::new(line.unit_price, order.currency)?.times(line.quantity)?;
            let (quantity, sum) = self.by_sku.entry(line.sku).or_insert((0, Money::zero(order.currency)));
            *quantity = quantity.checked_add(line.quantity).ok_or(MoneyError::Range)?;
            *sum = sum.plus(revenue)?;
        }
        Ok(())
    }
}
