//! The settings of an [`Http`].

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Proxy, redirect, retry};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::Http;

/// Builds an [`Http`].
///
/// ```no_run
/// use client::Http;
/// use std::time::Duration;
///
/// # fn run(company_roots: &[u8]) -> Result<(), client::HttpError> {
/// let http = Http::builder()
///     .user_agent("billing/1.4")
///     .connect_limit(Duration::from_secs(1))
///     .proxy("http://proxy.internal:3128")
///     .roots_pem(company_roots)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct HttpBuilder {
    pub(super) connect_limit: Duration,
    user_agent: String,
    proxy: Option<String>,
    roots_pem: Vec<u8>,
}

/// Why an HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The TLS settings contradict each other.
    #[error("TLS could not be set up")]
    Tls(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The additional root certificates are not PEM, or not certificates.
    #[error("the root certificates are not certificates in PEM")]
    Roots,
    /// The proxy's address is not a URL.
    #[error("the proxy's address is not a URL")]
    Proxy,
    /// The user agent does not fit in a header, or TLS could not be set up.
    #[error("the HTTP client could not be built")]
    Client(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl Default for HttpBuilder {
    fn default() -> Self {
        Self {
            connect_limit: Duration::from_secs(3),
            user_agent: concat!("scopegate-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxy: None,
            roots_pem: Vec::new(),
        }
    }
}

impl HttpBuilder {
    /// How long a connection may take, TLS included. Default: 3 seconds.
    pub fn connect_limit(mut self, limit: Duration) -> Self {
        self.connect_limit = limit;
        self
    }

    /// What `User-Agent` says. Default: `scopegate-client/` and the version.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sends every request through this proxy. User name and password may be in its URL. Default: no proxy; the
    /// environment is not read.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Trusts these root certificates, in PEM, besides Mozilla's: those of a company's own authority.
    pub fn roots_pem(mut self, certificates: impl Into<Vec<u8>>) -> Self {
        self.roots_pem = certificates.into();
        self
    }

    /// Builds the client. It does not connect yet.
    pub fn build(self) -> Result<Http, HttpError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if !self.roots_pem.is_empty() {
            let added = CertificateDer::pem_slice_iter(&self.roots_pem)
                .map(|certificate| {
                    roots.add(certificate.map_err(|_| HttpError::Roots)?).map_err(|_| HttpError::Roots)
                })
                .collect::<Result<Vec<()>, _>>()?;
            if added.is_empty() {
                return Err(HttpError::Roots);
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::Tls(Arc::new(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Http::with(&self, &tls)
    }

    pub(super) fn client(&self, tls: &ClientConfig, connect_limit: Duration) -> Result<Client, HttpError> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .http1_only()
            .no_proxy()
            .referer(false)
            // A redirect would send the token, or the client's secret, to an address that nobody has checked.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .user_agent(&self.user_agent)
            .connect_timeout(connect_limit)
            .pool_idle_timeout(Duration::from_secs(30));
        let builder = match &self.proxy {
            // The error would repeat the URL, and so perhaps a password.
            Some(url) => builder.proxy(Proxy::all(url).map_err(|_| HttpError::Proxy)?),
            None => builder,
        };
        builder.build().map_err(|error| HttpError::Client(Arc::new(error)))
    }
}

impl fmt::Debug for HttpBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBuilder")
            .field("connect_limit", &self.connect_limit)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}
