//! Owns `Explanation`: a decision with the verdict of every check, for people. It decides by the very code that
//! invocations run, and works out from where that stopped what passed before and what was not reached.

use std::{sync::Arc, time::SystemTime};

use access::{MethodArn, Route, log::Log};
use serde_json::{Value, value::RawValue};

use super::{Authorizer, Line, StartError};
use crate::{
    claims::Form,
    config::Config,
    json::Members,
    keys::fetch::{Fetch, StaticJwks},
    refusal::{Fault, Refusal, Rejection},
    token::Bearer,
};

/// Why a token is let in or turned away, check by check.
#[derive(Debug)]
pub struct Explanation {
    /// The header of the token, where it is strict JSON. Anyone can write one: nothing in it is to be believed unless
    /// the signature holds.
    pub header: Option<Value>,
    /// The claims, likewise.
    pub claims: Option<Value>,
    /// The route that the call belongs to, if there is one.
    pub route: Option<&'static Route>,
    /// Every check in the order in which they run.
    pub steps: Vec<Step>,
    /// How it ends.
    pub decided: Decided,
}

/// One check and how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is looked at, and what must be true of it.
    pub check: &'static str,
    /// How it went.
    pub verdict: Verdict,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Passed,
    /// It did not: the first that does not is the reason of the refusal.
    Failed(Refusal),
    /// It could not be made: no keys were at hand.
    Undecided,
    /// The settings do not ask for it.
    NotAsked,
    /// A check before it ended the decision.
    NotReached,
}

/// How a decision ends.
#[derive(Debug)]
pub enum Decided {
    /// The token is good: what the function answers, policy and context.
    Answer(Box<RawValue>),
    /// The token is refused.
    Refused(Refusal),
    /// Nothing could be decided.
    Fault(Fault),
}

/// The checks in the order in which they run, each with the refusals that it can end in.
const CHECKS: [(&str, &[Refusal]); 26] = [
    ("there is a token", &[Refusal::MissingToken]),
    ("it has 16 KiB at most", &[Refusal::TokenTooLarge]),
    ("the scheme is Bearer", &[Refusal::NotBearer]),
    ("one space and one token follow", &[Refusal::MalformedBearer]),
    ("the token has three parts", &[Refusal::NotThreeParts]),
    ("each part is canonical base64url", &[Refusal::MalformedBase64]),
    ("the header is one JSON object, no member twice", &[Refusal::MalformedJson, Refusal::DuplicateMember]),
    ("`alg` is RS256", &[Refusal::Algorithm]),
    ("the header asks for no extension", &[Refusal::CriticalHeader]),
    ("`kid` can name a key", &[Refusal::MalformedKeyId]),
    ("the claims are one JSON object, no member twice", &[Refusal::MalformedJson, Refusal::DuplicateMember]),
    ("`iss` is an issuer that is trusted", &[Refusal::UnknownIssuer]),
    ("the issuer has a usable key of that `kid`", &[Refusal::UnknownKey]),
    ("the signature is that key's", &[Refusal::Signature]),
    ("`token_use` is access", &[Refusal::TokenUse]),
    ("the client id is well-formed", &[Refusal::MalformedClientId]),
    ("the client is let in", &[Refusal::ClientNotAllowed]),
    ("`exp` is a time", &[Refusal::MalformedExp]),
    ("`exp` has not come", &[Refusal::Expired]),
    ("`nbf`, if there, is a time", &[Refusal::MalformedNbf]),
    ("`nbf` is not in the future", &[Refusal::NotYetValid]),
    ("`iat`, if there, is a time", &[Refusal::MalformedIat]),
    ("`iat` is not in the future", &[Refusal::IssuedInFuture]),
    ("`aud` names this API", &[Refusal::Audience]),
    ("the scopes are well-formed", &[Refusal::MalformedScope]),
    ("`jti`, if there, is a short text", &[Refusal::MalformedJti]),
];

impl Authorizer {
    /// An authorizer that takes its keys from this JWKS alone and makes no request, whatever the settings say of an
    /// address.
    ///
    /// # Errors
    /// As [`Authorizer::new`]. A text that holds no usable key is a fault of each decision.
    pub fn with_jwks(
        config: Config,
        jwks: &[u8],
        routes: &'static [Route],
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        log: Log,
    ) -> Result<Self, StartError> {
        Self::build(config, routes, clock, log, |_| Arc::new(StaticJwks(jwks.to_vec())) as Arc<dyn Fetch>)
    }

    /// Decides about one header value (`Bearer …`) as [`Authorizer::handle`] does, and says how each check went.
    /// Writes no line for the decision; one about keys that cannot be fetched is written as ever.
    ///
    /// The explanation holds header and claims, so it is for whoever holds the token, and for no log.
    pub async fn explain(&self, value: &str, arn: &MethodArn<'_>) -> Explanation {
        let target = self.0.table.called(arn).map(|(route, _)| route);
        let decided = match self.judge(value, arn, target, &mut Line::new("")).await {
            Ok(answer) => Decided::Answer(answer),
            Err(Rejection::Refused(refusal)) => Decided::Refused(refusal),
            Err(Rejection::Fault(fault)) => Decided::Fault(fault),
        };
        let compact = Bearer::parse(value).and_then(|bearer| bearer.decode()).ok();
        let [header, claims] = compact.as_ref().map_or([None, None], |compact| compact.texts().map(strict));
        let last = ending(&decided, header.is_some());
        let steps = CHECKS.iter().enumerate().map(|(index, (check, refusals))| {
            let verdict = match last {
                Some(last) if index > last => Verdict::NotReached,
                _ if refusals.iter().any(|refusal| self.is_unasked(*refusal)) => Verdict::NotAsked,
                Some(last) if index == last => match decided {
                    Decided::Refused(refusal) => Verdict::Failed(refusal),
                    Decided::Fault(_) | Decided::Answer(_) => Verdict::Undecided,
                },
                Some(_) | None => Verdict::Passed,
            };
            Step { check, verdict }
        });
        Explanation { header, claims, route: target, steps: steps.collect(), decided }
    }

    fn is_unasked(&self, refusal: Refusal) -> bool {
        let rules = &self.0.verifier.rules;
        (refusal == Refusal::TokenUse && rules.form == Form::Oidc)
            || (refusal == Refusal::Audience && rules.audience.is_none())
    }
}

/// The check that ended the decision, if one did. JSON is read twice: a header that can be read leaves the claims.
fn ending(decided: &Decided, is_header_read: bool) -> Option<usize> {
    let refusal = match decided {
        Decided::Refused(refusal) => *refusal,
        Decided::Fault(Fault::KeysUnavailable) => Refusal::UnknownKey,
        Decided::Fault(Fault::Event | Fault::MethodArn(_) | Fault::ResourceTooLong | Fault::Answer(_))
        | Decided::Answer(_) => return None,
    };
    let mut at = CHECKS.iter().enumerate().filter(|(_, (_, refusals))| refusals.contains(&refusal));
    let first = at.next();
    let ending = if is_header_read { at.next().or(first) } else { first };
    ending.map(|(index, _)| index)
}

/// A text of JSON that the authorizer, too, can read.
fn strict(text: &[u8]) -> Option<Value> {
    Members::parse(text).ok().and_then(|_| serde_json::from_slice(text).ok())
}
