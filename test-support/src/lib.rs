#![doc = include_str!("../README.md")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code"
)]

mod http;
mod lines;
mod page;
mod process;
mod runtime_api;
pub mod signer;
mod stub;

use std::time::SystemTime;

use access::UnixSeconds;

pub use http::{Reply, Request, open, reply};
pub use lines::Lines;
pub use page::assert_table;
pub use process::{Process, built};
pub use runtime_api::{Ended, Outcome, RuntimeApi};
pub use signer::{FIRST, FOREIGN, SECOND, Signer};
pub use stub::{Stub, unused_address};

/// The route table of the project.
pub const ROUTES: &str = include_str!("../../routes.json");

/// The time.
#[expect(clippy::disallowed_methods, reason = "processes and whole systems have the real clock")]
pub fn unix_now() -> UnixSeconds {
    SystemTime::now().into()
}

/// The authorizer's settings for the pool of [`signer`], with its keys at this address.
pub fn settings(jwks_uri: &str) -> Vec<(&'static str, String)> {
    [
        ("USER_POOL_ID", signer::POOL),
        ("CLIENT_IDS", signer::CLIENT),
        ("ROUTES", ROUTES),
        ("JWKS_URI", jwks_uri),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// Looks up a variable by name; the last one of a name counts.
pub fn look_up(settings: &[(&str, String)]) -> impl Fn(&str) -> Option<String> {
    |name| settings.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
}
