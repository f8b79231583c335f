//! Owns the process of the binary: its start, its memory, all of its output.

use std::{fs, path::Path, process::Stdio};

use tests::{RuntimeApi, built};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    signer::{CLIENT, POOL},
    variable,
};

pub(crate) struct Process {
    child: Child,
    id: u32,
    output: [JoinHandle<String>; 2],
}

impl Process {
    pub(crate) async fn start(api: &RuntimeApi, keys: &str, parallel: usize) -> Self {
        let binary = match variable("FLOOD_BINARY") {
            Some(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path),
            None => spawn_blocking(|| built("authorizer", "authorizer")).await.unwrap(),
        };
        let mut child = Command::new(binary)
            .env_clear()
            .envs(api.environment())
            .env("USER_POOL_ID", POOL)
            .env("CLIENT_IDS", CLIENT)
            .env("ROUTES", include_str!("../../routes.json"))
            .env("JWKS_URI", keys)
            .env("AWS_LAMBDA_MAX_CONCURRENCY", parallel.to_string())
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let id = child.id().unwrap();
        let output = [read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap())];
        Self { child, id, output }
    }

    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// Ends the process; what it wrote.
    pub(crate) async fn stop(mut self) -> String {
        self.child.kill().await.unwrap();
        let [out, err] = self.output;
        [out.await.unwrap(), err.await.unwrap()].concat()
    }
}

fn read(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<String> {
    tokio::spawn(async move {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    })
}

/// One of the figures that Linux tells of a process, in KiB. `None` on systems that have no `/proc`.
pub(crate) fn memory(id: u32, name: &str) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    Some(line.trim().trim_end_matches(" kB").parse().unwrap())
}
