//! The Cognito-shaped issuer: who gets a token, and with which claims. For development only.

mod endpoints;
mod keys;
mod request;
mod saved;

use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use access::UnixSeconds;
use gateway::{http::Request, template::Client};
use serde::Serialize;
use uuid::Uuid;

pub(crate) use endpoints::{JWKS_PATH, TOKEN_PATH, token_url};
pub use keys::KeyError;
use keys::{KeyRing, SigningKey};
use request::{Credentials, Refusal, TokenError, TokenRequest};
pub use saved::SavedKeysError;

use crate::{data::DataFolder, secrets::ClientSecrets};

/// The issuer of one user pool.
pub struct Issuer {
    region: String,
    pool_id: String,
    clients: Vec<Client>,
    secrets: Arc<ClientSecrets>,
    keys: RwLock<KeyRing>,
    /// Where the keys are saved, if anywhere.
    folder: Option<Arc<DataFolder>>,
    /// The keys are not answered with.
    withheld: AtomicBool,
}

/// The claims of a client-credentials access token.
// SPEC: Amazon Cognito, "Understanding the access token": no `aud` for this grant
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    token_use: &'a str,
    scope: String,
    auth_time: UnixSeconds,
    iss: String,
    exp: UnixSeconds,
    iat: UnixSeconds,
    version: u32,
    jti: String,
    client_id: &'a str,
}

#[derive(Serialize)]
struct Header<'a> {
    kid: &'a str,
    alg: &'a str,
}

impl Issuer {
    /// An issuer for `clients`, with the keys that are saved in `folder`, or with two new ones that it saves there.
    ///
    /// # Errors
    /// If the keys cannot be read, made or saved.
    pub(crate) fn open(
        folder: Option<Arc<DataFolder>>,
        region: &str,
        pool_id: &str,
        clients: Vec<Client>,
        secrets: Arc<ClientSecrets>,
    ) -> Result<Self, SavedKeysError> {
        let keys = match &folder {
            Some(folder) => KeyRing::open(folder)?,
            None => KeyRing::generate()?,
        };
        Ok(Self {
            region: region.to_owned(),
            pool_id: pool_id.to_owned(),
            clients,
            secrets,
            keys: RwLock::new(keys),
            folder,
            withheld: AtomicBool::new(false),
        })
    }

    /// The `iss` of every token.
    pub fn url(&self) -> String {
        format!("https://cognito-idp.{}.amazonaws.com/{}", self.region, self.pool_id)
    }

    /// The ids of a client's secrets, oldest first.
    pub(crate) fn secret_ids(&self, client_id: &str) -> Vec<String> {
        self.secrets.ids(client_id)
    }

    /// The published keys, a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).jwks()
    }

    /// The id of the key that signs now.
    pub fn key_id(&self) -> String {
        self.signing_key().id().to_owned()
    }

    /// Makes a new key the one that signs. The one before stays published; the one before that is withdrawn.
    ///
    /// # Errors
    /// If no key can be made or saved; the old ones stay.
    pub fn rotate(&self) -> Result<(), SavedKeysError> {
        let key = SigningKey::generate()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let rotated = keys.rotated(key);
        if let Some(folder) = &self.folder {
            rotated.save(folder)?;
        }
        *keys = rotated;
        drop(keys);
        Ok(())
    }

    /// Takes the JWKS endpoint down, or up again: while it is down it answers 503.
    pub fn withhold(&self, withheld: bool) {
        self.withheld.store(withheld, Ordering::Relaxed);
    }

    /// Whether the JWKS endpoint is down.
    pub fn withholds(&self) -> bool {
        self.withheld.load(Ordering::Relaxed)
    }

    /// A token with all scopes of a client, `None` if there is none of that id. It expires `seconds` from `now`, or at the
    /// end of its usual life; with 0 it expired a second ago.
    pub(crate) fn token_for(
        &self,
        client_id: &str,
        seconds: Option<u64>,
        now: UnixSeconds,
        jti: Uuid,
    ) -> Option<Result<String, KeyError>> {
        let client = self.clients.iter().find(|client| client.id == client_id)?;
        let life = seconds.filter(|seconds| *seconds > 0).map_or(client.token_life, Duration::from_secs);
        let client = Client { token_life: life.min(client.token_life), ..client.clone() };
        let age = if seconds == Some(0) { client.token_life.as_secs().saturating_add(1) } else { 0 };
        let issued = UnixSeconds(now.0.saturating_sub(age));
        Some(self.sign_for(&client, client.scopes.join(" "), issued, jti))
    }

    /// A token with these claims and nothing else, under the header that every token gets.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn mint(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let key = self.signing_key();
        let header = serde_json::to_vec(&Header { kid: key.id(), alg: "RS256" });
        let claims = serde_json::to_vec(claims);
        key.sign(&header.map_err(|_| KeyError::Claims)?, &claims.map_err(|_| KeyError::Claims)?)
    }

    /// A token of these two texts, signed with the current key whatever they say: tests make their hostile tokens
    /// with it.
    ///
    /// # Errors
    /// If they cannot be signed.
    pub fn sign(&self, header: &[u8], claims: &[u8]) -> Result<String, KeyError> {
        self.signing_key().sign(header, claims)
    }

    /// Whether `request` carries the credentials of one of the clients, in the way of HTTP Basic.
    pub fn authenticates(&self, request: &Request) -> bool {
        Credentials::from_header(request).is_ok_and(|given| self.authenticate(&given).is_ok())
    }

    /// A token for a client, as the token endpoint gives it out, and how long it lives.
    fn issue(
        &self,
        request: &TokenRequest,
        now: UnixSeconds,
        jti: Uuid,
    ) -> Result<(String, Duration), TokenError> {
        let client = self.authenticate(&request.credentials)?;
        if request.grant_type != "client_credentials" {
            return Err(Refusal::UnsupportedGrantType.into());
        }
        let scope = grant(client, &request.scopes)?;
        Ok((self.sign_for(client, scope, now, jti)?, client.token_life))
    }

    fn sign_for(
        &self,
        client: &Client,
        scope: String,
        now: UnixSeconds,
        jti: Uuid,
    ) -> Result<String, KeyError> {
        let claims = Claims {
            sub: &client.id,
            token_use: "access",
            scope,
            auth_time: now,
            iss: self.url(),
            exp: now.plus(client.token_life),
            iat: now,
            version: 2,
            jti: jti.to_string(),
            client_id: &client.id,
        };
        self.mint(&claims)
    }

    fn authenticate(&self, credentials: &Credentials) -> Result<&Client, Refusal> {
        let Credentials { client_id, client_secret } = credentials;
        let client = self.clients.iter().find(|client| client.id == *client_id);
        client.filter(|_| self.secrets.accepts(client_id, client_secret)).ok_or(Refusal::InvalidClient)
    }

    fn signing_key(&self) -> Arc<SigningKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).current()
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url())
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// What a token's `scope` says: what was asked for, or all of the client's where nothing was.
// SPEC: RFC 6749 section 3.3
fn grant(client: &Client, asked: &[String]) -> Result<String, Refusal> {
    if !asked.iter().all(|scope| client.scopes.contains(scope)) {
        return Err(Refusal::InvalidScope);
    }
    let is_granted = |scope: &&String| asked.is_empty() || asked.contains(scope);
    let granted: Vec<&str> = client.scopes.iter().filter(is_granted).map(String::as_str).collect();
    Ok(granted.join(" "))
}

#[cfg(test)]
mod tests;
