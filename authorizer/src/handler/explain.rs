//! `Explanation`: a decision with the verdict of every check, for people. The same code as for invocations makes the
//! decision; the check at which it ended tells which ones passed and which were not reached.

use std::{sync::Arc, time::SystemTime};

use access::{MethodArn, Route, log::Log};
use serde_json::{Value, value::RawValue};

use super::{Authorizer, Line};
use crate::{
    claims::Form,
    config::Config,
    json::Members,
    keys::fetch::{Fetch, StaticJwks},
    refusal::{Fault, Refusal, Rejection},
    token::Bearer,
};

/// Why a token is accepted or refused, check by check.
#[derive(Debug)]
pub struct Explanation {
    /// The header of the token, if it is strict JSON. Anyone can write one: do not trust it unless the signature is
    /// valid.
    pub header: Option<Value>,
    /// The claims, with the same caveat.
    pub claims: Option<Value>,
    /// The route that serves the call, if any.
    pub route: Option<Route>,
    /// Every check in the order in which they run.
    pub steps: Vec<Step>,
    /// The decision.
    pub decided: Decided,
}

/// One check and its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What must be true.
    pub check: &'static str,
    /// Whether it was.
    pub verdict: Verdict,
}

/// The verdict of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The check passed.
    Passed,
    /// The check failed, and the token is refused.
    Failed(Refusal),
    /// The check could not be made, for lack of keys.
    Undecided,
    /// The settings do not ask for it.
    NotAsked,
    /// An earlier check ended the decision.
    NotReached,
}

/// A decision.
#[derive(Debug)]
pub enum Decided {
    /// The token is valid: the function's answer, policy and context.
    Answer(Box<RawValue>),
    /// The token is refused.
    Refused(Refusal),
    /// No decision was possible.
    Fault(Fault),
}

/// The checks in the order in which they run. The claims are read after the header, so two refusals occur twice.
fn checks() -> impl Iterator<Item = (&'static str, Refusal)> {
    Refusal::ALL.into_iter().flat_map(|refusal| {
        let claims = [
            ("the claims are a JSON object", Refusal::MalformedJson),
            ("the claims name no member twice", Refusal::DuplicateMember),
        ];
        let claims = claims.into_iter().filter(move |_| refusal == Refusal::UnknownIssuer);
        claims.chain([(refusal.check(), refusal)])
    })
}

impl Authorizer {
    /// An authorizer with the keys of this JWKS. It makes no request, whatever address the settings name. Without a usable
    /// key in `jwks` each decision is a fault.
    pub fn with_jwks(
        config: Config,
        jwks: &[u8],
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        log: Log,
    ) -> Self {
        Self::build(config, clock, log, |_| Arc::new(StaticJwks(jwks.to_vec())) as Arc<dyn Fetch>)
    }

    /// Decides on one header value (`Bearer …`) as [`Authorizer::handle`] does, and returns the verdict of each check.
    /// Logs no decision, but does log a failed fetch of keys.
    ///
    /// The explanation contains header and claims: show it only to the holder of the token, and never log it.
    pub async fn explain(&self, value: &str, arn: &MethodArn<'_>) -> Explanation {
        let target = self.0.policies.called(arn);
        let decided = match self.judge(value, arn, target, &mut Line::new("")).await {
            Ok(answer) => Decided::Answer(answer),
            Err(Rejection::Refused(refusal)) => Decided::Refused(refusal),
            Err(Rejection::Fault(fault)) => Decided::Fault(fault),
        };
        let compact = Bearer::parse(value).and_then(|bearer| bearer.decode()).ok();
        let [header, claims] = compact.as_ref().map_or([None, None], |compact| compact.texts().map(strict));
        let last = ending(&decided, header.is_some());
        let steps = checks().enumerate().map(|(index, (check, refusal))| {
            let verdict = match last {
                Some(last) if index > last => Verdict::NotReached,
                _ if self.is_unasked(refusal) => Verdict::NotAsked,
                Some(last) if index == last => match decided {
                    Decided::Refused(refusal) => Verdict::Failed(refusal),
                    Decided::Fault(_) | Decided::Answer(_) => Verdict::Undecided,
                },
                Some(_) | None => Verdict::Passed,
            };
            Step { check, verdict }
        });
        Explanation { header, claims, route: target.cloned(), steps: steps.collect(), decided }
    }

    fn is_unasked(&self, refusal: Refusal) -> bool {
        let rules = &self.0.verifier.rules;
        (refusal == Refusal::TokenUse && rules.form == Form::Oidc)
            || (refusal == Refusal::Audience && rules.audience.is_none())
    }
}

/// The index of the check that ended the decision, if one did. Where JSON is at fault and the header could be read, it is
/// that of the claims.
fn ending(decided: &Decided, is_header_read: bool) -> Option<usize> {
    let refusal = match decided {
        Decided::Refused(refusal) => *refusal,
        Decided::Fault(Fault::KeysUnavailable) => Refusal::UnknownKey,
        Decided::Fault(Fault::Event | Fault::MethodArn(_) | Fault::ResourceTooLong | Fault::Answer(_))
        | Decided::Answer(_) => return None,
    };
    let mut places = checks().enumerate().filter(|(_, (_, ended))| *ended == refusal).map(|(index, _)| index);
    let first = places.next();
    if is_header_read { places.next().or(first) } else { first }
}

/// JSON, if the authorizer's strict reader accepts it too.
fn strict(text: &[u8]) -> Option<Value> {
    Members::parse(text).ok().and_then(|_| serde_json::from_slice(text).ok())
}
