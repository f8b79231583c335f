//! A process that dies at a chosen step: from then on nothing that it asks of DynamoDB or of the API is done, or
//! heard of, until it is started again.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
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
pub(crate) struct Fuse(Arc<Mutex<State>>);

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

    fn read_after_execution(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_heard() { Ok(()) } else { Err("dead".into()) }
    }
}
