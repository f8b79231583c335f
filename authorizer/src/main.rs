//! The authorizer function: wiring of the environment, the program's own path and the clock. Everything else is the library's.

use std::{process::ExitCode, time::SystemTime};

fn main() -> ExitCode {
    let program = std::env::current_exe().ok();
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    authorizer::lambda::run(|name| std::env::var(name).ok(), program.as_deref(), SystemTime::now)
}
