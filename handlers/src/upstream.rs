//! Calls of other services, through the API and with the function's own token. Every call that the services make can be
//! repeated without harm, so a transient failure is retried.

use std::{fmt, future::Future, time::Duration};

use client::{ApiClient, ApiRequest, Method, TokenSource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    entry::Invocation,
    error::{ApiError, chain},
};

/// The time limit of one call, its token and its retries included. Three in a row leave a function time to answer.
const TIME_LIMIT: Duration = Duration::from_secs(6);

/// What a service needs of the API: to send a call and get the answer, whatever its status.
pub trait Api: Send + Sync {
    /// Sends one call.
    ///
    /// # Errors
    /// There was no answer. The call may have been carried out all the same.
    fn send(&self, call: Call) -> impl Future<Output = Result<Reply, ApiError>> + Send;
}

/// One call of the API.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The path, percent-encoded.
    pub path: String,
    /// The parameters of the query string.
    pub query: Vec<(&'static str, String)>,
    /// A JSON text.
    pub body: Option<String>,
    /// The trace headers of the request that caused it.
    pub trace: Trace,
    /// How long to wait for the answer.
    pub time_limit: Duration,
}

/// The trace headers of a request, by name.
pub type Trace = Vec<(String, String)>;

impl Call {
    /// A GET.
    pub fn get(path: String, invocation: &Invocation) -> Self {
        let (trace, time_limit) = (invocation.trace.clone(), invocation.time_left().min(TIME_LIMIT));
        Self { method: Method::GET, path, query: Vec::new(), body: None, trace, time_limit }
    }

    /// A call with a JSON body.
    pub fn with_body(method: Method, path: String, body: &Value, invocation: &Invocation) -> Self {
        Self { method, body: Some(body.to_string()), ..Self::get(path, invocation) }
    }
}

/// An answer of the API.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body of a 200 as JSON; `what` is it, for the log.
    pub fn ok<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, ApiError> {
        if self.status != 200 {
            return Err(self.unexpected(what));
        }
        // The text of a JSON error can quote the body.
        let parsed = serde_json::from_slice(&self.body);
        parsed.map_err(|_| ApiError::fault("upstream_answer", format!("{what}: not the expected JSON")))
    }

    /// The code and the field of an answer that is an error of ours.
    pub fn error(&self) -> (String, Option<String>) {
        #[derive(Default, serde::Deserialize)]
        struct Body {
            #[serde(default)]
            error: String,
            field: Option<String>,
        }
        let Body { error, field } = serde_json::from_slice(&self.body).unwrap_or_default();
        (error, field)
    }

    /// The error for an unexpected status: it is never the fault of our own caller.
    pub fn unexpected(&self, what: &'static str) -> ApiError {
        let detail = format!("{what}: status {} `{}`", self.status, self.error().0);
        match self.status {
            408 | 429 | 500.. => ApiError::unavailable("upstream_unavailable", detail),
            _ => ApiError::fault("upstream_refused", detail),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The API, called with the tokens of one client for these scopes.
#[derive(Clone, Debug)]
pub struct ClientApi {
    client: ApiClient,
    scopes: &'static [&'static str],
}

impl ClientApi {
    /// Calls with tokens of all of `scopes`: one token for all the calls of a function, asked for once.
    pub fn new(tokens: TokenSource, scopes: &'static [&'static str]) -> Self {
        Self { client: ApiClient::new(tokens, TIME_LIMIT), scopes }
    }
}

impl Api for ClientApi {
    async fn send(&self, call: Call) -> Result<Reply, ApiError> {
        let mut request =
            ApiRequest::new(call.method, call.path).safe_to_repeat().time_limit(call.time_limit);
        request = request.trace(call.trace.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        for (name, value) in call.query {
            request = request.query(name, value);
        }
        if let Some(body) = call.body {
            request = request.json_text(body);
        }
        match self.client.send(&request, self.scopes).await {
            Ok(reply) => Ok(Reply { status: reply.status.as_u16(), body: reply.body }),
            Err(error) if error.is_transient() => {
                Err(ApiError::unavailable("upstream_unavailable", chain(&error)))
            }
            Err(error) => Err(ApiError::fault("upstream", chain(&error))),
        }
    }
}

#[cfg(test)]
mod tests;
