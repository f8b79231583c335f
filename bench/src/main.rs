//! The program: builds, measures, prints. The README says what and how.

mod call;
mod cores;
mod figure;
mod function;
mod functions;
mod hits;
mod local;
mod measure;
mod options;
mod programs;
mod report;

use std::{fs, io::Write, process::ExitCode};

use clap::Parser;

fn main() -> anyhow::Result<ExitCode> {
    let options = options::Options::parse();
    let plan = options.plan();
    let programs = programs::build(options.authorizer.as_deref(), options.all)?;
    let mut samples = programs::sizes(&programs)?;
    if let Some(local) = &programs.local {
        // It has all cores, so it comes before they are divided.
        samples.extend(local::measure(local, plan.runs)?);
    }
    let cores = cores::Cores::divide();
    samples.extend(functions::measure(&programs.functions, &cores, plan.starts)?);
    if !programs.hits.is_empty() {
        samples.extend(hits::measure(&programs.hits, &cores, plan)?);
    }
    samples.extend(measure::Bench::prepare(programs.authorizer, cores.clone(), plan)?.run(plan)?);
    let report = report::Report::new(report::Machine::here(cores), &samples);
    std::io::stdout().write_all(report.table().as_bytes())?;
    if let Some(path) = options.json {
        fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(if options.check && report.is_gross() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
