//! The SDK's HTTP client: takes the operation and the body out of a request, and waits for the worker's answer.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use dynoxide::Database;
use tokio::sync::oneshot;

use crate::operation::{self, Answer};

/// What the worker does next.
pub(crate) enum Job {
    Call(Call),
    Close,
}

/// One request that waits for its answer.
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) body: Vec<u8>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

impl Call {
    pub(crate) fn run(self, engine: &Database) {
        if self.answer.is_closed() {
            return;
        }
        // A panic in the engine is this caller's 500, not the end of the database.
        let run = AssertUnwindSafe(|| operation::run(engine, &self.operation, &self.body));
        let answer = catch_unwind(run).unwrap_or_else(|_| Answer::internal_error());
        // The caller may have gone meanwhile.
        _ = self.answer.send(answer);
    }
}

#[derive(Clone)]
pub(crate) struct Connector(mpsc::Sender<Job>);

impl Connector {
    pub(crate) const fn new(jobs: mpsc::Sender<Job>) -> Self {
        Self(jobs)
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, answered) = oneshot::channel();
        let sent = call(&request, answer).and_then(|call| self.0.send(Job::Call(call)).map_err(|_| closed()));
        HttpConnectorFuture::new(async move {
            sent?;
            let answer = answered.await.map_err(|_| closed())?;
            let status = StatusCode::try_from(answer.status);
            let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, answer.body.into()))
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

fn call(request: &HttpRequest, answer: oneshot::Sender<Answer>) -> Result<Call, ConnectorError> {
    let target = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
    let (_, operation) = target.ok_or_else(|| ConnectorError::user("no operation is named".into()))?;
    let body = request.body().bytes();
    let body = body.ok_or_else(|| ConnectorError::user("the body is of unknown length".into()))?;
    Ok(Call { operation: operation.to_owned(), body: body.to_vec(), answer })
}

fn closed() -> ConnectorError {
    ConnectorError::other("the embedded database is closed".into(), None)
}
