//! The settings of a [`TokenSource`].

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use super::{Shared, Slots, TokenSource};
use crate::{
    credentials::CredentialsSource,
    endpoint::{ClientAuthentication, Grant},
    http::Http,
    url::ServiceUrl,
};

/// All attempts at one token together: short enough for a function to answer its own caller in time.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// Retries of one token request.
const RETRIES: u32 = 4;

/// Sets of scopes for which a token is held. A service uses one or a few; more would come from outside.
const CAPACITY: usize = 100;

/// Builds a [`TokenSource`]. The defaults suit Amazon Cognito and a function whose caller waits.
///
/// ```no_run
/// use client::{ClientAuthentication, Credentials, Http, TokenSource};
///
/// # fn run(credentials: Credentials) -> Result<(), client::HttpError> {
/// let tokens = TokenSource::builder(credentials, Http::new()?)
///     .authentication(ClientAuthentication::Body)
///     .audience("https://api.example.com")
///     .build();
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct TokenSourceBuilder {
    source: Box<dyn CredentialsSource>,
    http: Http,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    grant: Grant,
    time_limit: Duration,
    retries: u32,
    capacity: usize,
}

impl TokenSourceBuilder {
    pub(super) fn new(source: Box<dyn CredentialsSource>, http: Http) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the default of those who bring no clock")]
        let clock = Box::new(SystemTime::now);
        let grant = Grant::default();
        Self { source, http, clock, grant, time_limit: TIME_LIMIT, retries: RETRIES, capacity: CAPACITY }
    }

    /// Takes the time from `clock`, a wall clock. Default: `SystemTime::now`.
    ///
    /// A token's `exp` is a time of day. A monotonic clock may stand still while a machine sleeps or a function is
    /// frozen, but tokens expire all the same.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Requests tokens here instead of at the credentials' token URL, for example at a shared token cache.
    pub fn token_url(mut self, url: ServiceUrl) -> Self {
        self.grant.token_url = Some(url);
        self
    }

    /// How the client proves its identity. Default: [`ClientAuthentication::Basic`].
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.grant.authentication = authentication;
        self
    }

    /// Sends `audience`, by which some issuers (Auth0, for one) choose the API that a token is for.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.grant.audience = Some(audience.into());
        self
    }

    /// Sends `resource`, the standard's way to choose the API that a token is for. May be called several times.
    // SPEC: RFC 8707 section 2
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.grant.resources.push(resource.into());
        self
    }

    /// How long all attempts at one token may take together. Reading credentials is not included. Default: 8 seconds.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// How often a failed token request is repeated, within the time limit. Default: 4.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// For how many sets of scopes a token is held; beyond it, the token that expires first is dropped. Default: 100.
    pub fn capacity(mut self, sets_of_scopes: usize) -> Self {
        self.capacity = sets_of_scopes;
        self
    }

    /// Builds the source. Nothing is read or requested yet.
    pub fn build(self) -> TokenSource {
        TokenSource(Arc::new(Shared {
            source: self.source,
            http: self.http,
            clock: self.clock,
            grant: self.grant,
            time_limit: self.time_limit,
            retries: self.retries,
            slots: Mutex::new(Slots::new(self.capacity)),
            credentials: tokio::sync::Mutex::default(),
        }))
    }
}

impl fmt::Debug for TokenSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSourceBuilder").finish_non_exhaustive()
    }
}
