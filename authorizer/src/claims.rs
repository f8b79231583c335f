//! The checks on the claims of a token with a valid signature, in a fixed order, and the caller that they name.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use access::{Caller, ClientId, ScopeSet, UnixSeconds};

use crate::{
    json::{Json, Members},
    refusal::Refusal,
};

/// What the claims of a token must be.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) form: Form,
    pub(crate) clients: Clients,
    /// What `aud` must contain, if anything.
    pub(crate) audience: Option<String>,
    /// How far `nbf` and `iat` may be in the future.
    pub(crate) skew: Duration,
}

/// The form of the access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Amazon Cognito's: `token_use`, `client_id`, `scope`.
    Cognito,
    /// Another issuer's: as in RFC 9068, or with another claim instead of `client_id` or `scope`.
    Oidc,
}

/// Where issuers put the client: RFC 9068; Auth0, Entra ID and Keycloak; Okta. The first that is present counts.
const CLIENT_ID: &[&str] = &["client_id", "azp", "cid"];
/// Where issuers put scopes if not in `scope`: Okta and users' tokens of Entra ID; applications' tokens of Entra ID.
const SCOPES: &[&str] = &["scp", "roles"];

/// Which clients are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Any client of the issuer, written `*`.
    Any,
    /// These.
    Listed(BTreeSet<ClientId<'static>>),
}

impl Rules {
    /// Checks the claims and returns the caller. The first check that fails gives the refusal.
    pub(crate) fn caller<'a>(&self, claims: &Members<'a>, now: UnixSeconds) -> Result<Caller<'a>, Refusal> {
        if self.form == Form::Cognito && claims.text("token_use").is_none_or(|using| using != "access") {
            return Err(Refusal::TokenUse);
        }
        let client_id = self.client_id(claims)?;
        // SPEC: RFC 7519 section 4.1.4: on or after `exp` the token must not be accepted
        let expires_at =
            claims.get("exp").and_then(|exp| seconds(exp, f64::floor)).ok_or(Refusal::MalformedExp)?;
        if expires_at <= now {
            return Err(Refusal::Expired);
        }
        let latest = now.plus(self.skew);
        if time(claims, "nbf", Refusal::MalformedNbf)?.is_some_and(|nbf| nbf > latest) {
            return Err(Refusal::NotYetValid);
        }
        if time(claims, "iat", Refusal::MalformedIat)?.is_some_and(|iat| iat > latest) {
            return Err(Refusal::IssuedInFuture);
        }
        if self.audience.as_deref().is_some_and(|wanted| !is_for(claims, wanted)) {
            return Err(Refusal::Audience);
        }
        // SPEC: RFC 7800 section 3.1; RFC 8705 section 3; RFC 9449 section 6
        if claims.get("cnf").is_some_and(|cnf| !matches!(cnf, Json::Null)) {
            return Err(Refusal::SenderConstrained);
        }
        let scopes = self.scopes(claims).ok_or(Refusal::MalformedScope)?;
        let jti = claims.get("jti").map(|jti| token_id(jti).ok_or(Refusal::MalformedJti)).transpose()?;
        Ok(Caller { client_id, scopes, expires_at, jti })
    }

    fn client_id<'a>(&self, claims: &Members<'a>) -> Result<ClientId<'a>, Refusal> {
        let claim = match self.form {
            Form::Cognito => claims.get("client_id"),
            Form::Oidc => CLIENT_ID.iter().find_map(|name| claims.get(name)),
        };
        let text = claim.and_then(Json::as_text).ok_or(Refusal::MalformedClientId)?;
        let client_id = ClientId::parse(text.clone()).map_err(|_| Refusal::MalformedClientId)?;
        match &self.clients {
            Clients::Any => Ok(client_id),
            Clients::Listed(listed) if listed.contains(&client_id) => Ok(client_id),
            Clients::Listed(_) => Err(Refusal::ClientNotAllowed),
        }
    }

    fn scopes<'a>(&self, claims: &Members<'a>) -> Option<ScopeSet<'a>> {
        let text = match (claims.get("scope"), self.form) {
            (Some(scope), _) => scope.as_text()?.clone(),
            (None, Form::Cognito) => return None,
            (None, Form::Oidc) => match SCOPES.iter().find_map(|name| claims.get(name))? {
                Json::List(list) => Cow::Owned(joined(list)?),
                Json::Text(text) => text.clone(),
                Json::Whole(_) | Json::Number(_) | Json::Object(_) | Json::Bool | Json::Null => return None,
            },
        };
        ScopeSet::parse(text).ok()
    }
}

/// The scopes of a list, separated by spaces; `None` if one is not a string or contains a space.
fn joined(list: &[Json<'_>]) -> Option<String> {
    let scopes: Option<Vec<&str>> = list
        .iter()
        .map(|scope| scope.as_text().map(AsRef::as_ref).filter(|text| !text.contains(' ')))
        .collect();
    scopes.map(|scopes| scopes.join(" "))
}

/// Whether `aud`, a string or a list of strings, contains `wanted`.
// SPEC: RFC 7519 section 4.1.3
fn is_for(claims: &Members<'_>, wanted: &str) -> bool {
    let is_wanted = |aud: &Json<'_>| aud.as_text().is_some_and(|aud| aud == wanted);
    match claims.get("aud") {
        Some(Json::List(list)) => {
            list.iter().all(|aud| aud.as_text().is_some()) && list.iter().any(is_wanted)
        }
        Some(aud) => is_wanted(aud),
        None => false,
    }
}

/// A time that may be missing, rounded up to a second so that no token is valid too early.
fn time(claims: &Members<'_>, name: &str, malformed: Refusal) -> Result<Option<UnixSeconds>, Refusal> {
    claims.get(name).map(|time| seconds(time, f64::ceil).ok_or(malformed)).transpose()
}

/// The end of the year 9999. A later time is a mistake, such as milliseconds taken for seconds.
pub(crate) const LATEST: u64 = 253_402_300_799;

/// A `NumericDate`: seconds since 1970, a fraction rounded by `round`.
// SPEC: RFC 7519 section 2
fn seconds(value: &Json<'_>, round: fn(f64) -> f64) -> Option<UnixSeconds> {
    let seconds = match value {
        Json::Whole(number) => *number,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, the sign is looked at, and `LATEST` is far below 2^53"
        )]
        Json::Number(number) if number.is_finite() && *number >= 0.0 => round(*number) as u64,
        Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) | Json::Bool | Json::Null => {
            return None;
        }
    };
    (seconds <= LATEST).then_some(UnixSeconds(seconds))
}

/// The token's id: at most 256 bytes without control characters, since it goes into the log and a header.
fn token_id<'a>(jti: &Json<'a>) -> Option<Cow<'a, str>> {
    jti.as_text().filter(|text| text.len() <= 256 && !text.chars().any(char::is_control)).cloned()
}
