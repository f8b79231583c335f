//! What answers a method: a function by Lambda proxy integration, or a mock.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{
    api::{Integration, Mock},
    authorizer::is_label,
    event::proxy_event,
    exchange::Exchange,
    media::is_binary,
    refusal::{Refusal, Rejection},
};
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

/// Calls the method's integration.
pub(super) async fn call(exchange: &Exchange<'_>, functions: &dyn Invoke) -> Result<Response, Rejection> {
    let matched = exchange.matched.as_ref().ok_or(Refusal::MISSING_AUTHENTICATION_TOKEN)?;
    match &matched.method.integration {
        Integration::Function { name, timeout } => invoke(exchange, name, *timeout, functions).await,
        Integration::Mock(mock) => Ok(answer_mock(mock)),
        Integration::NotPlayed(reason) => Err(Refusal::API_CONFIGURATION.because(*reason)),
    }
}

fn answer_mock(mock: &Mock) -> Response {
    let mut response = Response::json(mock.status, mock.body.as_str());
    for (name, value) in &mock.headers {
        response.headers.remove(name);
        response.headers.push(name, value);
    }
    response
}

async fn invoke(
    exchange: &Exchange<'_>,
    function: &str,
    limit: Duration,
    functions: &dyn Invoke,
) -> Result<Response, Rejection> {
    // A body that is too long by itself makes an event that is, so none is made of it.
    if exchange.request.body.len() > PAYLOAD_BYTES {
        return Err(Refusal::REQUEST_TOO_LARGE.into());
    }
    let event = proxy_event(exchange).to_string().into_bytes();
    if event.len() > PAYLOAD_BYTES {
        return Err(Refusal::REQUEST_TOO_LARGE.into());
    }
    match timeout(limit, functions.invoke(function, event)).await {
        Ok(Ok(answer)) => read(&answer, exchange),
        Ok(Err(InvokeError::Function { error_type, .. })) => {
            let label = if is_label(&error_type) { error_type.as_str() } else { "an error" };
            Err(Refusal::BAD_GATEWAY.because(format!("the function `{function}` failed with {label}")))
        }
        Ok(Err(InvokeError::TimedOut)) => {
            Err(Refusal::BAD_GATEWAY.because(format!("the function `{function}` ran into its Timeout")))
        }
        Ok(Err(InvokeError::Unavailable(detail))) => Err(Refusal::API_CONFIGURATION.because(detail)),
        Err(_) => {
            Err(Refusal::INTEGRATION_TIMEOUT
                .because(format!("the function `{function}` did not answer in time")))
        }
    }
}

/// The members that an answer can have. With any other it is malformed.
// SPEC: Amazon API Gateway, "Output format of a Lambda function for proxy integration"
const MEMBERS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

/// Reads a function's answer. What is wrong with it goes to the log, nothing of its values does.
fn read(answer: &[u8], exchange: &Exchange<'_>) -> Result<Response, Rejection> {
    let malformed =
        |detail: &str| Refusal::BAD_GATEWAY.because(format!("the function's answer is malformed: {detail}"));
    if answer.len() > PAYLOAD_BYTES {
        return Err(malformed("it is over 6 MB"));
    }
    let members = match serde_json::from_slice(answer) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(malformed("it is not an object")),
        Err(_) => return Err(malformed("it is not JSON")),
    };
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let unknown: String = unknown.escape_debug().take(64).collect();
        return Err(malformed(&format!("it has the member `{unknown}`, which a REST API does not take")));
    }
    let member = |name: &str| members.get(name).filter(|value| !value.is_null());
    let status = member("statusCode").ok_or_else(|| malformed("it has no statusCode"))?;
    let status =
        status_code(status).ok_or_else(|| malformed("its statusCode is not a number from 200 to 599"))?;
    let mut headers = headers(&members).map_err(|detail| malformed(&detail))?;
    if headers.first("Content-Type").is_none() {
        headers.push("Content-Type", "application/json");
    }
    let text = match member("body") {
        None => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(malformed("its body is not a string")),
    };
    let is_base64 = match member("isBase64Encoded") {
        None => false,
        Some(Value::Bool(is_base64)) => *is_base64,
        Some(_) => return Err(malformed("its isBase64Encoded is neither true nor false")),
    };
    // Base64 becomes bytes only for a client that asks for a binary type; others get the string as it is.
    let is_binary =
        is_base64 && is_binary(exchange.request.headers.first("Accept"), &exchange.api.binary_media_types);
    let body = if is_binary {
        BASE64_STANDARD.decode(text).map_err(|_| {
            Refusal::API_CONFIGURATION.because("the body of the function's answer is not base64")
        })?
    } else {
        text.as_bytes().to_vec()
    };
    Ok(Response { status, headers, body })
}

/// A number, or a string that is one.
fn status_code(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Number(number) => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|status| (200..600).contains(status))
}

/// All headers; a pair that is in both `headers` and `multiValueHeaders` is added once.
fn headers(members: &Map<String, Value>) -> Result<Headers, String> {
    let mut headers = Headers::default();
    let mut push = |name: &str, value: &Value| {
        let text = scalar(value).ok_or_else(|| {
            let name: String = name.escape_debug().take(64).collect();
            format!("its header `{name}` is not a string, number or boolean")
        })?;
        let is_remapped = REMAPPED.iter().any(|remapped| remapped.eq_ignore_ascii_case(name));
        let name = if is_remapped { format!("x-amzn-Remapped-{name}") } else { name.to_owned() };
        if !headers.all(&name).any(|there| there == text) {
            headers.push(&name, &text);
        }
        Ok::<_, String>(())
    };
    for member in ["multiValueHeaders", "headers"] {
        let values = match members.get(member) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(values)) => values,
            Some(_) => return Err(format!("its {member} is not an object")),
        };
        for (name, value) in values {
            match (member, value) {
                ("multiValueHeaders", Value::Array(values)) => {
                    values.iter().try_for_each(|value| push(name, value))?;
                }
                ("multiValueHeaders", _) => {
                    return Err("its multiValueHeaders has a value that is not a list".to_owned());
                }
                (_, value) => push(name, value)?,
            }
        }
    }
    Ok(headers)
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
