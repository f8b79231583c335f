//! Owns the proxy event: a request as a function behind API Gateway sees it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{exchange::Exchange, media::is_binary, query, served::Authorization};
use crate::http::Headers;

/// Headers that belong to the connection and not to the request.
const HOP_BY_HOP: [&str; 10] = [
    "Connection",
    "Content-Length",
    "Expect",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// The event for the function that answers `exchange`.
// SPEC: Amazon API Gateway, "Input format of a Lambda function for proxy integration", format 1.0
pub(super) fn proxy_event(exchange: &Exchange<'_>) -> Value {
    let request = exchange.request;
    let headers = headers(exchange);
    let query = query::pairs(request.query().unwrap_or_default());
    let parameters = exchange.matched.iter().flat_map(|matched| &matched.parameters);
    let parameters: Map<_, _> =
        parameters.map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let is_binary = is_binary(request.headers.first("Content-Type"), &exchange.api.binary_media_types);
    let body = match request.body.as_slice() {
        [] => Value::Null,
        bytes if is_binary => BASE64_STANDARD.encode(bytes).into(),
        // Text that is no UTF-8 is repaired with replacement characters.
        bytes => String::from_utf8_lossy(bytes).into(),
    };
    json!({
        "resource": exchange.resource_path(),
        "path": request.path(),
        "httpMethod": request.method,
        "headers": last_values(headers.iter(), str::eq_ignore_ascii_case),
        "multiValueHeaders": all_values(headers.iter(), str::eq_ignore_ascii_case),
        "queryStringParameters": last_values(texts(&query), |a, b| a == b),
        "multiValueQueryStringParameters": all_values(texts(&query), |a, b| a == b),
        "pathParameters": if parameters.is_empty() { Value::Null } else { parameters.into() },
        "stageVariables": stage_variables(exchange),
        "requestContext": request_context(exchange),
        "isBase64Encoded": is_binary && !body.is_null(),
        "body": body,
    })
}

/// The event for a REQUEST authorizer: the proxy event without the body. What is not there is empty and not null.
// SPEC: Amazon API Gateway, "Input to an API Gateway Lambda authorizer"
pub(super) fn request_event(exchange: &Exchange<'_>, arn: &str) -> Value {
    let mut event = proxy_event(exchange);
    if let Some(members) = event.as_object_mut() {
        members.remove("body");
        members.remove("isBase64Encoded");
        for value in members.values_mut().filter(|value| value.is_null()) {
            *value = json!({});
        }
        members.insert("type".to_owned(), "REQUEST".into());
        members.insert("methodArn".to_owned(), arn.into());
    }
    event
}

fn stage_variables(exchange: &Exchange<'_>) -> Value {
    let variables = &exchange.api.stage_variables;
    if variables.is_empty() { Value::Null } else { json!(variables) }
}

fn request_context(exchange: &Exchange<'_>) -> Value {
    let api = exchange.api;
    let mut identity = json!({
        "accessKey": null,
        "accountId": null,
        "caller": null,
        "cognitoAuthenticationProvider": null,
        "cognitoAuthenticationType": null,
        "cognitoIdentityId": null,
        "cognitoIdentityPoolId": null,
        "principalOrgId": null,
        "sourceIp": exchange.request.peer.ip().to_string(),
        "user": null,
        "userAgent": exchange.request.headers.first("User-Agent"),
        "userArn": null,
    });
    let mut context = json!({
        "accountId": api.account_id,
        "apiId": api.api_id,
        "domainName": exchange.domain_name(),
        "domainPrefix": api.api_id,
        "extendedRequestId": exchange.extended_request_id(),
        "httpMethod": exchange.request.method,
        "path": exchange.stage_path(),
        "protocol": "HTTP/1.1",
        "requestId": exchange.request_id,
        "requestTime": exchange.request_time(),
        "requestTimeEpoch": exchange.epoch_ms(),
        "resourceId": exchange.resource_id(),
        "resourcePath": exchange.resource_path(),
        "stage": api.stage,
    });
    if let (Some(key), Some(identity)) = (&exchange.api_key, identity.as_object_mut()) {
        identity.insert("apiKey".to_owned(), key.as_str().into());
    }
    if let Some(context) = context.as_object_mut() {
        context.insert("identity".to_owned(), identity);
        if let Some(authorizer) = authorizer(exchange) {
            context.insert("authorizer".to_owned(), authorizer);
        }
    }
    context
}

/// The caller as the authorizer has named it. Nothing that a client sends is in it.
// INVARIANT: a context cannot name another principal than the authorizer did.
fn authorizer(exchange: &Exchange<'_>) -> Option<Value> {
    let caller = exchange.caller.as_ref()?;
    let mut values: Map<String, Value> =
        caller.context.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    let latency_ms = match exchange.authorization {
        Authorization::Called { latency } => u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
        Authorization::Cached | Authorization::None => 0,
    };
    values.insert("principalId".to_owned(), caller.principal_id.as_str().into());
    values.insert("integrationLatency".to_owned(), latency_ms.into());
    Some(values.into())
}

/// The client's headers, and those that API Gateway adds.
fn headers(exchange: &Exchange<'_>) -> Headers {
    let mut headers = exchange.request.headers.clone();
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    let address = exchange.request.peer.ip().to_string();
    let route: Vec<&str> = headers.all("X-Forwarded-For").chain([address.as_str()]).collect();
    let route = route.join(", ");
    let host = headers.first("Host").unwrap_or_default();
    let port = host.rsplit_once(':').map(|(_, port)| port);
    let port = port.and_then(|port| port.parse::<u16>().ok()).unwrap_or(80).to_string();
    let trace_id = exchange.trace_id();
    for (name, value) in [
        ("X-Amzn-Trace-Id", trace_id.as_str()),
        ("X-Forwarded-For", &route),
        ("X-Forwarded-Port", &port),
        ("X-Forwarded-Proto", "http"),
    ] {
        headers.remove(name);
        headers.push(name, value);
    }
    headers
}

fn texts(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn last_values<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    same: impl Fn(&str, &str) -> bool,
) -> Value {
    let last = |(name, values): (&str, Vec<&str>)| Some((name.to_owned(), Value::from(*values.last()?)));
    let map: Map<_, _> = grouped(pairs, same).into_iter().filter_map(last).collect();
    if map.is_empty() { Value::Null } else { map.into() }
}

fn all_values<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    same: impl Fn(&str, &str) -> bool,
) -> Value {
    let all = |(name, values): (&str, Vec<&str>)| (name.to_owned(), Value::from(values));
    let map: Map<_, _> = grouped(pairs, same).into_iter().map(all).collect();
    if map.is_empty() { Value::Null } else { map.into() }
}

/// Values by name; of names that are the same the first counts, so that no handler finds one header under two.
fn grouped<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    same: impl Fn(&str, &str) -> bool,
) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in pairs {
        match groups.iter_mut().find(|(known, _)| same(known, name)) {
            Some((_, values)) => values.push(value),
            None => groups.push((name, vec![value])),
        }
    }
    groups
}

#[cfg(test)]
mod tests;
