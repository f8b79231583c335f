//! The command: wiring of the clock and the exit code. Everything else is the library's.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::SystemTime,
};

use clap::Parser as _;
use gateway::options::CommandLine;

#[tokio::main]
async fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    let done = gateway::run::run(CommandLine::parse(), SystemTime::now).await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The error and its causes, on one line. Without standard error the exit code has to do.
            _ = writeln!(io::stderr(), "error: {:#}", anyhow::Error::from(error));
            ExitCode::FAILURE
        }
    }
}
