//! The system under test: the API of `template.yaml` on the gateway, the real authorizer, and functions that only make
//! the check that every function makes first.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::{Caller, Route};
use authorizer::{Authorizer, Config};
use futures_util::future::BoxFuture;
use gateway::{
    invoke::{Invoke, InvokeError},
    rest::{Gateway, api::Api},
    template::{Facts, Template},
};
use handlers::routes::ROUTES;
use serde_json::{Value, json};
use test_support::{
    FIRST, Lines, Stub, look_up, reply, settings,
    signer::{NOW, jwks},
};

pub(crate) struct Stage {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) functions: Arc<Functions>,
}

fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

impl Stage {
    pub(crate) async fn new(functions: impl Fn(Authorizer, String) -> Functions) -> Self {
        let endpoint = Stub::always(reply(200, "", jwks([FIRST.jwk()]))).await;
        let config = Config::from_vars(look_up(&settings(&endpoint.url("/jwks.json")))).unwrap();
        let authorizer = Authorizer::new(config, clock, Lines::default().log()).unwrap();
        authorizer.prefetch().await;
        let api = api();
        let name = api.authorizers.values().next().expect("the API has an authorizer").function.clone();
        let functions = Arc::new(functions(authorizer, name));
        let invoke: Arc<dyn Invoke> = Arc::<Functions>::clone(&functions);
        let gateway = Gateway::new(api, invoke, clock, |_| {}).unwrap();
        Self { gateway: Arc::new(gateway), functions }
    }
}

/// The deployed API without its limits, since the clock stands still while thousands of calls are made.
fn api() -> Api {
    let text = include_str!("../../template.yaml");
    let template = Template::parse("template.yaml", text).unwrap();
    let clients = template.logical_ids("AWS::Cognito::UserPoolClient");
    let client_secrets: BTreeMap<_, _> =
        clients.map(|client| (client.to_owned(), "drawn".to_owned().into())).collect();
    let mut api = template.stack(&Facts { client_secrets, ..Facts::default() }).unwrap().api;
    for method in &mut api.methods {
        method.api_key_required = false;
    }
    api.usage_plans.clear();
    api.throttle = None;
    api
}

pub(crate) struct Functions {
    authorizer: Authorizer,
    /// The name of the authorizer in the API.
    name: String,
    /// Whether the gateway gets a policy that allows everything.
    is_open: bool,
    decisions: AtomicUsize,
}

impl Functions {
    /// Behind the authorizer's own policies.
    pub(crate) fn guarded(authorizer: Authorizer, name: String) -> Self {
        Self { authorizer, name, is_open: false, decisions: AtomicUsize::new(0) }
    }

    /// Behind a policy that allows everything.
    pub(crate) fn opened(authorizer: Authorizer, name: String) -> Self {
        Self { is_open: true, ..Self::guarded(authorizer, name) }
    }

    /// How often the gateway called the authorizer.
    pub(crate) fn decisions(&self) -> usize {
        self.decisions.load(Ordering::SeqCst)
    }

    /// The authorizer's answer.
    pub(crate) async fn decide(&self, authorization: &str, arn: &str) -> Result<Vec<u8>, InvokeError> {
        let event = json!({"type": "TOKEN", "authorizationToken": authorization, "methodArn": arn});
        self.authorize(event.to_string().as_bytes()).await
    }

    async fn authorize(&self, event: &[u8]) -> Result<Vec<u8>, InvokeError> {
        let answer = self.authorizer.handle(event, "request-1").await;
        let answer = answer.map_err(|failure| InvokeError::Function {
            error_type: failure.error_type.to_owned(),
            error_message: failure.error_message.to_owned(),
        })?;
        if !self.is_open {
            return Ok(answer.get().as_bytes().to_vec());
        }
        let mut answer: Value = serde_json::from_str(answer.get()).unwrap();
        answer["policyDocument"]["Statement"] =
            json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"});
        Ok(answer.to_string().into_bytes())
    }
}

impl Invoke for Functions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        Box::pin(async move {
            if function == self.name {
                self.decisions.fetch_add(1, Ordering::SeqCst);
                return self.authorize(&event).await;
            }
            let event: Value = serde_json::from_slice(&event).unwrap();
            let answer = match enter(&event) {
                Ok(route) => json!({"statusCode": 200, "body": route.to_string()}),
                Err(status) => json!({"statusCode": status, "body": "turned away by the function"}),
            };
            Ok(answer.to_string().into_bytes())
        })
    }
}

/// What every function does before anything else.
fn enter(event: &Value) -> Result<&'static Route, u16> {
    let context = &event["requestContext"]["authorizer"];
    let caller = Caller::from_context(|name| context.get(name)).map_err(|_| 401_u16)?;
    if caller.is_expired(clock().into()) {
        return Err(401);
    }
    let text = |name: &str| event[name].as_str().unwrap();
    let route = ROUTES.by_resource(text("httpMethod"), text("resource")).ok_or(403_u16)?;
    if route.is_covered_by(&caller.scopes) { Ok(route) } else { Err(403) }
}
