//! The program `client`: arguments, environment, output and exit code.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use client::cli::Program;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the edge, where the environment comes in")]
    let vars = |name: &str| std::env::var(name).ok();
    let done = Program::parse().run(vars, &mut std::io::stdout(), &mut std::io::stderr()).await;
    done.unwrap_or_else(|error| {
        // Without a standard error, only the exit code is left.
        writeln!(std::io::stderr(), "client: {:#}", anyhow::Error::from(error)).ok();
        ExitCode::from(2)
    })
}
