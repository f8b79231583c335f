//! How a function is invoked by name: in this process, or over Lambda's Invoke API.

mod remote;

use futures_util::future::BoxFuture;

pub use self::remote::{Remote, Target};

/// Invokes functions by name, as Lambda's synchronous Invoke does.
pub trait Invoke: Send + Sync + 'static {
    /// Passes `event`, which is JSON, to the function and waits for its answer, which is JSON too.
    fn invoke<'a>(&'a self, function: &'a str, event: Vec<u8>)
    -> BoxFuture<'a, Result<Vec<u8>, InvokeError>>;
}

/// Why a function gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function answered with an error.
    #[error("the function failed with `{error_type}`")]
    Function {
        /// Its type, as the function names it.
        error_type: String,
        /// Its message; nothing of it reaches a caller.
        error_message: String,
    },
    /// The function did not answer within its own time limit.
    #[error("the function timed out")]
    TimedOut,
    /// The function could not be reached, or does not exist.
    #[error("the function could not be invoked: {0}")]
    Unavailable(String),
}
