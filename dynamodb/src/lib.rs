#![doc = include_str!("../README.md")]

mod connector;
mod operation;

use std::{
    fmt, io,
    sync::mpsc,
    thread::{self, JoinHandle},
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Builder, Config, Credentials, Region},
};
use dynoxide::{Database, DynoxideError};
use tokio::sync::oneshot;

use self::connector::{Call, Connector, Job};

/// A running database. It ends when it is closed, or else with the last of its clients.
pub struct Embedded {
    jobs: mpsc::Sender<Job>,
    worker: JoinHandle<()>,
}

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The engine does not start.
    #[error("the embedded database cannot be opened")]
    Engine(#[source] DynoxideError),
    /// The thread that does the work cannot be started.
    #[error("the embedded database has no thread to run on")]
    Thread(#[source] io::Error),
}

impl Embedded {
    /// Opens an empty database in memory.
    ///
    /// # Errors
    /// If the engine or its thread does not start.
    pub fn memory() -> Result<Self, OpenError> {
        Self::new(Database::memory().map_err(OpenError::Engine)?)
    }

    /// Answers from `engine`.
    ///
    /// # Errors
    /// If its thread does not start.
    pub fn new(engine: Database) -> Result<Self, OpenError> {
        let (jobs, waiting) = mpsc::channel();
        let work = move || {
            for job in waiting {
                match job {
                    Job::Call(call) => call.run(&engine),
                    Job::Close => break,
                }
            }
        };
        let worker = thread::Builder::new().name("dynamodb".to_owned()).spawn(work);
        Ok(Self { jobs, worker: worker.map_err(OpenError::Thread)? })
    }

    /// Runs one operation of DynamoDB's JSON protocol, and returns the status and the body of the answer; `None` once the
    /// database is closed. For whoever serves it to other processes.
    pub fn run(
        &self,
        operation: &str,
        body: &[u8],
    ) -> impl Future<Output = Option<(u16, Vec<u8>)>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let call = Call { operation: operation.to_owned(), body: body.to_vec(), answer };
        // No receiver: the answer's sender goes with the call.
        _ = self.jobs.send(Job::Call(call));
        async { answered.await.ok().map(|answer| (answer.status, answer.body)) }
    }

    /// Returns a client of this database. Its credentials are worth nothing elsewhere.
    pub fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    /// Returns the configuration of a client, to add to.
    pub fn config(&self) -> Builder {
        Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url("http://dynamodb.invalid")
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("embedded", "embedded", None, None, "embedded"))
            .http_client(Connector::new(self.jobs.clone()))
    }

    /// Waits for the operations that were sent before, then closes the database. From then on every call of a client
    /// fails. Blocks the thread that calls it.
    pub fn close(self) {
        // No receiver means that the worker has ended already.
        _ = self.jobs.send(Job::Close);
        _ = self.worker.join();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
