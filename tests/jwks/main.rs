//! The fault table of the JWKS endpoint: each way it can fail or change, in each state of the cache, and with the real
//! process frozen between invocations. Each cell checks two decisions and the number of fetches; the table is also in `docs/security/catalogue.md`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod bench;
mod faults;
mod frozen;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use bench::{Bench, SLACK, State};
use faults::Fault;
use frozen::Decider;
use futures_util::future::join_all;
use test_support::{FIRST, Stub, reply, signer::jwks};

/// The last column: the frozen process.
const FROZEN: &str = "stale, the process frozen between invocations";

/// One row of the table without the last cell.
async fn row(fault: &Fault) -> Vec<String> {
    let mut cells = Vec::new();
    for state in State::ALL {
        cells.push(Bench::new(fault, state).await.run(fault, state).await);
    }
    cells
}

#[tokio::test]
async fn every_fault_meets_every_state_of_the_cache() {
    let states: Vec<&str> = State::ALL.into_iter().map(State::name).chain([FROZEN]).collect();
    let mut text =
        format!("\n| Endpoint | {} |\n{}|\n", states.join(" | "), "| --- ".repeat(states.len() + 1));
    let faults = faults::all().await;
    let frozen = join_all(faults.iter().map(frozen::run)).await;
    for (fault, frozen) in faults.iter().zip(frozen) {
        let mut cells = row(fault).await;
        cells.push(frozen);
        for (state, (cell, expected)) in states.iter().zip(cells.iter().zip(fault.kind.expected())) {
            assert_eq!(cell, expected, "{}, {state}", fault.name);
        }
        writeln!(text, "| {} | {} |", fault.name, cells.join(" | ")).unwrap();
    }
    assert_eq!(faults::elsewhere(), 0, "no redirect was followed");
    let count = faults.len() * states.len();
    test_support::assert_table("jwks", &format!("\n{count} cells.\n{text}"));
}

/// The authorizer's own tests check the exact bounds on a controlled clock; these leave room for a slow machine.
#[tokio::test]
async fn a_process_started_in_an_outage_recovers_soon_after_the_endpoint() {
    let endpoint = Stub::always(reply(503, "", "")).await;
    let mut process = Decider::start(&endpoint, Duration::from_secs(10)).await;
    for _ in 0..30 {
        assert!(process.decide().await.starts_with("500 "));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!((3..=12).contains(&endpoint.count()), "{} fetches", endpoint.count());
    endpoint.set(reply(200, "", jwks([FIRST.jwk()])));
    #[expect(clippy::disallowed_methods, reason = "the bound is one of real time")]
    let back = Instant::now();
    while process.decide().await.starts_with("500 ") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let waited = back.elapsed();
    assert!(waited < Duration::from_millis(1200) + SLACK, "{waited:?}");
}
