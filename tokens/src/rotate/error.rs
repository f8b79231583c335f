//! Why a step of a rotation failed.

/// A call of another service that failed. Holds no text that the service sent: it could repeat a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {reason}")]
pub struct CallError {
    /// What was asked.
    pub operation: &'static str,
    /// The service's error code, or where on the way it failed.
    pub reason: String,
}

/// Why a step of a rotation failed. Nothing has been deleted that may be in use, and the step can be repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// The event is neither a step of a rotation nor a request for a first value.
    #[error("the event is neither a step of a rotation nor a request for a first value")]
    Event,
    /// The version is not part of the secret, or not `AWSPENDING`.
    #[error("the version {0} of the secret is not AWSPENDING")]
    NotPending(String),
    /// No version is current.
    #[error("no version of the secret is AWSCURRENT")]
    NoCurrent,
    /// A version is not an object of strings with the members that it needs.
    #[error("the version {version} of the secret {fault}")]
    Value {
        /// The version's id.
        version: String,
        /// What is wrong with it, without the value.
        fault: &'static str,
    },
    /// It is not known which of the client's secrets may be deleted.
    #[error("the client {client_id} has the secrets {ids}: {why}; nothing was deleted (docs/rotate.md)")]
    Unknown {
        /// The client.
        client_id: String,
        /// The ids of its secrets.
        ids: String,
        /// What is not known, and what to do.
        why: String,
    },
    /// The secret does not say whose it is.
    #[error("the secret {0} has no tag `client_id`")]
    NoClient(String),
    /// The client has no secret that a first value could come from.
    #[error("the client {0} has no secret of its own")]
    NoOriginal(String),
    /// The token endpoint does not take the secret of that version.
    #[error("the token endpoint gives no token for the version {0} of the secret")]
    NotAccepted(String),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// Not all was done in the time of one invocation.
    #[error("the step was not finished in time")]
    TimedOut,
    /// Another service failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl RotateError {
    /// The label of log lines. It never changes.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Event => "bad_event",
            Self::NotPending(_) => "not_pending",
            Self::NoCurrent => "no_current",
            Self::Value { .. } => "bad_value",
            Self::Unknown { .. } => "unknown_secret",
            Self::NoClient(_) => "no_client",
            Self::NoOriginal(_) => "no_original",
            Self::NotAccepted(_) => "not_accepted",
            Self::Random => "random",
            Self::TimedOut => "timed_out",
            Self::Call(_) => "call",
        }
    }
}
