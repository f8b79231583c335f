//! A function's binary as Lambda runs it: driven over the Runtime API, frozen between invocations, its output kept.

use std::{
    env,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::task::spawn_blocking;

use crate::{Outcome, RuntimeApi};

/// The process; it is killed when dropped.
#[derive(Debug)]
pub struct Process {
    api: Option<RuntimeApi>,
    child: Child,
    output: [Output; 2],
}

impl Process {
    /// Starts a binary with nothing in its environment but Lambda's own variables and these.
    pub async fn start(binary: &Path, settings: &[(&str, String)]) -> Self {
        let api = RuntimeApi::start().await;
        let mut child = Command::new(binary)
            .env_clear()
            .envs(api.environment())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = [Output::of(child.stdout.take().unwrap()), Output::of(child.stderr.take().unwrap())];
        Self { api: Some(api), child, output }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it asks for an event.
    pub async fn idle(&self) {
        self.api.as_ref().unwrap().idle().await;
    }

    /// Invokes it and waits for how that ends.
    pub async fn invoke(&self, event: &str) -> Outcome {
        self.api.as_ref().unwrap().invoke(event).await
    }

    /// The lines that it wrote to stdout so far.
    pub fn log(&self) -> String {
        self.output[0].text()
    }

    /// Freezes it, as Lambda does between invocations.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Resumes it.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "{name}");
    }

    /// Stops the Runtime API: the connection on which it waits closes.
    pub fn lose_runtime_api(&mut self) {
        self.api = None;
    }

    /// Kills it; what it wrote to stdout and stderr.
    pub async fn kill(mut self) -> [String; 2] {
        self.child.kill().unwrap();
        self.end().await.1
    }

    /// Waits until it ends by itself: its status, and what it wrote to stdout and stderr.
    pub async fn end(mut self) -> (ExitStatus, [String; 2]) {
        spawn_blocking(move || {
            let status = self.child.wait().unwrap();
            (status, self.output.each_mut().map(Output::end))
        })
        .await
        .unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have exited by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// What a process writes to one pipe.
#[derive(Debug)]
struct Output {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let sink = Arc::clone(&text);
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let mut sink = sink.lock().unwrap();
                sink.push_str(&line.unwrap());
                sink.push('\n');
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once the process has ended.
    fn end(&mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.text()
    }
}

/// The binary of this name in the package of this name: built on first use, with the profile and into the target folder
/// of the running test.
pub async fn built(package: &str, name: &str) -> PathBuf {
    let (package, name) = (package.to_owned(), name.to_owned());
    spawn_blocking(move || build(&package, &name)).await.unwrap()
}

/// One build at a time; the next one of the same binary finds it built.
static BUILDING: Mutex<()> = Mutex::new(());

fn build(package: &str, name: &str) -> PathBuf {
    let _one = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    // target/<profile>/deps/<this test>
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.args(["build", "--quiet", "--package", package, "--bin", name, "--target-dir"]);
    cargo.arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "cargo builds {name}");
    profile.join(name).with_extension(env::consts::EXE_EXTENSION)
}
