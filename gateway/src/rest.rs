//! Owns API Gateway REST on loopback: HTTP to event, the authorizer and its cache, policy evaluation, throttling,
//! gateway responses. Knows nothing of our functions: it gets an [`api::Api`] and a way to invoke a function by name.
//!
//! # Where AWS documents nothing
//!
//! These are inferred, or stricter than API Gateway may be; each fails closed.
//!
//! - The method ARN holds the path as it was sent: encoded, and with its trailing slash. A literal segment matches
//!   byte for byte, so `/%6frders` is no `/orders`.
//! - A path belongs to its most specific resource, whether or not that one has the verb.
//! - Two identity headers are no token (401), even where both say the same.
//! - Calls for the same new token that run side by side each call the authorizer; a validation expression has to
//!   match the whole value.
//! - A policy without `Version`, with a member that is not evaluated, or with a resource over 512 characters is
//!   malformed; so is an empty `principalId`. Members beside the four of the answer pass.
//! - An authorizer that cannot be reached is `AUTHORIZER_CONFIGURATION_ERROR`, a function that cannot be
//!   `API_CONFIGURATION_ERROR`; a function that runs into its own time limit is a failed one (502).
//! - API key, plan and stage limits come behind the authorizer, in this order. A throttled request does not count
//!   against a quota. Weeks begin on Sunday, UTC. An API key in no plan is as good as unknown.
//! - A gateway response of one's own without a template keeps the default body, `{"Message":…}` of a denial
//!   included. A type without an entry takes all of `DEFAULT_4XX` or `DEFAULT_5XX`. Values go into JSON escaped.
//! - Header names that differ in casing only are one header, under the first casing. Text that is no UTF-8 reaches
//!   a function with replacement characters.
//! - The 10,240 bytes are all of request line and headers, and one more is 431. A header value outside UTF-8, a
//!   repeated `Content-Length` and whatever else two readers could read differently is 400, and the connection ends.

mod answer;
pub mod api;
mod authorizer;
mod error;
mod event;
mod exchange;
mod integration;
mod media;
pub mod policy;
mod query;
mod refusal;
mod responses;
mod router;
pub mod served;
mod throttle;
mod usage;

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use uuid::Uuid;

use self::{
    api::{Access, Api, Integration},
    authorizer::{Authorized, Authorizer},
    exchange::Exchange,
    refusal::{Refusal, Rejection},
    responses::Responses,
    router::Router,
    served::{CachedAnswer, Served},
    usage::Usage,
};
pub use self::{error::GatewayError, usage::Standing};
use crate::{
    http::{Handle, Headers, Refused, Request, Response},
    invoke::Invoke,
};

/// The longest that API Gateway waits for an integration.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);

/// One stage of one REST API, served without the stage in its URLs.
pub struct Gateway {
    api: Api,
    router: Router,
    authorizers: BTreeMap<String, Authorizer>,
    responses: Responses,
    usage: Usage,
    functions: Arc<dyn Invoke>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    served: Box<dyn Fn(&Served) + Send + Sync>,
}

impl Gateway {
    /// Serves `api` with `functions` behind it. `clock` is the only source of time, but for how long a call may
    /// take; `served` is told of each answer.
    ///
    /// # Errors
    /// Whatever in `api` could not be deployed or cannot be honoured. Above all, a method whose authorizer is
    /// missing stops the start: it never becomes an open method.
    pub fn new(
        api: Api,
        functions: Arc<dyn Invoke>,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        served: impl Fn(&Served) + Send + Sync + 'static,
    ) -> Result<Self, GatewayError> {
        let router = Router::new(&api)?;
        for method in &api.methods {
            let name = || format!("{} {}", method.verb, method.resource);
            if let Access::Authorizer(authorizer) = &method.access
                && !api.authorizers.contains_key(authorizer)
            {
                return Err(GatewayError::UnknownAuthorizer {
                    method: name(),
                    authorizer: authorizer.clone(),
                });
            }
            if let Integration::Function { timeout, .. } = method.integration
                && (timeout.is_zero() || timeout > INTEGRATION_TIMEOUT)
            {
                return Err(GatewayError::Timeout(name()));
            }
        }
        let authorizers = api
            .authorizers
            .iter()
            .map(|(name, settings)| Ok((name.clone(), Authorizer::new(name, settings)?)))
            .collect::<Result<_, GatewayError>>()?;
        let responses = Responses::new(&api)?;
        let usage = Usage::new(&api)?;
        let (clock, served) = (Box::new(clock), Box::new(served));
        Ok(Self { api, router, authorizers, responses, usage, functions, clock, served })
    }

    /// Answers one request, as API Gateway would.
    pub async fn answer(&self, request: Request) -> Response {
        let mut exchange = self.exchange(&request);
        let outcome = self.proceed(&mut exchange).await;
        self.conclude(&exchange, outcome)
    }

    /// How every API key that a usage plan counts stands now.
    pub fn standings(&self) -> Vec<Standing> {
        self.usage.standings((self.clock)())
    }

    /// Returns the authorizers' answers that are cached now, the latest first.
    pub fn cached_answers(&self) -> Vec<CachedAnswer> {
        let now = (self.clock)();
        self.authorizers.values().flat_map(|authorizer| authorizer.cached(now)).collect()
    }

    /// The answer to something that is no request.
    pub fn refuse(&self, refused: Refused, peer: SocketAddr) -> Response {
        let (method, target) = (String::new(), "/".to_owned());
        let nothing = Request { method, target, headers: Headers::default(), body: Vec::new(), peer };
        self.conclude(&self.exchange(&nothing), Err(Refusal::from(refused).into()))
    }

    fn exchange<'a>(&'a self, request: &'a Request) -> Exchange<'a> {
        Exchange::new(&self.api, request, Uuid::new_v4().to_string(), (self.clock)())
    }

    /// Every step in API Gateway's order; the first that refuses ends it.
    async fn proceed(&self, exchange: &mut Exchange<'_>) -> Result<Response, Rejection> {
        let request = exchange.request;
        let matched = self.router.find(&request.method, request.path());
        let matched = matched.ok_or(Refusal::MISSING_AUTHENTICATION_TOKEN)?;
        let access = matched.method.access.clone();
        exchange.matched = Some(matched);
        // INVARIANT: a method that names an authorizer is not served without it.
        match access {
            Access::Open => {}
            Access::NotPlayed(reason) => return Err(Refusal::AUTHORIZER_CONFIGURATION.because(reason)),
            Access::Authorizer(name) => {
                let authorizer = self.authorizers.get(&name).ok_or(Refusal::AUTHORIZER_CONFIGURATION)?;
                let Authorized { authorization, caller, result } =
                    authorizer.authorize(exchange, self.functions.as_ref(), self.clock.as_ref()).await;
                exchange.authorization = authorization;
                exchange.caller = caller;
                result?;
            }
        }
        self.usage.admit(exchange, (self.clock)())?;
        integration::call(exchange, self.functions.as_ref()).await
    }

    fn conclude(&self, exchange: &Exchange<'_>, outcome: Result<Response, Rejection>) -> Response {
        let (mut response, error_type, reason, detail) = match outcome {
            Ok(response) => (response, None, None, None),
            Err(Rejection { refusal, reason, detail }) => {
                (self.responses.render(&refusal, exchange), Some(refusal.error_type), reason, detail)
            }
        };
        for (name, value) in [
            ("x-amzn-RequestId", &exchange.request_id),
            ("x-amz-apigw-id", &exchange.extended_request_id()),
            ("X-Amzn-Trace-Id", &exchange.trace_id()),
        ] {
            response.headers.remove(name);
            response.headers.push(name, value);
        }
        (self.served)(&Served {
            request_id: exchange.request_id.clone(),
            route: exchange
                .matched
                .as_ref()
                .map(|matched| format!("{} {}", exchange.request.method, matched.method.resource)),
            status: response.status,
            principal_id: exchange.caller.as_ref().map(|caller| caller.principal_id.clone()),
            context: exchange.caller.as_ref().map(|caller| caller.context.clone()).unwrap_or_default(),
            authorization: exchange.authorization,
            error_type,
            reason,
            detail,
            latency: (self.clock)().duration_since(exchange.started).unwrap_or_default(),
        });
        response
    }
}

impl Handle for Gateway {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.answer(request))
    }

    fn refuse(&self, refused: Refused, peer: SocketAddr) -> Response {
        self.refuse(refused, peer)
    }
}

/// Shows no API key.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("api_id", &self.api.api_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
