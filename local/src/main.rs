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
    let Err(error) = done.map_err(anyhow::Error::from) else { return ExitCode::SUCCESS };
    // The error and its causes, on one line. Without standard error the exit code has to do.
    _ = writeln!(io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}
