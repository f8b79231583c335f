//! The JWKS request, with its time and size limits.

use std::{pin::Pin, sync::Arc, time::Duration};

use reqwest::{Client, StatusCode, Url, redirect, retry};

use super::jwk::KeySetError;

/// The largest body that is read: room for 100 keys of 4096 bits with a certificate each.
const LARGEST_BODY: usize = 512 * 1024;

/// Fetches an issuer's JWKS.
pub(crate) trait Fetch: Send + Sync {
    fn fetch(&self) -> Fetching<'_>;
}

/// A request under way.
pub(crate) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Why no keys were fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("no complete response in time")]
    TimedOut,
    /// The connection could not be made, or it broke; the HTTP client's own words, without the address.
    #[error("the connection failed: {0}")]
    Transport(String),
    #[error("the response has status {0}")]
    Status(u16),
    #[error("the response is larger than 512 KiB")]
    TooLarge,
    #[error(transparent)]
    Body(#[from] KeySetError),
}

impl FetchError {
    /// The label in the log.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Transport(_) => "transport",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Body(_) => "body",
        }
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self::Transport(text)
    }
}

/// The client for every JWKS of the process, built once.
///
/// # Errors
/// If the TLS backend cannot be set up.
pub(crate) fn client(timeout: Duration) -> Result<Client, ClientError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .referer(false)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        // Fetches are an hour apart, and a pooled connection may have died while the process was frozen.
        .pool_max_idle_per_host(0)
        .connect_timeout(timeout)
        .timeout(timeout)
        .build()?;
    Ok(client)
}

/// Why the HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The crypto provider lacks a TLS version.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The HTTP client refused its settings.
    #[error("the HTTP client cannot be built")]
    Http(#[from] reqwest::Error),
}

/// Fetches over HTTP.
pub(crate) struct HttpFetch {
    pub(crate) client: Client,
    pub(crate) url: Url,
}

impl Fetch for HttpFetch {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            let mut response = self.client.get(self.url.clone()).send().await?;
            // A redirect is a failure: only the configuration chooses where keys come from.
            if response.status() != StatusCode::OK {
                return Err(FetchError::Status(response.status().as_u16()));
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > LARGEST_BODY {
                    return Err(FetchError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        })
    }
}

/// Returns a fixed JWKS, and makes no request.
pub(crate) struct StaticJwks(pub(crate) Vec<u8>);

impl Fetch for StaticJwks {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

#[cfg(test)]
mod tests;
