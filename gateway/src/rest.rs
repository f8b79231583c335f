//! API Gateway REST on loopback: HTTP to event, the authorizer and its cache, policy evaluation, throttling, gateway
//! responses. It gets an [`api::Api`] and a way to invoke a function by name. The README's rows say how each behaviour is
//! known; those that are inferred fail closed.

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
mod routing;
pub mod served;
mod throttle;
mod usage;

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use uuid::Uuid;

use self::{
    api::{Access, Api},
    authorizer::{Authorized, Authorizer},
    exchange::Exchange,
    refusal::{Refusal, Rejection},
    responses::Responses,
    router::Router,
    served::{CachedAnswer, Served},
    usage::Usage,
};
pub use self::{error::GatewayError, routing::Routing, usage::Standing};
use crate::{
    http::{Handle, Headers, Refused, Request, Response},
    invoke::Invoke,
};

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
    /// Serves `api` with `functions` behind it. `clock` is the only source of time, except for time
    /// limits; `served` is called for each answer.
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
            if let Access::Authorizer(authorizer) = &method.access
                && !api.authorizers.contains_key(authorizer)
            {
                return Err(GatewayError::UnknownAuthorizer {
                    method: format!("{} {}", method.verb, method.resource),
                    authorizer: authorizer.clone(),
                });
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

    /// The resource that `path` belongs to, whatever its methods: `/orders/{id}`.
    pub fn resource_of(&self, path: &str) -> Option<&str> {
        self.router.resource_path(path)
    }

    /// Returns the answer to bytes that are not a request.
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
