//! A client's access tokens: one for each set of scopes, one request at a time for it, renewed early.

mod builder;
mod slots;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, time::Instant};

use crate::{
    credentials::{Credentials, CredentialsError, CredentialsSource},
    endpoint::{self, Grant},
    error::{OAuthError, TokenError},
    http::Http,
    pace::{Pace, now},
    token::AccessToken,
};
pub use builder::TokenSourceBuilder;
use slots::{Next, Outcome, Slots};

/// The limit for reading the credentials once: a source that hangs would hold up every caller.
const READING_LIMIT: Duration = Duration::from_secs(7);

/// A request that began this long before its caller may have been interrupted by a suspension.
const WELL_BEFORE: Duration = Duration::from_secs(1);

/// A request that fails this soon after its caller arrives failed for an earlier reason.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The access tokens of one client. Clones are cheap and share the tokens.
///
/// A token request runs in a task of its own, so a caller that goes away does not interrupt the others. It must be
/// used inside a tokio runtime.
#[derive(Clone)]
pub struct TokenSource(Arc<Shared>);

struct Shared {
    source: Box<dyn CredentialsSource>,
    http: Http,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    grant: Grant,
    time_limit: Duration,
    retries: u32,
    slots: Mutex<Slots>,
    /// The credentials read last. The lock is held while they are read: until then nobody can use any.
    credentials: tokio::sync::Mutex<Option<Arc<Credentials>>>,
}

impl TokenSource {
    /// The tokens of the client that `source` names, by the system's clock. Nothing is read or requested before the
    /// first token is.
    pub fn new(source: impl CredentialsSource, http: Http) -> Self {
        Self::builder(source, http).build()
    }

    /// As [`new`](Self::new), with settings of your own.
    pub fn builder(source: impl CredentialsSource, http: Http) -> TokenSourceBuilder {
        TokenSourceBuilder::new(Box::new(source), http)
    }

    /// A token of `scopes`, in any order; no scopes stand for all that the client has. The token has not expired.
    ///
    /// A token that is held is returned at once; if it is due for renewal, it is renewed in the background. Otherwise
    /// this waits for a token request, which all callers share: 8 seconds at most unless the builder says otherwise,
    /// after the credentials are read.
    pub async fn token(&self, scopes: &[&str]) -> Result<AccessToken, TokenError> {
        self.obtain(scopes, None).await
    }

    /// Another token than `refused`, to which an API has answered 401. Returns `refused` itself if a token was
    /// replaced for that reason in the last ten seconds: then another one would not help.
    pub async fn replacement(
        &self,
        scopes: &[&str],
        refused: &AccessToken,
    ) -> Result<AccessToken, TokenError> {
        self.obtain(scopes, Some(refused)).await
    }

    pub(crate) fn http(&self) -> &Http {
        &self.0.http
    }

    async fn obtain(
        &self,
        scopes: &[&str],
        refused: Option<&AccessToken>,
    ) -> Result<AccessToken, TokenError> {
        let scopes: BTreeSet<&str> =
            scopes.iter().flat_map(|scopes| scopes.split_ascii_whitespace()).collect();
        let scopes = scopes.into_iter().collect::<Vec<_>>().join(" ");
        match self.wait(&scopes, refused).await {
            Ok(token) => Ok(token),
            Err(Failed { was_suspended: true, .. }) => {
                self.wait(&scopes, refused).await.map_err(|failed| failed.error)
            }
            Err(Failed { error, .. }) => Err(error),
        }
    }

    /// Returns the token that is held, or else the outcome of a request.
    async fn wait(&self, scopes: &str, refused: Option<&AccessToken>) -> Result<AccessToken, Failed> {
        let now = (self.0.clock)();
        let next = self.0.slots().next(scopes, refused, now);
        let (flight, is_old) = match next {
            Next::Held(token) => return Ok(token),
            Next::Renew(token, sender) => {
                self.fly(scopes, sender);
                return Ok(token);
            }
            Next::Join(flight) => {
                let age = now.duration_since(flight.began).unwrap_or_default();
                (flight, age >= WELL_BEFORE)
            }
            Next::Begin(flight, sender) => {
                self.fly(scopes, sender);
                (flight, false)
            }
        };
        let came = self::now();
        let outcome = flight.outcome().await;
        let outcome = outcome.and_then(|token| {
            if token.is_alive((self.0.clock)()) { Ok(token) } else { Err(TokenError::Expired) }
        });
        outcome.map_err(|error| Failed { was_suspended: is_old && failed_at_once(&error, came), error })
    }

    /// Makes the request in a task of its own.
    fn fly(&self, scopes: &str, sender: watch::Sender<Option<Outcome>>) {
        let (shared, scopes) = (Arc::clone(&self.0), scopes.to_owned());
        tokio::spawn(async move {
            let outcome = shared.request(&scopes).await;
            let now = (shared.clock)();
            let outcome = shared.slots().settle(&scopes, &sender, outcome, now);
            sender.send_replace(Some(outcome));
        });
    }
}

/// Why a caller got no token from a request.
struct Failed {
    error: TokenError,
    /// Whether the process was probably suspended during the request (a laptop slept, Lambda froze the function). The
    /// caller then gets a new request.
    was_suspended: bool,
}

/// Whether `error` is what a suspension causes, and came as soon as the caller did.
fn failed_at_once(error: &TokenError, came: Instant) -> bool {
    let is_left_behind = matches!(
        error,
        TokenError::TimedOut
            | TokenError::Connection(_)
            | TokenError::Interrupted
            | TokenError::Credentials(CredentialsError::TimedOut)
    );
    is_left_behind && now().saturating_duration_since(came) < AT_ONCE
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").finish_non_exhaustive()
    }
}

impl Shared {
    // A panic while the lock is held, as from `spawn` outside a runtime, leaves the slots intact.
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a token, once more with credentials read again if the endpoint does not know the client. Reading
    /// credentials does not count against the time limit of the requests.
    async fn request(&self, scopes: &str) -> Outcome {
        let credentials = self.credentials(None).await?;
        let outcome = self.ask(&credentials, scopes).await;
        if !matches!(outcome, Err(TokenError::Refused(OAuthError::InvalidClient))) {
            return outcome;
        }
        tracing::info!(client_id = credentials.client_id, "client refused, reading its credentials again");
        let credentials = self.credentials(Some(&credentials)).await?;
        self.ask(&credentials, scopes).await
    }

    async fn ask(&self, credentials: &Credentials, scopes: &str) -> Outcome {
        let pace = Pace::new(self.time_limit, self.retries, self.http.jitter);
        endpoint::request(credentials, &self.grant, scopes, pace, &self.http, &self.clock).await
    }

    /// The client's credentials, read if there are none, or if they are still the `rejected` ones.
    async fn credentials(&self, rejected: Option<&Arc<Credentials>>) -> Result<Arc<Credentials>, TokenError> {
        let mut held = self.credentials.lock().await;
        let usable =
            held.as_ref().filter(|held| rejected.is_none_or(|rejected| !Arc::ptr_eq(held, rejected)));
        if let Some(credentials) = usable {
            return Ok(Arc::clone(credentials));
        }
        let read = tokio::time::timeout(READING_LIMIT, self.source.read()).await;
        let read = read.unwrap_or(Err(CredentialsError::TimedOut)).map_err(TokenError::Credentials)?;
        let read = Arc::new(read);
        *held = Some(Arc::clone(&read));
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
