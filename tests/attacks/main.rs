//! The catalogue of attacks: each row builds what an attacker would send or serve, and names the expected outcome. The
//! catalogue is also in `docs/security/catalogue.md`; a test compares the two.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod catalogue;
mod claims;
mod events;
mod forge;
mod headers;
mod keys;
mod shape;
mod signatures;
mod wycheproof;

use std::{collections::HashSet, fmt::Write};

use catalogue::Attack;

/// A part of the catalogue: its title and its rows.
type Section = (&'static str, fn() -> Vec<Attack>);

const SECTIONS: [Section; 6] = [
    ("The header value and the compact form", shape::attacks),
    ("The token's header", headers::attacks),
    ("Signatures", signatures::attacks),
    ("Keys and key sets", keys::attacks),
    ("Claims", claims::attacks),
    ("Events", events::attacks),
];

async fn hold(section: usize) {
    for attack in SECTIONS[section].1() {
        attack.hold().await;
    }
}

#[tokio::test]
async fn shapes_hold() {
    hold(0).await;
}

#[tokio::test]
async fn headers_hold() {
    hold(1).await;
}

#[tokio::test]
async fn signatures_hold() {
    hold(2).await;
}

#[tokio::test]
async fn keys_hold() {
    hold(3).await;
}

#[tokio::test]
async fn claims_hold() {
    hold(4).await;
}

#[tokio::test]
async fn events_hold() {
    hold(5).await;
}

#[test]
fn the_catalogue_is_that_of_the_page() {
    let (mut text, mut count, mut names) = (String::new(), 0, HashSet::new());
    for (title, attacks) in SECTIONS {
        writeln!(text, "\n### {title}\n").unwrap();
        writeln!(text, "| Attack | Source | Outcome | Key requests |\n| --- | --- | --- | --- |").unwrap();
        for attack in attacks() {
            assert!(names.insert(attack.name), "two rows are called `{}`", attack.name);
            count += 1;
            writeln!(text, "{attack}").unwrap();
        }
    }
    test_support::assert_table("attacks", &format!("\n{count} attacks.\n{text}"));
}
