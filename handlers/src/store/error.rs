//! The errors of the store, and what the SDK's errors mean.

use aws_sdk_dynamodb::{
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
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

/// Why a write was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It met a concurrent write of the same items, did nothing, and may be tried again.
    Busy,
    /// The condition of this write failed, the first one of a transaction.
    Condition(usize),
    Failed,
}

impl Refused {
    /// `reasons` says of each write of a transaction why it was cancelled.
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>, reasons: fn(&E) -> Vec<&str>) -> Self {
        const CONDITION: &str = "ConditionalCheckFailed";
        let Some(service) = error.as_service_error() else { return Self::Failed };
        match (service.code(), reasons(service)) {
            (Some("TransactionConflictException" | "TransactionInProgressException"), _) => Self::Busy,
            (Some("ConditionalCheckFailedException"), _) => Self::Condition(0),
            (Some("TransactionCanceledException"), reasons) => {
                let busy = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
                // INVARIANT: a failed condition decides only where nothing else was in the way. Beside a conflict it
                // may be the work of the very transaction that we lost against, and then the next try tells.
                if reasons.is_empty() || reasons.iter().any(|reason| busy.contains(reason)) {
                    Self::Busy
                } else {
                    let failed = reasons.iter().position(|reason| *reason == CONDITION);
                    failed.map_or(Self::Failed, Self::Condition)
                }
            }
            _ => Self::Failed,
        }
    }
}

/// Why a transaction was cancelled, write by write.
pub(super) fn reasons(error: &TransactWriteItemsError) -> Vec<&str> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return Vec::new() };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect()
}

const TRANSIENT: [&str; 5] = [
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

/// The error of an operation out of the SDK's.
pub(super) fn refused<E>(operation: &'static str, error: &SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let transient = match error.as_service_error() {
        None => !matches!(error, SdkError::ConstructionFailure(_)),
        Some(service) => service.code().is_some_and(|code| TRANSIENT.contains(&code)),
    };
    StoreError::Request { operation, detail: DisplayErrorContext(error).to_string(), transient }
}
