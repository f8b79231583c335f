//! Owns who answers what on the port: the issuer its own paths, `/_local/` what exists on a laptop only, and the
//! gateway everything else, once the system is ready.

use std::{net::SocketAddr, sync::Arc};

use futures_util::{FutureExt as _, future::BoxFuture};
use gateway::{
    http::{Clock, Handle, Refused, Request, Response},
    invoke::{Invoke, InvokeError},
};
use serde_json::json;
use tokio::sync::SetOnce;
use uuid::Uuid;

use crate::{console::Console, issuer::Issuer, schedule::Schedules};

/// Runs the event of a function's schedule: `POST /_local/invoke/report`.
pub(crate) const INVOKE_PATH: &str = "/_local/invoke/";

/// Everything that answers on the port.
pub(crate) struct Front {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) console: Arc<Console>,
    pub(crate) gateway: Arc<dyn Handle>,
    pub(crate) functions: Arc<dyn Invoke>,
    pub(crate) schedules: Schedules,
    /// Set when the functions can be called. The issuer answers before: the authorizer fetches its keys to get ready.
    pub(crate) ready: Arc<SetOnce<()>>,
    pub(crate) clock: Clock,
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
            match request.path().strip_prefix(INVOKE_PATH) {
                Some(binary) => self.run_schedule(&request, binary).await,
                None => self.gateway.answer(request).await,
            }
        }
        .boxed()
    }

    fn refuse(&self, refused: Refused, peer: SocketAddr) -> Response {
        self.gateway.refuse(refused, peer)
    }
}

impl Front {
    /// Invokes a function with its schedule's event, for whoever can read the clients file: any client's credentials
    /// are asked for, so that nothing but the file's owner can make the system work.
    async fn run_schedule(&self, request: &Request, binary: &str) -> Response {
        let error = |status, code: &str| Response::json(status, json!({ "error": code }).to_string());
        if request.method != "POST" {
            return error(405, "method_not_allowed").with_header("Allow", "POST");
        }
        if !self.issuer.authenticates(request) {
            return error(401, "invalid_client").with_header("WWW-Authenticate", "Basic realm=\"local\"");
        }
        let Some(schedule) = self.schedules.get(binary) else {
            return error(404, "no_schedule");
        };
        let event = schedule.event((self.clock)().into(), Uuid::new_v4());
        match self.functions.invoke(&schedule.function, event.into_bytes()).await {
            Ok(answer) => Response::json(200, answer),
            Err(InvokeError::Function { error_type, error_message }) => {
                let body = json!({ "errorType": error_type, "errorMessage": error_message });
                Response::json(502, body.to_string())
            }
            Err(InvokeError::TimedOut) => error(504, "timed_out"),
            Err(InvokeError::Unavailable(_)) => error(502, "unavailable"),
        }
    }
}
