//! Owns the one HTTP client of a process, its limits, and reading a body of bounded size. What is sent with it is
//! left to `endpoint` and `api`.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, RequestBuilder, Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// The HTTP client: build it once per process and hand clones, which share its connections, to everybody.
///
/// TLS 1.2 or later against the roots of Mozilla, HTTP/1.1, no proxy, no redirects.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    /// Draws from 0 up to 1, to spread retries.
    pub(crate) jitter: fn() -> f64,
}

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The TLS settings do not fit together.
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// The client itself.
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
}

impl Http {
    /// Builds the client. It connects to nothing yet.
    pub fn new() -> Result<Self, HttpError> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(HttpError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .referer(false)
            // A redirect would carry the bearer, or the client's secret, to an address nobody has checked.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .connect_timeout(Duration::from_secs(3))
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(HttpError::Client)?;
        Ok(Self { client, jitter: fastrand::f64 })
    }

    /// A client whose retries never wait, for tests.
    #[cfg(test)]
    pub(crate) fn without_jitter() -> Self {
        Self { jitter: || 0.0, ..Self::new().unwrap() }
    }

    pub(crate) async fn execute(&self, request: reqwest::Request) -> reqwest::Result<Response> {
        self.client.execute(request).await
    }

    pub(crate) fn request(&self, method: reqwest::Method, url: reqwest::Url) -> RequestBuilder {
        self.client.request(method, url)
    }
}

/// An answer with its whole body.
pub(crate) struct Answer {
    pub(crate) status: reqwest::StatusCode,
    /// What `Retry-After` says, if it says seconds; the date form is rare, and needs clocks that agree.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no [`Answer`].
pub(crate) enum NoAnswer {
    TimedOut,
    TooLarge,
    Connection(Arc<reqwest::Error>),
}

/// Sends `request` and reads the answer, of `max_body` bytes at most, all within `limit`.
pub(crate) async fn exchange(
    request: RequestBuilder,
    max_body: usize,
    limit: Duration,
) -> Result<Answer, NoAnswer> {
    let answer = async { read(request.send().await?, max_body).await };
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(Some(answer))) => Ok(answer),
        Ok(Ok(None)) => Err(NoAnswer::TooLarge),
        Ok(Err(error)) if error.is_timeout() => Err(NoAnswer::TimedOut),
        // The address may hold a query, and so somebody's data.
        Ok(Err(error)) => Err(NoAnswer::Connection(Arc::new(error.without_url()))),
        Err(_) => Err(NoAnswer::TimedOut),
    }
}

/// Reads the answer; `None` where the body is larger than `max_body`.
async fn read(mut response: Response, max_body: usize) -> Result<Option<Answer>, reqwest::Error> {
    let status = response.status();
    let header = response.headers().get(reqwest::header::RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max_body {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(Answer { status, retry_after: seconds.map(Duration::from_secs), body }))
}
