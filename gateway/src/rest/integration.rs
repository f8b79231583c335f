//! Owns the Lambda proxy integration: the function behind a method is invoked, and what it answers becomes an HTTP
//! answer or one of the gateway's own.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::{event::proxy_event, exchange::Exchange, media::is_binary, refusal::Refusal};
use crate::{
    http::{Headers, Response},
    invoke::{Invoke, InvokeError},
};

/// What Lambda takes and gives in one synchronous invocation.
// SPEC: AWS Lambda quotas: 6 MB for request and response each
const PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// Headers of a function's answer that only the gateway itself may set.
// SPEC: Amazon API Gateway, important notes for REST APIs: headers that are remapped
const REMAPPED: [&str; 17] = [
    "Authorization",
    "Connection",
    "Content-Length",
    "Content-MD5",
    "Date",
    "Expect",
    "Host",
    "Max-Forwards",
    "Proxy-Authenticate",
    "Server",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Via",
    "WWW-Authenticate",
];

/// Has the method's function answer.
pub(super) async fn call(exchange: &Exchange<'_>, functions: &dyn Invoke) -> Result<Response, Refusal> {
    let matched = exchange.matched.as_ref().ok_or(Refusal::MISSING_AUTHENTICATION_TOKEN)?;
    // A body that is too long by itself makes an event that is, so none is made of it.
    if exchange.request.body.len() > PAYLOAD_BYTES {
        return Err(Refusal::REQUEST_TOO_LARGE);
    }
    let event = proxy_event(exchange).to_string().into_bytes();
    if event.len() > PAYLOAD_BYTES {
        return Err(Refusal::REQUEST_TOO_LARGE);
    }
    let method = &matched.method;
    match timeout(method.timeout, functions.invoke(&method.function, event)).await {
        Ok(Ok(answer)) => read(&answer, exchange),
        Ok(Err(InvokeError::Function { .. } | InvokeError::TimedOut)) => Err(Refusal::BAD_GATEWAY),
        Ok(Err(InvokeError::Unavailable(_))) => Err(Refusal::API_CONFIGURATION),
        Err(_) => Err(Refusal::INTEGRATION_TIMEOUT),
    }
}

// SPEC: Amazon API Gateway, "Output format of a Lambda function for proxy integration". A member more makes an
// answer malformed there too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Answer {
    status_code: Value,
    headers: Option<BTreeMap<String, Value>>,
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

fn read(answer: &[u8], exchange: &Exchange<'_>) -> Result<Response, Refusal> {
    if answer.len() > PAYLOAD_BYTES {
        return Err(Refusal::BAD_GATEWAY);
    }
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| Refusal::BAD_GATEWAY)?;
    let status = status(&answer.status_code).ok_or(Refusal::BAD_GATEWAY)?;
    let mut headers = headers(&answer).ok_or(Refusal::BAD_GATEWAY)?;
    if headers.first("Content-Type").is_none() {
        headers.push("Content-Type", "application/json");
    }
    let text = answer.body.unwrap_or_default();
    // Base64 becomes bytes only for a client that asks for a binary type; others get the text as it is.
    let is_binary = answer.is_base64_encoded
        && is_binary(exchange.request.headers.first("Accept"), &exchange.api.binary_media_types);
    let body = if is_binary {
        BASE64_STANDARD.decode(text).map_err(|_| Refusal::API_CONFIGURATION)?
    } else {
        text.into_bytes()
    };
    Ok(Response { status, headers, body })
}

/// A number, or a text that is one.
fn status(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|status| (200..600).contains(status))
}

/// All headers; a pair that `headers` and `multiValueHeaders` both have is there once.
fn headers(answer: &Answer) -> Option<Headers> {
    let mut headers = Headers::default();
    let mut push = |name: &str, value: &str| {
        let is_remapped = REMAPPED.iter().any(|remapped| remapped.eq_ignore_ascii_case(name));
        let name = if is_remapped { format!("x-amzn-Remapped-{name}") } else { name.to_owned() };
        if !headers.all(&name).any(|there| there == value) {
            headers.push(&name, value);
        }
    };
    for (name, values) in answer.multi_value_headers.iter().flatten() {
        for value in values {
            push(name, &scalar(value)?);
        }
    }
    for (name, value) in answer.headers.iter().flatten() {
        push(name, &scalar(value)?);
    }
    Some(headers)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
