//! Functions that run in this process: the binaries of this workspace as libraries, each with the environment that
//! the template gives it. A panic of one ends its invocation and nothing else.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc, time::Duration};

use authorizer::Authorizer;
use futures_util::{FutureExt as _, future::BoxFuture};
use gateway::{
    http::Clock,
    invoke::{Invoke, InvokeError},
};
use handlers::entry::{Context, Diagnostic, Entry, Service};
use serde_json::value::RawValue;
use tokens::token::TokenFunction;
use tokio::time::timeout;
use uuid::Uuid;

use super::failure_log::EXIT;
use crate::exchange;

/// Functions by the names under which they are invoked.
#[derive(Debug)]
pub(crate) struct InProcess(pub(crate) BTreeMap<String, Function>);

/// One function, and how long an invocation of it may take.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) code: Code,
    pub(crate) limit: Duration,
}

/// What a function does.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    Authorizer(Authorizer),
    Service(Arc<dyn Handle>),
    /// The shared token cache, and the clock for its deadline.
    Token(Box<TokenFunction>, Clock),
    /// A function that only AWS calls.
    Absent,
}

/// A service in its shell, whichever it is.
pub(crate) trait Handle: Debug + Send + Sync {
    fn handle<'a>(
        &'a self,
        event: &'a [u8],
        context: Context<'a>,
    ) -> BoxFuture<'a, Result<Box<RawValue>, Diagnostic>>;
}

impl<S: Service + Debug> Handle for Entry<S> {
    fn handle<'a>(
        &'a self,
        event: &'a [u8],
        context: Context<'a>,
    ) -> BoxFuture<'a, Result<Box<RawValue>, Diagnostic>> {
        Self::handle(self, event, context).boxed()
    }
}

impl InProcess {
    async fn call(&self, function: &str, event: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let Some(Function { code, limit }) = self.0.get(function).cloned() else {
            return Err(InvokeError::Unavailable(format!("there is no function `{function}`")));
        };
        // In its own task: a caller that disconnects does not stop a function.
        let invocation = tokio::spawn(exchange::part(async move {
            let request_id = Uuid::new_v4().to_string();
            timeout(limit, code.run(&event, &request_id, limit)).await
        }));
        match invocation.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(InvokeError::TimedOut),
            Err(_) => Err(InvokeError::Function {
                error_type: EXIT.to_owned(),
                error_message: "the function panicked".to_owned(),
            }),
        }
    }
}

impl Invoke for InProcess {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        self.call(function, event).boxed()
    }
}

impl Code {
    async fn run(&self, event: &[u8], request_id: &str, limit: Duration) -> Result<Vec<u8>, InvokeError> {
        match self {
            Self::Authorizer(authorizer) => authorizer
                .handle(event, request_id)
                .await
                .map(|answer| answer.get().as_bytes().to_vec())
                .map_err(|failure| failed(failure.error_type, failure.error_message)),
            Self::Service(entry) => entry
                .handle(event, Context { request_id, time_left: Some(limit), ..Context::default() })
                .await
                .map(|answer| answer.get().as_bytes().to_vec())
                .map_err(|failure| failed(&failure.error_type, &failure.error_message)),
            Self::Token(function, clock) => function
                .handle(event, request_id, clock() + limit)
                .await
                .map_err(|failure| failed(failure.error_type, failure.error_message)),
            Self::Absent => Err(InvokeError::Unavailable("the function runs on AWS only".to_owned())),
        }
    }
}

fn failed(error_type: &str, error_message: &str) -> InvokeError {
    InvokeError::Function { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
}
