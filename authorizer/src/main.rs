//! The authorizer function: wiring of the environment and the clock. Everything else is the library's.

use std::{process::ExitCode, time::SystemTime};

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    authorizer::lambda::run(|name| std::env::var(name).ok(), SystemTime::now)
}
