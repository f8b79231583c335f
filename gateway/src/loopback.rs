//! The HTTP client for what runs on the same machine. It trusts no certificate, follows no redirect and knows no proxy, so a
//! request that it sends stays here.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// A connection over loopback succeeds at once, or not at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Why the client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// The TLS settings, which every client has, do not fit together.
    #[error("the HTTP client has no TLS settings")]
    Tls(#[from] rustls::Error),
    /// The client itself.
    #[error("the HTTP client cannot be built")]
    Client(#[from] reqwest::Error),
}

/// A client whose requests take `limit` at most, answers included.
///
/// # Errors
/// If it cannot be built.
pub fn client(limit: Duration) -> Result<Client, LoopbackError> {
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .timeout(limit)
        .build()?;
    Ok(client)
}
