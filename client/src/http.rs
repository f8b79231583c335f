//! The HTTP client of a process, and one exchange with a response of bounded size.

mod builder;

#[cfg(feature = "aws")]
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use std::{fmt, time::Duration};

use ::http::{
    HeaderMap, StatusCode,
    header::{HeaderValue, InvalidHeaderValue, RETRY_AFTER},
};
use reqwest::{Client, Request};
use rustls::ClientConfig;

use crate::error::ConnectionError;
pub use builder::{HttpBuilder, HttpError};

/// The HTTP client. Build one per process and share clones, which use the same connections.
///
/// By default: TLS 1.2 or later with Mozilla's root certificates, HTTP/1.1, no proxy, and never a redirect.
#[derive(Clone)]
pub struct Http {
    client: Client,
    #[cfg(feature = "aws")]
    by_connect_limit: Arc<ByConnectLimit>,
    /// Draws from 0 up to 1, to spread retries.
    pub(crate) jitter: fn() -> f64,
}

impl Http {
    /// Builds the client with the defaults. It does not connect yet.
    pub fn new() -> Result<Self, HttpError> {
        Self::builder().build()
    }

    /// Builds the client with settings of your own.
    pub fn builder() -> HttpBuilder {
        HttpBuilder::default()
    }

    fn with(builder: &HttpBuilder, tls: &ClientConfig) -> Result<Self, HttpError> {
        Ok(Self {
            client: builder.client(tls, builder.connect_limit)?,
            #[cfg(feature = "aws")]
            by_connect_limit: Arc::new(ByConnectLimit {
                builder: builder.clone(),
                tls: tls.clone(),
                clients: Mutex::default(),
            }),
            jitter: fastrand::f64,
        })
    }

    /// A client whose retries never wait, for tests.
    #[cfg(test)]
    pub(crate) fn without_jitter() -> Self {
        Self { jitter: || 0.0, ..Self::new().unwrap() }
    }

    /// As this client, with this limit for a connection. There are few different limits in a process; each has
    /// connections of its own.
    #[cfg(feature = "aws")]
    pub(crate) fn with_connect_limit(&self, limit: Duration) -> Self {
        let ByConnectLimit { builder, tls, clients } = &*self.by_connect_limit;
        let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients.get(&limit).cloned();
        // What could be built with one limit can be built with another.
        let client = known.or_else(|| builder.client(tls, limit).ok());
        let client = client.unwrap_or_else(|| self.client.clone());
        if clients.len() < MAX_CONNECT_LIMITS {
            clients.insert(limit, client.clone());
        }
        Self { client, ..self.clone() }
    }

    /// Sends `request`, to an absolute URL, and reads the response, of `max_body` bytes at most, all within `limit`.
    ///
    /// For other requests than for a token or to an API. Nothing is added but `Host`, `User-Agent` and the body's length.
    pub async fn exchange(
        &self,
        request: ::http::Request<Vec<u8>>,
        max_body: usize,
        limit: Duration,
    ) -> Result<Response, ExchangeError> {
        let request = Request::try_from(request).map_err(|_| ExchangeError::Url)?;
        let response = async { read(self.client.execute(request).await?, max_body).await };
        match tokio::time::timeout(limit, response).await {
            Ok(Ok(Some(response))) => Ok(response),
            Ok(Ok(None)) => Err(ExchangeError::TooLarge),
            Ok(Err(error)) if error.is_timeout() => Err(ExchangeError::TimedOut),
            Ok(Err(error)) => Err(ExchangeError::Connection(ConnectionError::new(error))),
            Err(_) => Err(ExchangeError::TimedOut),
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// More different limits than a process has.
#[cfg(feature = "aws")]
const MAX_CONNECT_LIMITS: usize = 16;

/// Clients with other limits for a connection than their [`Http`] has: the AWS SDK sets its own for each service.
#[cfg(feature = "aws")]
struct ByConnectLimit {
    builder: HttpBuilder,
    tls: ClientConfig,
    clients: Mutex<BTreeMap<Duration, Client>>,
}

/// A response with its whole body, whatever its status.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// What `Retry-After` says, if it is in seconds; the date form is rare, and needs clocks that agree.
    pub fn retry_after(&self) -> Option<Duration> {
        let header = self.headers.get(RETRY_AFTER)?;
        header.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        f.debug_struct("Response")
            .field("status", &status)
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no [`Response`].
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The request is not for an absolute URL.
    #[error("the request has no absolute URL")]
    Url,
    /// There was no connection, or it broke.
    #[error("the connection failed")]
    Connection(#[source] ConnectionError),
    /// There was no response in time.
    #[error("there was no response in time")]
    TimedOut,
    /// The body is larger than the caller takes.
    #[error("the response is too large")]
    TooLarge,
}

/// A header with a secret in it, which no Debug output shows.
pub(crate) fn sensitive(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads the response; `None` if the body is larger than `max_body`.
async fn read(mut response: reqwest::Response, max_body: usize) -> Result<Option<Response>, reqwest::Error> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_body {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(Response { status, headers, body }))
}

#[cfg(test)]
pub(crate) mod tests;
