//! The command: wiring of the environment, the clock and the exit code. Everything else is the library's.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::SystemTime,
};

use clap::Parser as _;
use local::options::CommandLine;

#[tokio::main]
async fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    let done = local::run::run(command_line, |name| std::env::var(name).ok(), SystemTime::now).await;
    done.unwrap_or_else(|error| {
        let exit_code = error.exit_code();
        // The error and its causes, on one line. Without standard error the exit code has to do.
        _ = writeln!(io::stderr(), "error: {:#}", anyhow::Error::from(error));
        exit_code
    })
}
