//! Explains a token: the checks of the authorizer and their verdicts, the policy, and what the gateway decides for
//! every route, all by the code of the authorizer and the gateway themselves.
//!
//! The token goes nowhere: it is decided about in this process, and nothing that is shown holds its signature.

mod call;
mod given;
mod settings;
#[cfg(test)]
mod tests;
mod text;

use access::{Caller, MethodArn, Route};
use authorizer::{Authorizer, Decided, Step, Verdict};
use client::cli::did_you_mean;
use gateway::rest::{
    GatewayError, Routing,
    api::{Access as RouteAccess, Api},
    policy::{Decision, Policy},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::{
    call::{Call, CallError},
    settings::{Explain, ExplainError},
};

/// What API Gateway asks a policy for.
const INVOKE: &str = "execute-api:Invoke";

/// Explains tokens as one stage of one API decides about them.
#[derive(Debug)]
pub struct Explainer {
    authorizer: Authorizer,
    /// `arn:…/{stage}/`
    stage: String,
    routing: Routing,
}

/// Why a token is let in or turned away, for people and for scripts.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// How it ends.
    pub outcome: Outcome,
    /// The status that API Gateway answers with; absent where the function answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The label in the authorizer's log, or `no_such_route`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What the reason means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The call that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The header of the token, where it is strict JSON. Not to be believed unless the signature holds.
    pub header: Option<Value>,
    /// The claims, likewise.
    pub claims: Option<Value>,
    /// Every check in the order in which they run.
    pub checks: Vec<Check>,
    /// The policy that API Gateway gets and keeps for the token; without a call none if each call has its own.
    pub policy: Option<Value>,
    /// Every route, where there is a policy.
    pub routes: Vec<Access>,
}

/// How a decision ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The call passes; without a call, at least one route is open to the token.
    Allowed,
    /// The token is valid but does not cover the call, or there is no such route; without a call, it covers no route.
    Denied,
    /// The token is refused.
    Refused,
    /// Nothing could be decided.
    Undecided,
}

/// One check and how it went.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What must be true.
    pub check: &'static str,
    /// How it went.
    pub verdict: CheckVerdict,
    /// The label of the refusal, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// It could not be made.
    Undecided,
    /// The settings do not ask for it.
    NotAsked,
    /// A check before it ended the decision.
    NotReached,
}

/// Whether a route is open to the token.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// `GET /orders/{id}`
    pub route: String,
    /// Whether the gateway lets the call through.
    pub allowed: bool,
    /// The scopes that the route needs.
    pub needs: Vec<String>,
    /// Those of them that the token does not hold.
    pub missing: Vec<String>,
}

/// What of the authorizer's answer is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    policy_document: Value,
    context: Map<String, Value>,
}

impl Explainer {
    /// Explains what `authorizer` decides for the stage of `api`.
    ///
    /// # Errors
    /// If the gateway cannot serve `api`.
    pub fn new(authorizer: Authorizer, api: &Api) -> Result<Self, GatewayError> {
        let Api { partition, region, account_id, api_id, stage, .. } = api;
        let stage = format!("arn:{partition}:execute-api:{region}:{account_id}:{api_id}/{stage}/");
        Ok(Self { authorizer, stage, routing: Routing::new(api)? })
    }

    /// Fetches the keys, so that they are at hand. What fails is tried again with the first token.
    pub async fn prefetch(&self) {
        self.authorizer.prefetch().await;
    }

    /// Explains what happens to `call` with a token: the token alone, quoted, with `Bearer` before it, a whole
    /// `Authorization` header, or the token endpoint's answer. Without a call it explains every route.
    pub async fn explain(&self, token: &str, call: Option<&Call>) -> Explanation {
        let resource = call.map_or_else(|| "GET/".to_owned(), Call::resource);
        let arn = format!("{}{resource}", self.stage);
        let Ok(method_arn) = MethodArn::parse(&arn) else {
            return Explanation::undecided("method_arn", "the call has no method ARN");
        };
        let explained = self.authorizer.explain(&given::header_value(token), &method_arn).await;
        let mut explanation = Explanation {
            header: explained.header,
            claims: explained.claims,
            checks: explained.steps.iter().map(Check::of).collect(),
            call: call.map(ToString::to_string),
            ..match explained.decided {
                Decided::Refused(refusal) => Explanation {
                    outcome: Outcome::Refused,
                    status: Some(401),
                    ..Explanation::undecided(refusal.label(), refusal.meaning())
                },
                Decided::Fault(fault) => Explanation::undecided(fault.label(), &fault.to_string()),
                Decided::Answer(answer) => {
                    self.answered(answer.get(), call.map(|_| (arn.as_str(), explained.route.as_ref())))
                }
            }
        };
        if explanation.outcome == Outcome::Allowed {
            (explanation.reason, explanation.because) = (None, None);
        }
        match call.map(|call| (call, self.routing.access(&call.verb, &call.path))) {
            Some((call, Err(status))) => {
                let known = self.authorizer.routes().iter().map(Route::name);
                let known = did_you_mean(&call.to_string(), known);
                let because = format!("no route has this method and path, whatever the token{known}");
                let (outcome, status) = (Outcome::Denied, Some(status));
                let (reason, because) = (Some("no_such_route"), Some(because));
                Explanation { outcome, status, reason, because, ..explanation }
            }
            Some((_, Ok(RouteAccess::Open))) => {
                let because = Some("the template asks no authorizer about this route".to_owned());
                Explanation { outcome: Outcome::Allowed, status: None, reason: None, because, ..explanation }
            }
            Some((_, Ok(RouteAccess::Authorizer(_) | RouteAccess::NotPlayed(_)))) | None => explanation,
        }
    }

    /// What follows from an answer, in general or for the call of a method ARN.
    fn answered(&self, answer: &str, call: Option<(&str, Option<&Route>)>) -> Explanation {
        let unreadable = || Explanation::undecided("answer", "the authorizer's answer is malformed");
        let Ok(Answer { policy_document, context }) = serde_json::from_str(answer) else {
            return unreadable();
        };
        let Ok(caller) = Caller::from_context(|member| context.get(member)) else { return unreadable() };
        let Ok(policy) = Policy::deserialize(&policy_document) else { return unreadable() };
        let is_allowed = |arn: &str| policy.evaluate(INVOKE, arn) == Decision::Allow;
        let is_per_call = self.authorizer.is_policy_per_call();
        let routes: Vec<Access> = self
            .authorizer
            .routes()
            .iter()
            .map(|route| {
                // Any value of a parameter will do: a policy does not distinguish them.
                let resource = access::arn::pattern(route).replace('*', "1");
                let is_covered = || route.is_covered_by(&caller.scopes);
                let is_allowed = || is_allowed(&format!("{}{resource}", self.stage));
                Access::new(route, &caller, if is_per_call { is_covered() } else { is_allowed() })
            })
            .collect();
        let (outcome, reason, because) = match call {
            Some((_, None)) => {
                (Outcome::Denied, "no_such_route", "the route table does not have this route".to_owned())
            }
            Some((arn, Some(route))) if !is_allowed(arn) => {
                let missing = Access::new(route, &caller, false).missing;
                if missing.is_empty() {
                    let because =
                        "the scopes are held, but the policy of a token cannot tell this call from others";
                    (
                        Outcome::Denied,
                        "routes_overlap",
                        format!("{because}; with `POLICY=call` it would pass"),
                    )
                } else {
                    let because = format!("the token does not hold {}", missing.join(" "));
                    (Outcome::Denied, "insufficient_scope", because)
                }
            }
            None if !routes.iter().any(|route| route.allowed) => (
                Outcome::Denied,
                "insufficient_scope",
                "no route is covered by the token's scopes".to_owned(),
            ),
            Some(_) | None => (Outcome::Allowed, "", String::new()),
        };
        let status = (outcome == Outcome::Denied).then_some(403);
        Explanation {
            outcome,
            status,
            policy: (call.is_some() || !is_per_call).then_some(policy_document),
            routes,
            ..Explanation::undecided(reason, &because)
        }
    }
}

impl Explanation {
    /// The page for people; all checks, the header and the claims only if it is to be `verbose`.
    pub(crate) fn page(&self, verbose: bool) -> String {
        text::page(self, verbose)
    }

    /// The frame of every explanation.
    fn undecided(reason: &'static str, because: &str) -> Self {
        Self {
            outcome: Outcome::Undecided,
            status: Some(500),
            reason: Some(reason),
            because: Some(because.to_owned()),
            call: None,
            header: None,
            claims: None,
            checks: Vec::new(),
            policy: None,
            routes: Vec::new(),
        }
    }
}

impl Check {
    fn of(step: &Step) -> Self {
        let (verdict, reason) = match step.verdict {
            Verdict::Passed => (CheckVerdict::Passed, None),
            Verdict::Failed(refusal) => (CheckVerdict::Failed, Some(refusal.label())),
            Verdict::Undecided => (CheckVerdict::Undecided, None),
            Verdict::NotAsked => (CheckVerdict::NotAsked, None),
            Verdict::NotReached => (CheckVerdict::NotReached, None),
        };
        Self { check: step.check, verdict, reason }
    }
}

impl Access {
    fn new(route: &Route, caller: &Caller<'_>, allowed: bool) -> Self {
        let missing = route.scopes().iter().filter(|scope| !caller.scopes.holds(scope));
        Self {
            route: route.to_string(),
            allowed,
            needs: route.scopes().iter().map(ToString::to_string).collect(),
            missing: missing.map(ToString::to_string).collect(),
        }
    }
}
