//! What the whole-system tests share: a running system and a caller of its API.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "test code"
)]

mod answer;
mod system;

pub use answer::Answer;
pub use system::System;
pub use test_support::unix_now;
