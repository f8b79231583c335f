//! Owns API Gateway REST on loopback: HTTP to event, the authorizer and its cache, policy evaluation, throttling,
//! gateway responses. Knows nothing of our functions: it gets an [`api::Api`] and a way to invoke a function by name.

pub mod api;
mod authorizer;
mod error;
mod event;
mod exchange;
pub mod http;
mod integration;
pub mod invoke;
mod media;
mod policy;
mod query;
mod refusal;
mod responses;
mod router;
pub mod served;
pub mod server;
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

pub use self::error::GatewayError;
use self::{
    api::Api,
    authorizer::Authorizer,
    exchange::Exchange,
    http::{Handle, Headers, Refused, Request, Response},
    invoke::Invoke,
    refusal::Refusal,
    responses::Responses,
    router::Router,
    served::Served,
    usage::Usage,
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
            if let Some(authorizer) = &method.authorizer
                && !api.authorizers.contains_key(authorizer)
            {
                return Err(GatewayError::UnknownAuthorizer {
                    method: name(),
                    authorizer: authorizer.clone(),
                });
            }
            if method.timeout.is_zero() || method.timeout > INTEGRATION_TIMEOUT {
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

    /// The answer to something that is no request.
    pub fn refuse(&self, refused: Refused, peer: SocketAddr) -> Response {
        let (method, target) = (String::new(), "/".to_owned());
        let nothing = Request { method, target, headers: Headers::default(), body: Vec::new(), peer };
        self.conclude(&self.exchange(&nothing), Err(refused.into()))
    }

    fn exchange<'a>(&'a self, request: &'a Request) -> Exchange<'a> {
        Exchange::new(&self.api, request, Uuid::new_v4().to_string(), (self.clock)())
    }

    /// Every step in API Gateway's order; the first that refuses ends it.
    async fn proceed(&self, exchange: &mut Exchange<'_>) -> Result<Response, Refusal> {
        let request = exchange.request;
        let matched = self.router.find(&request.method, request.path());
        let matched = matched.ok_or(Refusal::MISSING_AUTHENTICATION_TOKEN)?;
        let authorizer = matched.method.authorizer.clone();
        exchange.matched = Some(matched);
        if let Some(name) = authorizer {
            // INVARIANT: a method that names an authorizer is not served without it.
            let authorizer = self.authorizers.get(&name).ok_or(Refusal::AUTHORIZER_CONFIGURATION)?;
            authorizer.authorize(exchange, self.functions.as_ref(), self.clock.as_ref()).await?;
        }
        self.usage.admit(exchange, (self.clock)())?;
        integration::call(exchange, self.functions.as_ref()).await
    }

    fn conclude(&self, exchange: &Exchange<'_>, outcome: Result<Response, Refusal>) -> Response {
        let error_type = outcome.as_ref().err().map(|refusal| refusal.error_type);
        let mut response = outcome.unwrap_or_else(|refusal| self.responses.render(&refusal, exchange));
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
            authorization: exchange.authorization,
            error_type,
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
