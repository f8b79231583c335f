//! The authorizer function: passes the environment, its own path and the clock to the library.

use std::{process::ExitCode, time::SystemTime};

fn main() -> ExitCode {
    let program = std::env::current_exe().ok();
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    authorizer::lambda::run(|name| std::env::var(name).ok(), program.as_deref(), SystemTime::now)
}
