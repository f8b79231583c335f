//! The fault table of the key set's endpoint: each way it can fail or change, with each state that the cache can be in.
//! Of every cell the first decision, the second right behind it, and the fetches so far are checked; the table is also
//! in `docs/security.md`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../common/endpoint.rs"]
mod endpoint;
#[path = "../common/lines.rs"]
mod lines;
#[path = "../common/page.rs"]
mod page;
#[path = "../common/signer.rs"]
#[expect(dead_code, reason = "keys and tokens of attackers are made elsewhere")]
mod signer;

mod bench;
mod faults;

use std::fmt::Write;

use bench::{Bench, State};
use faults::Fault;

/// Tries one row of the table.
async fn row(fault: &Fault) -> [String; 6] {
    let mut cells = Vec::new();
    for state in State::ALL {
        cells.push(Bench::new(fault, state).await.run(fault, state).await);
    }
    cells.try_into().unwrap()
}

#[tokio::test]
async fn every_fault_meets_every_state_of_the_cache() {
    let mut text = String::from("\n| Endpoint |");
    for state in State::ALL {
        write!(text, " {} |", state.name()).unwrap();
    }
    text.push_str("\n| --- | --- | --- | --- | --- | --- | --- |\n");
    let faults = faults::all().await;
    for fault in &faults {
        let cells = row(fault).await;
        let expected = fault.kind.expected();
        for (state, (cell, expected)) in State::ALL.iter().zip(cells.iter().zip(expected)) {
            assert_eq!(cell, expected, "{}, {}", fault.name, state.name());
        }
        writeln!(text, "| {} | {} |", fault.name, cells.join(" | ")).unwrap();
    }
    assert_eq!(faults::elsewhere(), 0, "no redirect was followed");
    let count = faults.len() * State::ALL.len();
    page::assert_table("jwks", &format!("\n{count} cells.\n{text}"));
}
