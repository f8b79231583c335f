//! The whole sequence of checks, from a decoded token to `Verified`, which nothing else can make.

use access::{Caller, UnixSeconds};

use crate::{
    claims::Rules,
    keys::{Clock, KeyCache, KeyOrigin, NoKey},
    refusal::{Fault, Refusal, Rejection},
    token::Compact,
};

/// Who called, from a token that passed every check.
#[derive(Debug)]
pub(crate) struct Verified<'a> {
    caller: Caller<'a>,
}

impl<'a> Verified<'a> {
    /// Who called.
    pub(crate) const fn caller(&self) -> &Caller<'a> {
        &self.caller
    }
}

/// One issuer with its own keys: no issuer's key ever verifies another's token.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    /// The exact `iss` of its tokens; any of them.
    pub(crate) names: Vec<String>,
    pub(crate) keys: KeyCache,
}

/// Verifies tokens.
pub(crate) struct Verifier {
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) rules: Rules,
    pub(crate) clock: Clock,
}

impl Verifier {
    /// Runs the checks in order; the first that fails ends it. Sets `origin` once a key was looked for.
    pub(crate) async fn verify<'t>(
        &self,
        token: &'t Compact<'_>,
        origin: &mut Option<KeyOrigin>,
    ) -> Result<Verified<'t>, Rejection> {
        // The free checks come first, so a token of a foreign issuer never causes a request.
        let unverified = token.read()?;
        let unverified_issuer = unverified.claims.text("iss").ok_or(Refusal::UnknownIssuer)?;
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.names.iter().any(|name| unverified_issuer == name))
            .ok_or(Refusal::UnknownIssuer)?;

        let (key, found) = issuer.keys.key(&unverified.kid).await;
        *origin = Some(found);
        let key = key.map_err(|missing| match missing {
            NoKey::Unknown => Rejection::Refused(Refusal::UnknownKey),
            NoKey::Unavailable => Rejection::Fault(Fault::KeysUnavailable),
        })?;
        if !key.verifies(unverified.signed, unverified.signature) {
            return Err(Refusal::Signature.into());
        }

        // Only now can the claims be trusted. The time is read after the wait for keys.
        let now = UnixSeconds::from((self.clock)());
        let caller = self.rules.caller(&unverified.claims, now)?;
        Ok(Verified { caller })
    }
}
