//! Routes a request on the port: to the issuer, to what exists on a laptop only below `/_local/`, or, once the system
//! is ready, to the gateway.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use gateway::{
    http::{Clock, Handle, Refused, Request, Response},
    invoke::{Invoke, InvokeError},
    rest::{Gateway, api::Api},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::SetOnce;
use uuid::Uuid;

use crate::{
    access_log::milliseconds,
    console::{self, Console},
    exchange,
    issuer::{Issuer, JWKS_PATH, TOKEN_PATH},
    rotation::Rotator,
    schedule::Schedules,
};

/// Runs the schedule of a function at once: `POST /_local/invoke/report`.
pub(crate) const INVOKE_PATH: &str = "/_local/invoke/";
/// Rotates the secret of a client at once: `POST /_local/rotate/{client id}`.
pub(crate) const ROTATE_PATH: &str = "/_local/rotate/";

/// What a schedule's run came to.
#[derive(Deserialize, Serialize)]
pub(crate) struct Ran {
    pub(crate) function: String,
    pub(crate) schedule: String,
    pub(crate) expression: String,
    pub(crate) latency_ms: f64,
    pub(crate) answer: Value,
}

/// Everything that answers on the port.
pub(crate) struct Front {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) console: Arc<Console>,
    pub(crate) gateway: Arc<dyn Handle>,
    pub(crate) functions: Arc<dyn Invoke>,
    pub(crate) schedules: Schedules,
    pub(crate) rotator: Arc<Rotator>,
    /// Set when the functions can be called. The issuer answers before: the authorizer fetches its keys to get ready.
    pub(crate) ready: Arc<SetOnce<()>>,
    pub(crate) clock: Clock,
}

/// The paths that are answered here before the template's API is asked, each with the resource of `api` that has it.
pub(crate) fn shadowed<'a>(gateway: &'a Gateway, api: &'a Api) -> impl Iterator<Item = (&'a str, &'a str)> {
    let below = api.methods.iter().map(|method| method.resource.as_str());
    let below = below.filter(|resource| resource.starts_with(console::ROOT));
    let paths = [TOKEN_PATH, JWKS_PATH, console::ROOT, INVOKE_PATH, ROTATE_PATH].into_iter().chain(below);
    paths.filter_map(|path| Some((path, gateway.resource_of(path)?)))
}

impl Handle for Front {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        async move {
            if let Some(answer) = self.issuer.answer(&request, (self.clock)().into(), Uuid::new_v4) {
                return answer;
            }
            self.ready.wait().await;
            if let Some(answer) = self.console.answer(&request).await {
                return answer;
            }
            let below = |path| request.path().strip_prefix(path).map(ToOwned::to_owned);
            match (below(INVOKE_PATH), below(ROTATE_PATH)) {
                (Some(binary), _) => self.run_schedule(&request, &binary).await,
                (_, Some(client_id)) => self.rotate_secret(&request, client_id).await,
                (None, None) => exchange::of(exchange::name(&request), self.gateway.answer(request)).await,
            }
        }
        .boxed()
    }

    fn refuse(&self, refused: Refused, peer: SocketAddr) -> Response {
        self.gateway.refuse(refused, peer)
    }
}

impl Front {
    /// Refuses everybody but those who can read the clients file: any client's credentials are asked for, so that nobody
    /// but the file's owner can make the system work.
    fn refusal(&self, request: &Request) -> Option<Response> {
        if request.method != "POST" {
            return Some(error(405, "method_not_allowed").with_header("Allow", "POST"));
        }
        let is_owner = self.issuer.authenticates(request);
        let refused =
            || error(401, "invalid_client").with_header("WWW-Authenticate", "Basic realm=\"local\"");
        (!is_owner).then(refused)
    }

    /// Rotates a client's secret. In its own task: a caller that disconnects does not stop a rotation.
    async fn rotate_secret(&self, request: &Request, client_id: String) -> Response {
        if let Some(refusal) = self.refusal(request) {
            return refusal;
        }
        let rotator = Arc::clone(&self.rotator);
        match tokio::spawn(async move { rotator.rotate(&client_id).await }).await {
            Ok(Ok(rotated)) => Response::json(200, serde_json::to_string(&rotated).unwrap_or_default()),
            Ok(Err(failure)) => error(502, &failure.to_string()),
            Err(_) => error(500, "panicked"),
        }
    }

    /// Invokes a function with its schedule's event.
    async fn run_schedule(&self, request: &Request, binary: &str) -> Response {
        if let Some(refusal) = self.refusal(request) {
            return refusal;
        }
        let Some(schedule) = self.schedules.get(binary) else {
            let binaries: BTreeSet<_> = self.schedules.iter().map(|schedule| &schedule.binary).collect();
            return Response::json(404, json!({ "error": "no_schedule", "functions": binaries }).to_string());
        };
        let (began, event) = ((self.clock)(), schedule.event((self.clock)().into(), Uuid::new_v4()));
        let outcome = self.functions.invoke(&schedule.function, event.into_bytes()).await;
        let latency = (self.clock)().duration_since(began).unwrap_or_default();
        match outcome {
            Ok(answer) => {
                let answer = serde_json::from_slice(&answer).unwrap_or(Value::Null);
                let ran = Ran {
                    function: schedule.binary.clone(),
                    schedule: schedule.schedule.name.clone(),
                    expression: schedule.schedule.expression.clone(),
                    latency_ms: milliseconds(latency),
                    answer,
                };
                // Strings and numbers, which are always JSON.
                Response::json(200, serde_json::to_string(&ran).unwrap_or_default())
            }
            Err(InvokeError::Function { error_type, error_message }) => {
                let body = json!({ "errorType": error_type, "errorMessage": error_message });
                Response::json(502, body.to_string())
            }
            Err(InvokeError::TimedOut) => error(504, "timed_out"),
            Err(InvokeError::Unavailable(_)) => error(502, "unavailable"),
        }
    }
}

fn error(status: u16, code: &str) -> Response {
    Response::json(status, json!({ "error": code }).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use gateway::template::{Facts, Template};

    use super::*;

    struct Nobody;

    impl Invoke for Nobody {
        fn invoke<'a>(&'a self, name: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
            async move { Err(InvokeError::Unavailable(name.to_owned())) }.boxed()
        }
    }

    #[test]
    fn routes_of_the_template_that_are_answered_here_are_named() {
        let cases: [(&str, &[&str]); 7] = [
            ("/orders", &[]),
            ("/{a}", &["/_local/"]),
            ("/oauth2/{a}", &["/oauth2/token"]),
            ("/.well-known/jwks.json", &["/.well-known/jwks.json"]),
            ("/_local/invoke/{a}", &["/_local/invoke/{a}"]),
            ("/_local/rotate/{a}", &["/_local/rotate/{a}"]),
            (
                "/{proxy+}",
                &[
                    "/oauth2/token",
                    "/.well-known/jwks.json",
                    "/_local/",
                    "/_local/invoke/",
                    "/_local/rotate/",
                ],
            ),
        ];
        for (resource, expected) in cases {
            let text = format!(
                "
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {{ Events: {{ E: {{ Type: Api, Properties: {{ Path: '{resource}', Method: any }} }} }} }}
"
            );
            let service = Template::parse("t", &text).unwrap().service(&Facts::default(), None).unwrap();
            let clock = || SystemTime::UNIX_EPOCH;
            let gateway = Gateway::new(service.api.clone(), Arc::new(Nobody), clock, |_| ()).unwrap();
            let named: Vec<_> = shadowed(&gateway, &service.api).map(|(path, _)| path).collect();
            assert_eq!(named, expected, "{resource}");
        }
    }
}
