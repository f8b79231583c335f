#![doc = include_str!("../README.md")]

mod call;
mod clock;
mod cores;
mod figure;
mod function;
mod http;
mod issuer;
mod measure;
mod options;
mod programs;
mod report;
mod runtime_api;

use std::{fs, io::Write, process::ExitCode};

use clap::Parser;

fn main() -> anyhow::Result<ExitCode> {
    let options = options::Options::parse();
    let programs = programs::build(options.authorizer.as_deref())?;
    let cores = cores::Cores::divide();
    let mut samples = programs::sizes(&programs)?;
    samples.extend(measure::Bench::prepare(programs, cores.clone())?.run(options.plan())?);
    let report = report::Report::new(report::Machine::here(cores), &samples);
    std::io::stdout().write_all(report.table().as_bytes())?;
    if let Some(path) = options.json {
        fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(if options.check && report.is_gross() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
