#![doc = include_str!("../README.md")]
//!
//! This library has what the program and the benches under `benches/` share: clock, endpoints and tokens.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

pub mod clock;
pub mod issuer;

/// The runtime of the stand-ins, on its own thread.
pub fn runtime() -> &'static Runtime {
    #[expect(clippy::expect_used, reason = "without it there is nothing to measure with")]
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
    });
    &RUNTIME
}
