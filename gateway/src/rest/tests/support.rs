//! A small API, functions that answer what a test tells them to, and a clock that stands still.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::future::BoxFuture;
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    http::{Headers, Request, Response},
    invoke::{Invoke, InvokeError},
    rest::{
        Gateway, GatewayError,
        api::{Access, Api, ApiKeySource, ApiMethod, Identity, Integration, LambdaAuthorizer},
        served::Served,
    },
};

pub(in crate::rest) const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod";

/// An API without a method.
pub(in crate::rest) fn api() -> Api {
    let authorizer = LambdaAuthorizer {
        function: "Authorizer".into(),
        identity: token("Authorization", None),
        cache_time: Duration::from_mins(5),
    };
    Api {
        partition: "aws".into(),
        region: "eu-west-1".into(),
        account_id: "123456789012".into(),
        api_id: "abc123".into(),
        stage: "prod".into(),
        methods: Vec::new(),
        authorizers: BTreeMap::from([("Token".to_owned(), authorizer)]),
        responses: BTreeMap::new(),
        binary_media_types: Vec::new(),
        api_key_source: ApiKeySource::Header,
        api_keys: Vec::new(),
        usage_plans: Vec::new(),
        throttle: None,
        method_throttles: BTreeMap::new(),
        stage_variables: BTreeMap::new(),
    }
}

/// What a TOKEN authorizer goes by.
pub(in crate::rest) fn token(header: &str, validation: Option<&str>) -> Identity {
    let validation = validation.map(|expression| Regex::new(&format!(r"\A(?:{expression})\z")).unwrap());
    Identity::Token { header: header.into(), validation }
}

/// A method behind the authorizer.
pub(in crate::rest) fn method(verb: &str, resource: &str) -> ApiMethod {
    ApiMethod {
        verb: verb.into(),
        resource: resource.into(),
        access: Access::Authorizer("Token".into()),
        api_key_required: false,
        integration: Integration::Function { name: "Handler".into(), timeout: Duration::from_secs(29) },
    }
}

/// The handler, with this limit.
pub(in crate::rest) fn within(timeout: Duration) -> Integration {
    Integration::Function { name: "Handler".into(), timeout }
}

/// A request without headers but its host.
pub(in crate::rest) fn request(method: &str, target: &str) -> Request {
    let mut headers = Headers::default();
    headers.push("Host", "127.0.0.1:3000");
    let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
    Request { method: method.into(), target: target.into(), headers, body: Vec::new(), peer }
}

/// A request with a token.
pub(in crate::rest) fn authorized(method: &str, target: &str) -> Request {
    let mut request = request(method, target);
    request.headers.push("Authorization", "Bearer token");
    request
}

/// An authorizer's answer with one statement for each effect and resource.
pub(in crate::rest) fn policy(statements: &[(&str, &str)]) -> Value {
    let statements: Vec<Value> = statements
        .iter()
        .map(|(effect, resource)| {
            json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
        })
        .collect();
    json!({
        "principalId": "order-service",
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {"client_id": "order-service", "exp": 1_700_000_000, "trusted": true},
    })
}

pub(in crate::rest) type Outcome = Result<Value, InvokeError>;

/// Answers by a function's name, and remembers what each was asked.
#[derive(Default)]
pub(in crate::rest) struct Functions {
    pub(in crate::rest) outcomes: Mutex<BTreeMap<String, Outcome>>,
    pub(in crate::rest) calls: Mutex<Vec<(String, Value)>>,
    /// How long every call takes.
    pub(in crate::rest) delay: Mutex<Duration>,
}

impl Invoke for Functions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        Box::pin(async move {
            let event = serde_json::from_slice(&event).unwrap();
            self.calls.lock().unwrap().push((function.to_owned(), event));
            let delay = *self.delay.lock().unwrap();
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let outcome = self.outcomes.lock().unwrap().get(function).cloned();
            let missing = || Err(InvokeError::Unavailable(function.to_owned()));
            // A text is handed on as it is, so that a test can say what is no JSON.
            let bytes =
                |answer: Value| answer.as_str().map_or(answer.to_string(), str::to_owned).into_bytes();
            outcome.unwrap_or_else(missing).map(bytes)
        })
    }
}

/// A gateway and the strings that move it.
pub(in crate::rest) struct Stage {
    pub(in crate::rest) gateway: Arc<Gateway>,
    pub(in crate::rest) functions: Arc<Functions>,
    now: Arc<Mutex<SystemTime>>,
    served: Arc<Mutex<Vec<Served>>>,
}

impl Stage {
    /// Serves `GET /orders`, `GET /orders/{id}`, `POST /orders` and the open `GET /open`, after `change`. The
    /// authorizer allows all of it, and the handler answers 200.
    pub(in crate::rest) fn new(change: impl FnOnce(&mut Api)) -> Self {
        Self::try_new(change).unwrap()
    }

    pub(in crate::rest) fn try_new(change: impl FnOnce(&mut Api)) -> Result<Self, GatewayError> {
        let mut api = api();
        api.methods = vec![
            method("GET", "/orders"),
            method("GET", "/orders/{id}"),
            method("POST", "/orders"),
            ApiMethod { access: Access::Open, ..method("GET", "/open") },
        ];
        change(&mut api);
        let functions = Arc::new(Functions::default());
        let now = Arc::new(Mutex::new(UNIX_EPOCH + Duration::from_secs(1_790_000_000)));
        let served = Arc::new(Mutex::new(Vec::new()));
        let (clock, log) = (Arc::clone(&now), Arc::clone(&served));
        let gateway = Gateway::new(
            api,
            Arc::clone(&functions) as Arc<dyn Invoke>,
            move || *clock.lock().unwrap(),
            move |one: &Served| log.lock().unwrap().push(one.clone()),
        )?;
        let stage = Self { gateway: Arc::new(gateway), functions, now, served };
        stage.set("Authorizer", Ok(policy(&[("Allow", "*")])));
        stage.set("Handler", Ok(json!({"statusCode": 200, "body": "{}"})));
        Ok(stage)
    }

    /// What a function answers from now on.
    pub(in crate::rest) fn set(&self, function: &str, outcome: Outcome) {
        self.functions.outcomes.lock().unwrap().insert(function.to_owned(), outcome);
    }

    pub(in crate::rest) fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    pub(in crate::rest) async fn answer(&self, request: Request) -> Response {
        self.gateway.answer(request).await
    }

    /// Status and body.
    pub(in crate::rest) async fn ask(&self, request: Request) -> (u16, String) {
        let response = self.answer(request).await;
        (response.status, String::from_utf8(response.body).unwrap())
    }

    /// How often a function was called.
    pub(in crate::rest) fn count(&self, function: &str) -> usize {
        self.functions.calls.lock().unwrap().iter().filter(|(name, _)| name == function).count()
    }

    /// What a function was last asked.
    pub(in crate::rest) fn last_event(&self, function: &str) -> Value {
        let calls = self.functions.calls.lock().unwrap();
        calls.iter().rev().find(|(name, _)| name == function).map(|(_, event)| event.clone()).unwrap()
    }

    pub(in crate::rest) fn last_served(&self) -> Served {
        self.served.lock().unwrap().last().cloned().unwrap()
    }
}
