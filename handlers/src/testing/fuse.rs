//! A process that dies at a chosen step: from then on nothing that it asks of DynamoDB or of the API is done, or
//! heard of, until it is started again.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        http::HttpResponse,
        interceptors::{
            BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
            BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef,
        },
    },
    error::BoxError,
};

/// Whether the step at which the process dies still has its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    Before,
    After,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse(Arc<Mutex<State>>, Arc<Mutex<Traffic>>);

/// What is asked of DynamoDB.
#[derive(Debug, Default)]
struct Traffic {
    operations: Vec<String>,
    /// So many of three writes are told to conflict with others, and are not done.
    conflicts_of_three: usize,
    writes: usize,
}

/// The header that says what a request is.
const TARGET: &str = "x-amz-target";

#[derive(Debug, Default)]
struct State {
    left: Option<(usize, Death)>,
    is_dying: bool,
    is_dead: bool,
}

impl Fuse {
    /// Dies at the step after so many.
    pub(crate) fn set(&self, steps: usize, death: Death) {
        *self.0.lock().unwrap() = State { left: Some((steps, death)), ..State::default() };
    }

    /// From now on so many of three writes are in conflict with others.
    pub(crate) fn conflict(&self, of_three: usize) {
        self.1.lock().unwrap().conflicts_of_three = of_three;
    }

    /// The operations that were asked of DynamoDB since this was called last.
    pub(crate) fn operations(&self) -> Vec<String> {
        std::mem::take(&mut self.1.lock().unwrap().operations)
    }

    /// Starts again; says whether it had died.
    pub(crate) fn restart(&self) -> bool {
        std::mem::take(&mut *self.0.lock().unwrap()).is_dead
    }

    /// A step begins; whether it is taken at all.
    pub(crate) fn is_taken(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        match &mut state.left {
            Some((0, Death::Before)) => state.is_dead = true,
            Some((0, Death::After)) => state.is_dying = true,
            Some((left, _)) => *left -= 1,
            None => {}
        }
        !state.is_dead
    }

    /// A step has had its effect; whether that is heard of.
    pub(crate) fn is_heard(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        state.is_dead |= state.is_dying;
        !state.is_dead
    }
}

impl Intercept for Fuse {
    fn name(&self) -> &'static str {
        "Fuse"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_taken() { Ok(()) } else { Err("dead".into()) }
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut traffic = self.1.lock().unwrap();
        let target = context.request().headers().get(TARGET).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let is_write = matches!(operation.as_str(), "TransactWriteItems" | "UpdateItem");
        traffic.operations.push(operation);
        if is_write {
            traffic.writes += 1;
            if traffic.writes % 3 < traffic.conflicts_of_three {
                // Something without effect takes its place.
                let request = context.request_mut();
                request.headers_mut().insert(TARGET, "DynamoDB_20120810.ListTables");
                *request.body_mut() = "{}".into();
            }
        }
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        if String::from_utf8_lossy(body).contains("TableNames") {
            let error = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"m","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed"}]}"#;
            *context.response_mut() = HttpResponse::new(400.try_into()?, error.into());
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_heard() { Ok(()) } else { Err("dead".into()) }
    }
}
