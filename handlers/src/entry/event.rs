//! The part of an event that the functions read: a request in the form of API Gateway's proxy integration, or a scheduled
//! event of EventBridge. Nothing of it is trusted here.
//!
//! The types of `aws_lambda_events` take 2.6 times as long to read an event, since they read all of it, and refuse some
//! events whole that are answered here. A test shows which.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::invocation::AMAZON_TRACE;
use crate::upstream::Trace;

/// What API Gateway tells of one request.
// SPEC: AWS, "Lambda proxy integrations in API Gateway", input format
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyRequest {
    pub(super) resource: String,
    pub(super) http_method: String,
    pub(super) path_parameters: Option<BTreeMap<String, String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    headers: Option<BTreeMap<String, String>>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    pub(super) request_context: RequestContext,
    pub(super) body: Option<String>,
    pub(super) is_base64_encoded: Option<bool>,
}

/// Who calls, as the authorizer said, and the request's own id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestContext {
    request_id: Option<String>,
    authorizer: Option<Value>,
}

/// A rule of EventBridge, at its time.
// SPEC: AWS, "Amazon EventBridge event structure"; a rule with a schedule sends `Scheduled Event`
#[derive(Deserialize)]
pub(super) struct Schedule {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: String,
}

impl Schedule {
    /// The rule's time; `None` for an event of anything else.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let is_ours = self.source == "aws.events" && self.detail_type == "Scheduled Event";
        self.time.parse().ok().filter(|_| is_ours)
    }
}

impl RequestContext {
    pub(super) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref().filter(|id| !id.is_empty())
    }

    pub(super) fn authorizer(&self) -> Option<&Map<String, Value>> {
        self.authorizer.as_ref().and_then(Value::as_object)
    }
}

impl ProxyRequest {
    /// Every value of a header, its name in any casing.
    pub(super) fn header_values(&self, name: &str) -> Vec<&str> {
        let mut values = Vec::new();
        if let Some(headers) = &self.multi_value_headers {
            for (_, found) in headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)) {
                values.extend(found.iter().map(String::as_str));
            }
        } else if let Some(headers) = &self.headers {
            let found = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            values.extend(found.map(|(_, value)| value.as_str()));
        }
        values
    }

    /// The headers by which a request is traced.
    pub(super) fn trace(&self) -> Trace {
        let headers = ["traceparent", "tracestate", AMAZON_TRACE].map(|name| {
            let value = self.header_values(name).into_iter().next();
            value.map(|value| (name.to_owned(), value.to_owned()))
        });
        headers.into_iter().flatten().collect()
    }

    /// How long the caller waits for the answer, if it says so.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let [value] = *self.header_values(client::TIME_LEFT) else { return None };
        value.parse().ok().map(Duration::from_millis)
    }

    /// Every value of a parameter of the query string.
    pub(super) fn query_values(&self, name: &str) -> Vec<&str> {
        if let Some(query) = &self.multi_value_query_string_parameters {
            query.get(name).into_iter().flatten().map(String::as_str).collect()
        } else {
            let value = self.query_string_parameters.as_ref().and_then(|query| query.get(name));
            value.map(String::as_str).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests;
