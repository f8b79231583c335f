//! What the gateway reports about each request that it answered, for its caller to log.

use std::{collections::BTreeMap, time::Duration};

/// One answered request. Holds nothing that a client could have put a token or a secret into: no path, no query,
/// no header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The id that the answer carries.
    pub request_id: String,
    /// The verb and resource of the method: `GET /orders/{id}`; `None` where no route was found.
    pub route: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// Who called, where the authorizer has said so.
    pub principal_id: Option<String>,
    /// What the authorizer said about the caller beside that.
    pub context: BTreeMap<String, String>,
    /// Whether the authorizer had to be called.
    pub authorization: Authorization,
    /// The error type of an answer that the gateway itself gave.
    pub error_type: Option<&'static str>,
    /// The error type with which the authorizer turned the caller away, where it is a short label.
    pub reason: Option<String>,
    /// What went wrong, where the answer is a 500 or 502 of the gateway's own. For the log only.
    pub detail: Option<String>,
    /// From the complete request to the answer.
    pub latency: Duration,
}

/// A cached answer of an authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedAnswer {
    /// Who called.
    pub principal_id: String,
    /// How long it is reused.
    pub left: Duration,
}

/// Where the authorizer's answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// There is none: the method is open, or the request never came so far.
    None,
    /// The function was called, with or without success.
    Called {
        /// How long that took.
        latency: Duration,
    },
    /// The answer came from the cache.
    Cached,
}
