//! `Answer`, and its form for API Gateway's proxy integration.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::ApiError;

/// The answer of a service that did what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: u16,
    /// A JSON text.
    pub(super) body: String,
    /// The path of what was made.
    location: Option<String>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::of(200, body)
    }

    /// 201 with the path of what was made, below the API's base.
    pub fn created(location: String, body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self { location: Some(location), ..Self::of(201, body)? })
    }

    fn of(status: u16, body: &impl Serialize) -> Result<Self, ApiError> {
        let body =
            serde_json::to_string(body).map_err(|error| ApiError::fault("answer", error.to_string()))?;
        Ok(Self { status, body, location: None })
    }
}

/// The integration's response.
// SPEC: AWS, "Lambda proxy integrations in API Gateway", output format
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyResponse<'a> {
    status_code: u16,
    headers: BTreeMap<&'static str, &'a str>,
    body: &'a str,
    is_base64_encoded: bool,
}

/// What the function returns for a request's outcome.
pub(super) fn encode(
    outcome: &Result<Answer, ApiError>,
    request_id: &str,
) -> Result<Box<RawValue>, serde_json::Error> {
    let (status_code, body, header) = match outcome {
        Ok(Answer { status, body, location }) => {
            (*status, Cow::Borrowed(body), location.as_deref().map(|location| ("Location", location)))
        }
        Err(error) => {
            (error.status, Cow::Owned(serde_json::to_string(&error.body(request_id))?), header_of(error))
        }
    };
    let headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")];
    let headers = headers.into_iter().chain(header).collect();
    to_raw_value(&ProxyResponse { status_code, headers, body: &body, is_base64_encoded: false })
}

/// The header that a status requires.
// SPEC: RFC 6750 section 3.1; RFC 9110 section 10.2.3
const fn header_of(error: &ApiError) -> Option<(&'static str, &'static str)> {
    match error.status {
        401 => Some(("WWW-Authenticate", "Bearer error=\"invalid_token\"")),
        403 => Some(("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")),
        503 => Some(("Retry-After", "1")),
        _ => None,
    }
}
