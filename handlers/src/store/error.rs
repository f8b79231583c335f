//! Owns why the store did not do its work, and what the SDK's errors mean for those who ask.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::error::ApiError;

/// Why the store did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The request failed, or its answer did not come.
    #[error("{operation} failed: {detail}")]
    Request {
        /// What was asked of DynamoDB.
        operation: &'static str,
        /// The SDK's account of it.
        detail: String,
        /// Whether the same request may succeed later.
        transient: bool,
    },
    /// Others kept writing the same items until we gave up.
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

/// The error of an operation out of the SDK's.
pub(super) fn failed<E>(operation: &'static str) -> impl FnOnce(SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| {
        let transient = match error.as_service_error().map(ProvideErrorMetadata::code) {
            None => !matches!(error, SdkError::ConstructionFailure(_)),
            Some(code) => matches!(
                code,
                Some(
                    "InternalServerError"
                        | "ProvisionedThroughputExceededException"
                        | "RequestLimitExceeded"
                        | "ThrottlingException"
                        | "TransactionConflictException"
                )
            ),
        };
        StoreError::Request { operation, detail: DisplayErrorContext(&error).to_string(), transient }
    }
}

/// Whether a write met a transaction on the same item. It did nothing, and may be tried again.
pub(super) fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("TransactionConflictException")
}
