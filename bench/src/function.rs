//! One measured process: starts it as Lambda does, sends it events, and reads its CPU time and memory from `/proc`.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use bench::{clock, runtime};
use test_support::{Ended, RuntimeApi};
use tokio::{task::JoinHandle, time::timeout};

use crate::cores::Cores;

/// No step of a healthy function takes this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to check whether a process is idle.
const GLANCE: Duration = Duration::from_micros(100);

/// A running function; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Function {
    process: Child,
    api: RuntimeApi,
    started: Instant,
    /// The invocation whose event waited for the process.
    first: Option<JoinHandle<Ended>>,
}

impl Function {
    /// Starts `program` with nothing in its environment but Lambda's own variables and `vars`. Its log goes to
    /// `/dev/null`: the cost of writing a line is measured, that of reading it is not. `first`, if any, waits for it.
    pub(crate) fn start(
        program: &Path,
        vars: &[(&str, String)],
        first: Option<&str>,
        cores: &Cores,
    ) -> Result<Self> {
        let api = runtime().block_on(RuntimeApi::start());
        let first = first.map(|event| runtime().spawn(api.send(event.to_owned())));
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(api.environment())
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .envs(vars.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let started = clock::now();
        let process = cores.spawn(&mut command)?;
        Ok(Self { process, api, started, first })
    }

    /// Hands it one event and waits for the answer.
    pub(crate) fn invoke(&mut self, event: &str) -> Result<Ended> {
        self.ready()?;
        wait(&mut self.process, self.api.send(event.to_owned()))
    }

    /// The answer to the event that waited for it.
    pub(crate) fn answer(&mut self) -> Result<Ended> {
        let first = self.first.take().context("no event waited for it")?;
        Ok(wait(&mut self.process, first)??)
    }

    /// Waits until it asks for the next event.
    pub(crate) fn ready(&mut self) -> Result<()> {
        wait(&mut self.process, self.api.idle())
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The CPU time, user and system, of all its threads so far. Waits until it has asked for the next event and
    /// sleeps: only then is the kernel's account of it complete.
    pub(crate) fn cpu(&mut self) -> Result<Duration> {
        self.ready()?;
        let deadline = clock::now() + PATIENCE;
        while self.threads("stat")?.iter().any(|stat| is_running(stat)) {
            if clock::now() > deadline {
                bail!("the function does not come to rest");
            }
            thread::sleep(GLANCE);
        }
        let accounts = self.threads("schedstat")?;
        let nanoseconds = accounts.iter().map(|account| on_cpu(account)).sum::<Result<u64>>()?;
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory it ever had resident, in bytes.
    pub(crate) fn peak_rss(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).with_context(|| path)?;
        peak_rss(&status).context("no VmHWM in the process's status")
    }

    /// Connections that it made to the Runtime API so far.
    pub(crate) fn connections(&self) -> usize {
        self.api.connections()
    }

    fn threads(&self, file: &str) -> Result<Vec<String>> {
        let tasks = format!("/proc/{}/task", self.process.id());
        let mut texts = Vec::new();
        for task in fs::read_dir(&tasks).with_context(|| tasks)? {
            let path = task?.path().join(file);
            texts.push(fs::read_to_string(&path).with_context(|| path.display().to_string())?);
        }
        Ok(texts)
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have exited by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn wait<T>(process: &mut Child, step: impl Future<Output = T>) -> Result<T> {
    runtime().block_on(async { timeout(PATIENCE, step).await }).map_err(|_| match process.try_wait() {
        Ok(Some(status)) => anyhow!("the function ended, {status}"),
        _ => anyhow!("the function was silent for {PATIENCE:?}"),
    })
}

/// Whether `/proc/<pid>/task/<tid>/stat` tells of a thread that runs. The state follows the name in parentheses,
/// which may hold anything.
fn is_running(stat: &str) -> bool {
    stat.rsplit_once(") ").is_none_or(|(_, fields)| fields.starts_with('R'))
}

/// The first number of `/proc/<pid>/task/<tid>/schedstat`: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Result<u64> {
    let number = schedstat.split_ascii_whitespace().next().context("an empty schedstat")?;
    Ok(number.parse()?)
}

fn peak_rss(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_runs_only_in_state_r() {
        for (name, stat, running) in [
            ("running", "7 (authorizer) R 1 7", true),
            ("sleeping", "7 (authorizer) S 1 7", false),
            ("sleeping, with a name that misleads", "7 (a) R b) S 1 7", false),
            ("unreadable", "", true),
        ] {
            assert_eq!(is_running(stat), running, "{name}");
        }
    }

    #[test]
    fn time_on_a_cpu_is_the_first_number() {
        assert_eq!(on_cpu("1500 20 3\n").unwrap(), 1500);
        assert!(on_cpu("").is_err());
    }

    #[test]
    fn peak_memory_is_read_in_bytes() {
        assert_eq!(peak_rss("Name:\ta\nVmHWM:\t    5120 kB\nVmRSS:\t 1 kB\n"), Some(5 * 1024 * 1024));
        assert_eq!(peak_rss("Name:\ta\n"), None);
    }
}
