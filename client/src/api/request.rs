//! A request to an API: path, query, headers and body, checked when it is sent.

use std::{borrow::Cow, fmt, time::Duration};

use ::http::{
    Method, Request,
    header::{self, HeaderName, HeaderValue},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::ApiError;
use crate::url::ServiceUrl;

/// The header that says how many milliseconds a caller still waits for the answer.
pub const TIME_LEFT: &str = "X-Time-Left-Ms";

/// A longer trace header is dropped.
const MAX_TRACE: usize = 1024;

/// The headers that belong to the client or to the connection.
const RESERVED: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TRANSFER_ENCODING,
];

/// A call of an API.
///
/// ```
/// use client::{ApiRequest, Method};
///
/// let movement = serde_json::json!({"reference": "po-1", "lines": [{"sku": "A-1", "change": -2}]});
/// // The reference makes a repetition safe: the same movement again changes nothing.
/// let request = ApiRequest::new(Method::POST, "/inventory").json(&movement)?.safe_to_repeat();
/// let request = ApiRequest::new(Method::GET, format!("/inventory/{}", client::segment("A/1")));
/// # Ok::<(), client::ApiError>(())
/// ```
#[derive(Clone)]
pub struct ApiRequest {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    is_safe_to_repeat: bool,
    pub(super) time_limit: Option<Duration>,
}

impl ApiRequest {
    /// A request for `path`, which starts with a slash and is percent-encoded: see [`segment`].
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        let is_safe_to_repeat = method == Method::GET;
        let (query, headers) = (Vec::new(), Vec::new());
        Self { method, path: path.into(), query, headers, body: None, is_safe_to_repeat, time_limit: None }
    }

    /// Adds a query parameter; both are encoded here.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Passes on the trace headers (`traceparent`, `tracestate` and `X-Amzn-Trace-Id`) among the headers of the
    /// request that caused this one. Headers that cannot be sent are left out.
    #[must_use]
    pub fn trace<'a>(mut self, incoming: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let is_trace = |name: &str| {
            ["traceparent", "tracestate", "x-amzn-trace-id"]
                .iter()
                .any(|trace| name.eq_ignore_ascii_case(trace))
        };
        let is_valid = |value: &str| value.len() <= MAX_TRACE && HeaderValue::from_str(value).is_ok();
        let traces = incoming.into_iter().filter(|(name, value)| is_trace(name) && is_valid(value));
        self.headers.extend(traces.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// Sets the body.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, ApiError> {
        self.body = Some(serde_json::to_vec(body).map_err(|_| ApiError::Body)?);
        Ok(self)
    }

    /// Sets the body to a string: JSON, or whatever a `Content-Type` header says.
    #[must_use]
    pub fn json_text(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Declares that sending the request twice has the same effect as sending it once, as with an `Idempotency-Key`.
    /// A GET is always safe to repeat.
    #[must_use]
    pub fn safe_to_repeat(mut self) -> Self {
        self.is_safe_to_repeat = true;
        self
    }

    /// Limits this request to `limit`, or to the client's limit if that is shorter. Each attempt sends the remaining
    /// milliseconds in the header [`TIME_LEFT`], so that a service can stop once nobody waits.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    pub(super) fn may_be_repeated(&self) -> bool {
        self.is_safe_to_repeat
    }

    pub(super) fn build(&self, api_url: &ServiceUrl) -> Result<Request<Vec<u8>>, ApiError> {
        let path = || ApiError::Path(self.path.clone());
        let mut url = api_url.join(&self.path).ok_or_else(path)?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut request = Request::new(self.body.clone().unwrap_or_default());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(|_| path())?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
            match parsed {
                (Ok(name), Ok(value)) if !RESERVED.contains(&name) => _ = headers.append(name, value),
                _ => return Err(ApiError::Header(name.clone())),
            }
        }
        if self.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.entry(header::CONTENT_TYPE).or_insert(json);
        }
        Ok(request)
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A string as one segment of a path, percent-encoded, slashes included. `.` and `..` cannot be segments: a request
/// for such a path is refused.
pub fn segment(text: &str) -> Cow<'_, str> {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ENCODED).into()
}
