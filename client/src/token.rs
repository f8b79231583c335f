//! An access token: when it expires, and when to renew it.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde::Deserialize;

use crate::url::ServiceUrl;

/// A token is renewed this long before it expires, or when three quarters of its life have passed.
const RENEWED_BEFORE_EXPIRY: Duration = Duration::from_mins(5);

/// An access token. Cloning it is cheap; Debug does not show it.
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    secret: SecretString,
    expires: SystemTime,
    renewal: SystemTime,
    api_url: Option<ServiceUrl>,
}

impl AccessToken {
    /// A token from elsewhere, for a [`TokenProvider`](crate::TokenProvider) of your own.
    pub fn new(secret: impl Into<SecretString>, expires_at: SystemTime) -> Self {
        let secret = secret.into();
        Self(Arc::new(Inner { secret, expires: expires_at, renewal: expires_at, api_url: None }))
    }

    /// A token that was requested at `asked`; `None` if nothing says when it expires.
    ///
    /// The claims of a JWT take precedence over `expires_in`, which a caching proxy passes on unchanged as the token
    /// ages.
    pub(crate) fn received(
        text: String,
        expires_in: Option<Duration>,
        asked: SystemTime,
        api_url: Option<ServiceUrl>,
    ) -> Option<Self> {
        let life = Life::of_jwt(&text, asked)
            .or_else(|| Some(Life { begins: asked, expires: asked.checked_add(expires_in?)? }))?;
        let renewal = life.renewal();
        let secret = SecretString::from(text);
        Some(Self(Arc::new(Inner { secret, expires: life.expires, renewal, api_url })))
    }

    /// The token itself, for the line that sends it.
    pub fn secret(&self) -> &SecretString {
        &self.0.secret
    }

    /// When it expires, by the issuer's clock if the token is a JWT.
    pub fn expires_at(&self) -> SystemTime {
        self.0.expires
    }

    pub(crate) fn is_alive(&self, now: SystemTime) -> bool {
        now < self.0.expires
    }

    pub(crate) fn is_due(&self, now: SystemTime) -> bool {
        now >= self.0.renewal
    }

    /// The API that the client's credentials name.
    pub(crate) fn api_url(&self) -> Option<&ServiceUrl> {
        self.0.api_url.as_ref()
    }

    /// Whether both are the same token, as [`replacement`](crate::TokenProvider::replacement) returns it where no other would
    /// help.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.0.expires).finish_non_exhaustive()
    }
}

#[derive(Debug, PartialEq)]
struct Life {
    begins: SystemTime,
    expires: SystemTime,
}

impl Life {
    /// What a JWT says of itself, unverified: verifying it is the API's business. `None` if it is not a JWT, or has
    /// no `exp`. Without a plausible `iat` its life begins when it was requested.
    fn of_jwt(token: &str, asked: SystemTime) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
            return None;
        };
        let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: UnverifiedClaims = serde_json::from_slice(&claims).ok()?;
        let expires = at(claims.exp?)?;
        let begins = claims.iat.and_then(at).filter(|begins| *begins < expires).unwrap_or(asked);
        Some(Self { begins, expires })
    }

    /// After three quarters of its life, or five minutes before the end if that is earlier; but never in the first
    /// half, or a token that lives five minutes would be due from the start.
    fn renewal(&self) -> SystemTime {
        let life = self.expires.duration_since(self.begins).unwrap_or_default();
        let five_minutes_before = life.saturating_sub(RENEWED_BEFORE_EXPIRY).max(life / 2);
        self.begins + (life / 4 * 3).min(five_minutes_before)
    }
}

/// Claims that nobody has verified.
// SPEC: RFC 7519 section 2: a NumericDate may have a fraction
#[derive(Deserialize)]
struct UnverifiedClaims {
    exp: Option<f64>,
    iat: Option<f64>,
}

fn at(numeric_date: f64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(numeric_date).ok()?)
}

#[cfg(test)]
pub(crate) mod tests;
