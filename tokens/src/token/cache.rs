//! Returns a token from the table. When it is due, one caller renews it; the others get the old token, or wait.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    request::TokenRequest,
    seal,
    table::{Item, Key, Table, TableError},
    upstream::{Issued, Upstream, UpstreamError, seconds},
};
use crate::clock::instant;

/// How long one caller has for a token before another one may ask.
const LEASE: Duration = Duration::from_secs(5);
/// The part of the lease in which the token is asked for. The rest is for storing it.
const ASKING: Duration = Duration::from_secs(4);
/// The longest wait for the caller that renews.
const PATIENCE: Duration = Duration::from_secs(9);
/// The first pause before the table is read again, and the longest.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

#[derive(Clone, Debug)]
pub(super) struct Cache {
    table: Table,
    upstream: Upstream,
    clock: fn() -> SystemTime,
}

/// A token for a caller.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: SecretString,
    pub(super) token_type: String,
    pub(super) scope: Option<String>,
    /// What is left of its life, in whole seconds, rounded down.
    pub(super) expires_in: u64,
    pub(super) origin: Origin,
    /// What failed, for the log.
    pub(super) trouble: Option<String>,
}

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The table, with a quarter of its life left or more.
    Hit,
    /// The issuer: it replaces an older one.
    Renewed,
    /// The issuer: no token was cached.
    Miss,
    /// The table, while another caller renews the token or the issuer fails.
    Old,
    /// The issuer, because the table failed.
    Unavailable,
    /// The issuer, because the token is for this one request.
    Bypassed,
}

impl Origin {
    /// The label of log lines. It never changes.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Renewed => "renewed",
            Self::Miss => "miss",
            Self::Old => "old",
            Self::Unavailable => "unavailable",
            Self::Bypassed => "bypassed",
        }
    }
}

/// Why no token is returned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CacheError {
    /// The issuer refused or failed.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The caller that renews the token got none in time.
    #[error("the caller that renews the token took too long")]
    Busy,
    /// Nothing can be sealed or opened.
    #[error(transparent)]
    Seal(#[from] seal::SealError),
}

/// A token from the table, opened.
struct Held {
    plain: Plain,
    expires: u64,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Plain {
    token: String,
    token_type: String,
    scope: Option<String>,
    asked: u64,
}

impl Cache {
    pub(super) const fn new(table: Table, upstream: Upstream, clock: fn() -> SystemTime) -> Self {
        Self { table, upstream, clock }
    }

    /// A token for this request, by `until` at the latest.
    pub(super) async fn token(&self, asked: &TokenRequest, until: Instant) -> Result<Granted, CacheError> {
        if asked.metadata.is_some() {
            let issued = self.upstream.token(asked, until).await?;
            return Ok(self.issued(issued, Origin::Bypassed, None));
        }
        let key = Key { client_id: asked.client_id.clone(), derived: seal::item_key(asked)? };
        let patience = until.min(instant() + PATIENCE);
        let (mut consistent, mut pause) = (false, FIRST_LOOK);
        loop {
            let item = match self.table.read(&key, consistent).await {
                Ok(item) => item.unwrap_or_default(),
                Err(error) => return self.without_table(asked, until, &error).await,
            };
            let now = (self.clock)();
            let held = Held::open(asked, &item).filter(|held| held.expires_in(now) > 0);
            let held = match held {
                Some(held) if !held.is_due(now) => return Ok(held.granted(now, Origin::Hit, None)),
                held => held,
            };
            let is_leased = item.lease_until_ms > millis(now);
            if !is_leased {
                let holder = Uuid::now_v7().to_string();
                match self.lease(&key, &holder, &item, now).await {
                    Ok(true) => return self.renew(asked, &key, &holder, held, until).await,
                    Ok(false) => {}
                    Err(error) => match held {
                        Some(held) => return Ok(held.granted(now, Origin::Old, Some(error.to_string()))),
                        None => return self.without_table(asked, until, &error).await,
                    },
                }
            }
            if let Some(held) = held {
                return Ok(held.granted(now, Origin::Old, None));
            }
            let part = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            if instant() + part >= patience {
                return Err(CacheError::Busy);
            }
            sleep(part).await;
            (consistent, pause) = (true, (pause * 2).min(LONGEST_PAUSE));
        }
    }

    async fn lease(&self, key: &Key, holder: &str, item: &Item, now: SystemTime) -> Result<bool, TableError> {
        self.table.lease(key, holder, item.expires, millis(now), millis(now + LEASE)).await
    }

    /// Asks for a token as the holder of the lease.
    async fn renew(
        &self,
        asked: &TokenRequest,
        key: &Key,
        holder: &str,
        held: Option<Held>,
        until: Instant,
    ) -> Result<Granted, CacheError> {
        let error = match self.upstream.token(asked, until.min(instant() + ASKING)).await {
            Ok(issued) => {
                let origin = if held.is_some() { Origin::Renewed } else { Origin::Miss };
                let trouble = self.store(asked, key, holder, &issued).await.err();
                return Ok(self.issued(issued, origin, trouble));
            }
            Err(error) => error,
        };
        let now = (self.clock)();
        let is_refusal = matches!(error, UpstreamError::Refused { .. });
        match held.filter(|held| held.expires_in(now) > 0) {
            // The lease is kept: the next attempt is made when it expires, not by each call.
            Some(held) if !is_refusal => Ok(held.granted(now, Origin::Old, Some(error.to_string()))),
            _ => {
                // Failures are not cached. If this fails, too, the lease expires.
                _ = self.table.forget(key, holder).await;
                Err(error.into())
            }
        }
    }

    /// Stores a token, unless another caller has taken the lease: then its token stays.
    async fn store(
        &self,
        asked: &TokenRequest,
        key: &Key,
        holder: &str,
        issued: &Issued,
    ) -> Result<(), String> {
        let plain = Plain {
            token: issued.token.expose_secret().to_owned(),
            token_type: issued.token_type.clone(),
            scope: issued.scope.clone(),
            asked: issued.asked,
        };
        let plain = serde_json::to_vec(&plain).map_err(|error| error.to_string())?;
        let sealed = seal::seal(asked, issued.expires, &plain).map_err(|error| error.to_string())?;
        let stored = self.table.store(key, holder, sealed, issued.expires).await;
        stored.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Asks the issuer directly, so that a failing table doesn't fail the caller.
    async fn without_table(
        &self,
        asked: &TokenRequest,
        until: Instant,
        error: &TableError,
    ) -> Result<Granted, CacheError> {
        let issued = self.upstream.token(asked, until).await?;
        Ok(self.issued(issued, Origin::Unavailable, Some(error.to_string())))
    }

    fn issued(&self, issued: Issued, origin: Origin, trouble: Option<String>) -> Granted {
        let expires_in = issued.expires.saturating_sub(seconds((self.clock)()));
        let Issued { token, token_type, scope, .. } = issued;
        Granted { token, token_type, scope, expires_in, origin, trouble }
    }
}

impl Held {
    /// The token of an item. One that cannot be opened was not sealed by us for this caller, and counts as none.
    fn open(asked: &TokenRequest, item: &Item) -> Option<Self> {
        let (sealed, expires) = (item.sealed.as_ref()?, item.expires?);
        let plain = seal::open(asked, expires, sealed).ok()?;
        Some(Self { plain: serde_json::from_slice(&plain).ok()?, expires })
    }

    /// Whether three quarters of its life have passed.
    fn is_due(&self, now: SystemTime) -> bool {
        let life = self.expires.saturating_sub(self.plain.asked);
        seconds(now) >= self.plain.asked + life / 4 * 3 + life % 4 * 3 / 4
    }

    /// What is left of its life, in whole seconds.
    fn expires_in(&self, now: SystemTime) -> u64 {
        self.expires.saturating_sub(seconds(now + Duration::from_nanos(999_999_999)))
    }

    fn granted(self, now: SystemTime, origin: Origin, trouble: Option<String>) -> Granted {
        let expires_in = self.expires_in(now);
        let Plain { token, token_type, scope, .. } = self.plain;
        Granted { token: token.into(), token_type, scope, expires_in, origin, trouble }
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
