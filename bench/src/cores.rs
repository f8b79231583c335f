//! Which core runs what: the measured processes share the last one, this program uses the others.

use std::process::{Child, Command};

use anyhow::{Context, Result};
use serde::Serialize;

/// Where the measured processes run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cores {
    /// All of them on this core, this program elsewhere.
    Pinned(usize),
    /// Wherever the scheduler puts them, for this reason: expect more noise.
    Unpinned(String),
}

impl Cores {
    /// Takes this program off the last core. Threads started later stay off it too, so this comes first.
    pub(crate) fn divide() -> Self {
        divide().unwrap_or_else(|error| Self::Unpinned(format!("{error:#}")))
    }

    /// Starts a process on the core of the measured processes.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<Child> {
        let started = match self {
            Self::Pinned(core) => spawn_on(*core, command)?,
            Self::Unpinned(_) => command.spawn(),
        };
        started.with_context(|| format!("cannot start `{}`", command.get_program().display()))
    }
}

#[cfg(target_os = "linux")]
fn divide() -> Result<Cores> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let mut rest = sched_getaffinity(None)?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|&core| rest.is_set(core)).context("no core at all")?;
    if rest.count() > 1 {
        rest.unset(last);
    }
    sched_setaffinity(None, &rest)?;
    Ok(Cores::Pinned(last))
}

/// A new process inherits the core of the thread that starts it, so this thread moves there for that moment: the
/// process is pinned from its first instruction on, and no other program has to start it.
#[cfg(target_os = "linux")]
fn spawn_on(core: usize, command: &mut Command) -> Result<std::io::Result<Child>> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let rest = sched_getaffinity(None)?;
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one)?;
    let started = command.spawn();
    sched_setaffinity(None, &rest)?;
    Ok(started)
}

#[cfg(not(target_os = "linux"))]
fn divide() -> Result<Cores> {
    anyhow::bail!("pinning needs Linux")
}

#[cfg(not(target_os = "linux"))]
fn spawn_on(_: usize, command: &mut Command) -> Result<std::io::Result<Child>> {
    Ok(command.spawn())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_process_runs_on_its_core_alone() {
        let cores = Cores::divide();
        let Cores::Pinned(core) = cores else { panic!("{cores:?}") };
        let mut command = Command::new("grep");
        command.args(["Cpus_allowed_list", "/proc/self/status"]).stdout(Stdio::piped());
        let output = cores.spawn(&mut command).unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("Cpus_allowed_list:\t{core}\n"));
    }
}
