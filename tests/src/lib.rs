//! Owns what whole-system tests share: a running system, a caller of its API, and a stand-in for the Lambda Runtime
//! API. What is to be true of the system is left to the tests in `api/`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code"
)]

mod answer;
mod binary;
mod runtime_api;
mod system;

pub use answer::Answer;
pub use binary::built;
pub use runtime_api::{Outcome, RuntimeApi};
pub use system::{System, unix_now};
