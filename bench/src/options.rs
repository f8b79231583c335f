//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::measure::Plan;

/// Measures the authorizer and two minimal Lambda programs to compare it with.
#[derive(Parser)]
pub(crate) struct Options {
    /// Fewer samples: well under a minute, builds apart
    #[arg(long)]
    quick: bool,
    /// Also a large route table, the four functions, the token cache and `local`: minutes of builds more
    #[arg(long)]
    pub(crate) all: bool,
    /// Write the outcome to this file as JSON
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,
    /// Fail if a figure is far off its target
    #[arg(long)]
    pub(crate) check: bool,
    /// Measure this binary instead of building the authorizer
    #[arg(long, value_name = "PATH")]
    pub(crate) authorizer: Option<PathBuf>,
}

impl Options {
    /// How much to measure.
    pub(crate) const fn plan(&self) -> Plan {
        if self.quick { Plan::QUICK } else { Plan::FULL }
    }
}
