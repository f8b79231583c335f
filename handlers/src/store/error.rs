//! The errors of the store, and what the SDK's errors mean.

use std::error::Error;

use aws_sdk_dynamodb::{
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::{transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
};

use crate::error::ApiError;

/// The error of a read or a write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The request failed, or its answer did not come.
    #[error("{operation} failed: {detail}")]
    Request {
        /// What was asked of DynamoDB.
        operation: &'static str,
        /// The SDK's message.
        detail: String,
        /// Whether the same request may succeed later.
        transient: bool,
    },
    /// Concurrent writes of the same items, until the tries were used up.
    #[error("the items were written by others all the while")]
    Busy,
    /// An item is not as we write it.
    #[error("an item has no valid `{0}`")]
    Item(&'static str),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Request { transient: true, .. } | StoreError::Busy => {
                Self::unavailable("store_unavailable", error.to_string())
            }
            StoreError::Request { .. } => Self::fault("store", error.to_string()),
            StoreError::Item(_) => Self::fault("store_item", error.to_string()),
        }
    }
}

/// The SDK's error of a write.
pub(super) trait WriteError: ProvideErrorMetadata + Error + 'static {
    /// Why a transaction was cancelled, write by write.
    fn reasons(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl WriteError for UpdateItemError {}

impl WriteError for TransactWriteItemsError {
    fn reasons(&self) -> Vec<&str> {
        let Self::TransactionCanceledException(cancelled) = self else { return Vec::new() };
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect()
    }
}

/// The write whose condition failed, the first one of a transaction; `None` if it met a concurrent write of the same
/// items, did nothing, and may be tried again.
pub(super) fn failed_condition(
    operation: &'static str,
    error: &SdkError<impl WriteError>,
) -> Result<Option<usize>, StoreError> {
    let service = error.as_service_error();
    let failed = match service.and_then(ProvideErrorMetadata::code) {
        Some("TransactionConflictException" | "TransactionInProgressException") => return Ok(None),
        Some("ConditionalCheckFailedException") => Some(0),
        Some("TransactionCanceledException") => {
            let reasons = service.map(WriteError::reasons).unwrap_or_default();
            let busy = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            // INVARIANT: a failed condition decides only where nothing else was in the way. Beside a conflict it
            // may be the work of the very transaction that we lost against, and then the next try tells.
            if reasons.is_empty() || reasons.iter().any(|reason| busy.contains(reason)) {
                return Ok(None);
            }
            reasons.iter().position(|reason| *reason == "ConditionalCheckFailed")
        }
        _ => None,
    };
    failed.map(Some).ok_or_else(|| refused(operation, error))
}

const TRANSIENT: [&str; 5] = [
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

/// The error of an operation out of the SDK's.
pub(super) fn refused(
    operation: &'static str,
    error: &SdkError<impl ProvideErrorMetadata + Error + 'static>,
) -> StoreError {
    let transient = match error.as_service_error() {
        None => !matches!(error, SdkError::ConstructionFailure(_)),
        Some(service) => service.code().is_some_and(|code| TRANSIENT.contains(&code)),
    };
    StoreError::Request { operation, detail: DisplayErrorContext(error).to_string(), transient }
}
