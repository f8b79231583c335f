//! `Answer`, and its form for API Gateway's proxy integration.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::ApiError;

/// The answer of a service that did what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: u16,
    /// A JSON text.
    body: String,
    /// A header that only this answer has.
    header: Option<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        Self::of(200, body)
    }

    /// 201 with the path of what was made, below the API's base.
    pub fn created(location: String, body: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self { header: Some(("Location", location)), ..Self::of(201, body)? })
    }

    fn of(status: u16, body: &impl Serialize) -> Result<Self, ApiError> {
        let body =
            serde_json::to_string(body).map_err(|error| ApiError::fault("answer", error.to_string()))?;
        Ok(Self { status, body, header: None })
    }

    /// The answer to a request that failed.
    // SPEC: RFC 6750 section 3.1; RFC 9110 section 10.2.3
    pub(super) fn failed(error: &ApiError, request_id: &str) -> Result<Self, ApiError> {
        let header = match error.status {
            401 => Some(("WWW-Authenticate", "Bearer error=\"invalid_token\"".to_owned())),
            403 => Some(("WWW-Authenticate", "Bearer error=\"insufficient_scope\"".to_owned())),
            503 => Some(("Retry-After", "1".to_owned())),
            _ => None,
        };
        Ok(Self { header, ..Self::of(error.status, &error.body(request_id))? })
    }

    /// What the function returns for it.
    pub(super) fn encode(&self) -> Result<Box<RawValue>, serde_json::Error> {
        let mut headers =
            BTreeMap::from([("Content-Type", "application/json"), ("Cache-Control", "no-store")]);
        headers.extend(self.header.as_ref().map(|(name, value)| (*name, value.as_str())));
        let (status_code, body) = (self.status, self.body.as_str());
        to_raw_value(&ProxyResponse { status_code, headers, body, is_base64_encoded: false })
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
