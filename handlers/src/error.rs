//! `ApiError`: the answer to a request that failed. The public code and message are kept apart from the private detail,
//! which goes to the log only.

use std::{
    borrow::Cow,
    error::Error,
    fmt::{self, Write as _},
};

use serde::{Deserialize, Serialize};

/// The same for every 5xx, whatever its cause.
const FAULT_CODE: &str = "internal_error";
const FAULT_MESSAGE: &str = "the request could not be completed, try again later";

/// Why a request failed, for the caller and for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The reason in the log; of a 4xx the public code as well.
    pub label: &'static str,
    message: Cow<'static, str>,
    /// The member, header or parameter at fault, if one is.
    pub field: Option<String>,
    /// What went wrong, for the log; never a token, an event or a body.
    pub detail: Option<String>,
}

/// A final refusal: it is stored, and answered again whenever the same is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    reason: Reason,
    field: String,
}

/// Why something is refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    InsufficientStock,
    StockLimit,
    UnknownSku,
    NoPrice,
    AlreadyPaid,
    OrderCancelled,
}

impl Reason {
    /// This reason, with the field at fault.
    pub(crate) fn at(self, field: impl Into<String>) -> Refusal {
        Refusal { reason: self, field: field.into() }
    }
}

impl From<Refusal> for ApiError {
    fn from(Refusal { reason, field }: Refusal) -> Self {
        let (code, message) = match reason {
            Reason::InsufficientStock => ("insufficient_stock", "there is less stock than that"),
            Reason::StockLimit => ("stock_limit", "there would be more stock than can be counted"),
            Reason::UnknownSku => ("unknown_sku", "the inventory has no such SKU"),
            Reason::NoPrice => ("no_price", "the SKU has no price"),
            Reason::AlreadyPaid => ("already_paid", "the order is paid by another payment"),
            Reason::OrderCancelled => ("order_cancelled", "the order is cancelled"),
        };
        Self::conflict(code, message).at(field)
    }
}

/// The answer's body. A 5xx looks the same whatever its cause.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Error"))]
pub struct ErrorBody<'a> {
    error: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    request_id: &'a str,
}

impl ApiError {
    /// A 4xx with a code of its own.
    pub fn refused(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, label: code, message: message.into(), field: None, detail: None }
    }

    /// 400 `invalid_request`, naming the member, header or parameter at fault.
    pub fn invalid(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::refused(400, "invalid_request", message).at(field)
    }

    /// 409 with a code of its own.
    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::refused(409, code, message)
    }

    /// 404 `not_found`.
    pub fn not_found() -> Self {
        Self::refused(404, "not_found", "not found")
    }

    /// 500: the function failed. `label` and `detail` reach the log only.
    pub fn fault(label: &'static str, detail: impl Into<String>) -> Self {
        Self { status: 500, label, message: FAULT_MESSAGE.into(), field: None, detail: Some(detail.into()) }
    }

    /// 503: the same request may succeed a little later.
    pub fn unavailable(label: &'static str, detail: impl Into<String>) -> Self {
        Self { status: 503, ..Self::fault(label, detail) }
    }

    /// The same error, with the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same error, with its subject before the private detail.
    #[must_use]
    pub fn about(mut self, what: impl fmt::Display) -> Self {
        self.detail = self.detail.map(|detail| format!("{what}: {detail}"));
        self
    }

    /// Whether the function failed, not the caller.
    pub const fn is_fault(&self) -> bool {
        self.status >= 500
    }

    /// The body to answer with.
    pub fn body<'a>(&'a self, request_id: &'a str) -> ErrorBody<'a> {
        let error = if self.is_fault() { FAULT_CODE } else { self.label };
        ErrorBody { error, message: &self.message, field: self.field.as_deref(), request_id }
    }
}

/// An error and what it comes from, in one line for the log.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {source}");
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(error: &ApiError) -> String {
        serde_json::to_string(&error.body("r-1")).unwrap()
    }

    #[test]
    fn a_4xx_names_its_code_message_and_field() {
        let error = ApiError::invalid("lines[0].quantity", "must be an integer");
        insta::assert_snapshot!(json(&error), @r#"{"error":"invalid_request","message":"must be an integer","field":"lines[0].quantity","request_id":"r-1"}"#);
        insta::assert_snapshot!(json(&ApiError::not_found()), @r#"{"error":"not_found","message":"not found","request_id":"r-1"}"#);
    }

    #[test]
    fn a_5xx_says_nothing_of_the_cause() {
        let one = ApiError::fault("store", "table `orders` is missing");
        let other = ApiError::unavailable("upstream", "connect: refused");
        assert_eq!(json(&one), json(&other));
        insta::assert_snapshot!(json(&one), @r#"{"error":"internal_error","message":"the request could not be completed, try again later","request_id":"r-1"}"#);
        assert_eq!((one.status, other.status), (500, 503));
        assert_eq!((one.label, one.detail.as_deref()), ("store", Some("table `orders` is missing")));
    }
}
