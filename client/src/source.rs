//! Owns the tokens that a client holds: one for each set of scopes, one request at a time for it, renewed early.
//! HTTP and the meaning of answers are left to `endpoint`, the life of a token to `token`.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

use crate::{
    credentials::{Credentials, CredentialsError, CredentialsSource},
    endpoint,
    error::{OAuthError, TokenError},
    http::Http,
    pace::Pace,
    token::AccessToken,
};

/// All attempts at one token together: short enough for a function to answer its own caller in time.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// One reading of the credentials; a source that hangs would hold up everybody.
const READING_LIMIT: Duration = Duration::from_secs(7);

/// Retries of one request for a token.
const RETRIES: u32 = 4;

/// The pause after a renewal that brought nothing better, and between two tokens that an API refused: while it
/// runs, the token at hand serves. Without it each call would ask for a token that it will not get.
const PAUSE: Duration = Duration::from_secs(10);

/// The tokens of one client. Cloning it is cheap, and the clones share what they hold.
///
/// The token request runs in a task of its own, so a caller that goes away takes nothing from the others; it has to
/// be used inside a tokio runtime.
#[derive(Clone)]
pub struct TokenSource(Arc<Shared>);

struct Shared {
    source: Box<dyn CredentialsSource>,
    http: Http,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    slots: Mutex<HashMap<String, Slot>>,
    /// The credentials read last. The lock is held while they are read: then nobody has any to go on with.
    credentials: tokio::sync::Mutex<Option<Arc<Credentials>>>,
}

/// What is held for one set of scopes.
#[derive(Default)]
struct Slot {
    token: Option<AccessToken>,
    request: Option<Request>,
    /// Until then no renewal begins while the token is good.
    renewal_rests_until: Option<SystemTime>,
    /// Until then no token is replaced because an API refused it.
    replacement_rests_until: Option<SystemTime>,
}

impl Slot {
    /// The request that runs; one whose task is gone without an outcome does not.
    fn under_way(&self) -> Option<&Request> {
        self.request.as_ref().filter(|request| request.has_changed().is_ok())
    }
}

/// The outcome of a request under way; its sender is the task that makes the request.
type Request = watch::Receiver<Option<Result<AccessToken, TokenError>>>;

impl TokenSource {
    /// The tokens of the client that `source` names. Nothing is read or asked for before the first token is.
    ///
    /// `clock` is the wall clock, `SystemTime::now`: a token's `exp` is a time of day, and a monotonic clock stands
    /// still while a machine sleeps or a function is frozen, when tokens go on ageing.
    pub fn new(
        source: impl CredentialsSource,
        http: Http,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            source: Box::new(source),
            http,
            clock: Box::new(clock),
            slots: Mutex::default(),
            credentials: tokio::sync::Mutex::default(),
        }))
    }

    /// A token of `scopes`, in any order; none stands for all that the client has. It has life left.
    ///
    /// A held token is handed out at once, and if it is due, renewed behind the caller's back. Otherwise this waits
    /// for a request, one for all callers, of at most some eight seconds and the time it takes to read credentials.
    pub async fn token(&self, scopes: &[&str]) -> Result<AccessToken, TokenError> {
        self.obtain(scopes, None).await
    }

    /// Another token than `refused`, which an API has answered with a 401, or `refused` itself where one was
    /// replaced for that reason a moment ago: then another would not help.
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
        let mut request = match self.held_or_request(scopes, refused) {
            Ok(token) => return Ok(token),
            Err(request) => request,
        };
        // An error here means that the task ended without an outcome: it panicked, or its runtime went down.
        let outcome = request.wait_for(Option::is_some).await.map_err(|_| TokenError::Interrupted)?;
        let token = outcome.clone().unwrap_or(Err(TokenError::Interrupted))?;
        if token.is_alive((self.0.clock)()) { Ok(token) } else { Err(TokenError::Expired) }
    }

    /// The token that is to be handed out now, or else the request to wait for.
    fn held_or_request(&self, scopes: String, refused: Option<&AccessToken>) -> Result<AccessToken, Request> {
        let now = (self.0.clock)();
        let mut slots = self.0.slots();
        let slot = slots.entry(scopes.clone()).or_default();
        let held = slot.token.clone().filter(|token| token.is_alive(now));
        let is_refused = |token: &AccessToken| refused.is_some_and(|refused| refused.is(token));
        match held {
            Some(token) if !is_refused(&token) => {
                if token.is_due(now) && !rests(slot.renewal_rests_until, now) {
                    self.join(slot, scopes);
                }
                Ok(token)
            }
            Some(token) if rests(slot.replacement_rests_until, now) && slot.under_way().is_none() => {
                Ok(token)
            }
            Some(_) => {
                slot.replacement_rests_until = Some(now + PAUSE);
                Err(self.join(slot, scopes))
            }
            None => Err(self.join(slot, scopes)),
        }
    }

    /// The request under way for this slot, begun if there is none.
    fn join(&self, slot: &mut Slot, scopes: String) -> Request {
        if let Some(request) = slot.under_way() {
            return request.clone();
        }
        let (sender, request) = watch::channel(None);
        slot.request = Some(request.clone());
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let outcome = shared.request(&scopes).await;
            let outcome = shared.settle(&scopes, outcome);
            sender.send_replace(Some(outcome));
        });
        request
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").finish_non_exhaustive()
    }
}

impl Shared {
    // A panic while the lock is held, as from `spawn` outside a runtime, leaves the map whole: go on with it.
    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a token, once more with credentials read anew if the endpoint does not know the client.
    async fn request(&self, scopes: &str) -> Result<AccessToken, TokenError> {
        let mut pace = Pace::new(TIME_LIMIT, RETRIES, self.http.jitter);
        let credentials = self.credentials(None).await?;
        let outcome = endpoint::request(&credentials, scopes, &mut pace, &self.http, &self.clock).await;
        if !matches!(outcome, Err(TokenError::Refused(OAuthError::InvalidClient))) {
            return outcome;
        }
        let credentials = self.credentials(Some(&credentials)).await?;
        endpoint::request(&credentials, scopes, &mut pace, &self.http, &self.clock).await
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

    /// Keeps a token; lets a renewal rest if it brought none, or none that is good for longer. Failures are not
    /// kept. Says what those who wait shall get.
    fn settle(
        &self,
        scopes: &str,
        outcome: Result<AccessToken, TokenError>,
    ) -> Result<AccessToken, TokenError> {
        let now = (self.clock)();
        let mut slots = self.slots();
        let slot = slots.entry(scopes.to_owned()).or_default();
        slot.request = None;
        let was_refused = rests(slot.replacement_rests_until, now);
        // INVARIANT: the token at hand is only ever followed by one that lives as long, unless an API refused it. A
        // caching proxy may answer with a token that is older than ours.
        let better = |held: &AccessToken| held.is_alive(now) && !was_refused;
        let outcome = outcome.map(|new| match slot.token.take().filter(better) {
            Some(held) if held.expires_at() > new.expires_at() => held,
            _ => new,
        });
        if let Ok(token) = &outcome {
            slot.token = Some(token.clone());
        }
        let has_fresh = outcome.as_ref().is_ok_and(|token| !token.is_due(now));
        slot.renewal_rests_until = (!has_fresh).then(|| now + PAUSE);
        outcome
    }
}

/// Whether a pause that ends at `until` runs. One that is longer than pauses are is a clock that was set back.
fn rests(until: Option<SystemTime>, now: SystemTime) -> bool {
    let left = until.and_then(|until| until.duration_since(now).ok());
    left.is_some_and(|left| !left.is_zero() && left <= PAUSE)
}

#[cfg(test)]
mod tests;
