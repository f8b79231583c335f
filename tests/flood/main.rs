//! A flood of valid, invalid and hostile events for the real `authorizer` binary, eight at a time. Every answer is right,
//! memory stays flat (checked where there is a `/proc`), and the output contains no part of a token, claim or event.
//!
//! `cargo test -p tests --test flood` sends 2,000. `FLOOD_EVENTS=20000` sends more, `FLOOD_BINARY=target/deploy/authorizer` sends
//! them to the binary that deploys, and `-- --nocapture` prints the figures.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod events;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use test_support::{FIRST, Outcome, Process, Stub, built, reply, settings, signer::jwks};
use tokio::task::JoinSet;

use events::{Event, Expected};

/// How many events are sent, unless `FLOOD_EVENTS` is set.
const EVENTS: usize = 2_000;
const PARALLEL: usize = 8;
/// How much resident memory may grow after the first events: room for the allocator, but not for a leak of a hundred
/// bytes per event.
const GROWTH_KIB: u64 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_answered_in_flat_memory_and_in_silence() {
    let count = variable("FLOOD_EVENTS").map_or(EVENTS, |count| count.parse().unwrap());
    let keys = Stub::always(reply(200, "", jwks([FIRST.jwk()]))).await;
    let process = Arc::new(start(&keys).await);
    let events = Arc::new(events::all());
    // By then every event has been sent once.
    let warm_up = events.len().max(count / 10);
    assert!(count > 2 * warm_up, "FLOOD_EVENTS is too small to tell anything");
    let (next, resident) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..PARALLEL {
        let (process, events, next, resident) =
            (process.clone(), events.clone(), next.clone(), resident.clone());
        callers.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::SeqCst);
                if index >= count {
                    return;
                }
                let event = &events[index % events.len()];
                event.check(&process.invoke(&event.text).await);
                if index == warm_up
                    && let Some(memory) = memory(&process, "VmRSS:")
                {
                    resident.store(memory, Ordering::SeqCst);
                }
            }
        });
    }
    callers.join_all().await;
    let warm = resident.load(Ordering::SeqCst);
    if let (Some(end), Some(peak)) = (memory(&process, "VmRSS:"), memory(&process, "VmHWM:")) {
        println!("resident after {warm_up} events: {warm} KiB; after {count}: {end} KiB; peak: {peak} KiB");
        assert!(peak < warm + GROWTH_KIB, "memory grew from {warm} KiB to {peak} KiB");
    } else {
        println!("this system has no /proc: memory is not looked at");
    }
    let output = Arc::into_inner(process).unwrap().kill().await.concat();
    assert_eq!(output.matches("\"outcome\":").count(), count, "a line for each decision");
    for event in events.iter() {
        for secret in event.secrets() {
            assert!(!output.contains(secret), "the output holds `{secret}`");
        }
    }
    // One at the start, and one after each cooldown that an unknown key began.
    println!("requests for keys: {}", keys.count());
    assert!(keys.count() <= 60, "{} requests for keys", keys.count());
}

async fn start(keys: &Stub) -> Process {
    let binary = match variable("FLOOD_BINARY") {
        Some(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path),
        None => built("authorizer", "authorizer").await,
    };
    let mut settings = settings(&keys.url("/jwks.json"));
    settings.extend(
        [("AWS_LAMBDA_LOG_LEVEL", "TRACE"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "1")]
            .map(|(name, value)| (name, value.to_owned())),
    );
    settings.push(("AWS_LAMBDA_MAX_CONCURRENCY", PARALLEL.to_string()));
    Process::start(&binary, &settings).await
}

/// One of the figures that Linux keeps for a process, in KiB. `None` on systems that have no `/proc`.
fn memory(process: &Process, name: &str) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    Some(line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// An environment variable, for whoever runs the test.
#[expect(clippy::disallowed_methods, reason = "how a developer asks for a larger flood")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Event {
    /// Compares an answer with what is expected.
    fn check(&self, outcome: &Outcome) {
        match (&self.expected, outcome) {
            (Expected::Allowed(resource), Outcome::Answer(answer)) => {
                let allowed = &answer["policyDocument"]["Statement"][0];
                assert_eq!(allowed["Effect"], "Allow");
                let resources = allowed["Resource"].as_array().unwrap();
                assert!(resources.contains(&Value::from(resource.as_str())), "{resources:?}");
            }
            (Expected::Nothing, Outcome::Answer(answer)) => {
                assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny");
            }
            (Expected::Failed(label, message), Outcome::Failed { error_type, error_message }) => {
                assert_eq!((error_type.as_str(), error_message.as_str()), (*label, *message));
            }
            (Expected::Refused, Outcome::Failed { error_message, .. }) => {
                assert_eq!(error_message, "Unauthorized");
            }
            (expected, outcome) => panic!("{expected:?}: {outcome:?}"),
        }
    }
}
