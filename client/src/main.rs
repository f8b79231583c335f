//! Owns the edge of the command: arguments, environment, clock, and where its output goes. What it does is left to
//! `command`.

mod command;

use std::{io::Write, process::ExitCode, time::SystemTime};

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            // With nowhere to say it, the exit code has to do.
            writeln!(std::io::stderr(), "client: {error:#}").ok();
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge, where the environment and the clock come in")]
async fn run() -> anyhow::Result<ExitCode> {
    let arguments = command::Arguments::parse();
    let vars = |name: &str| std::env::var(name).ok();
    Ok(command::run(arguments, vars, SystemTime::now, &mut std::io::stdout(), &mut std::io::stderr()).await?)
}
