//! The proxy event: a request as a function behind API Gateway sees it.

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
    let headers = grouped(headers.iter(), str::eq_ignore_ascii_case);
    let query = query::pairs(request.query().unwrap_or_default());
    let query = grouped(query.iter().map(|(name, value)| (name.as_str(), value.as_str())), |a, b| a == b);
    let parameters = exchange.matched.iter().flat_map(|matched| &matched.parameters);
    let parameters = parameters.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
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
        "headers": members(&headers, |values| values.last().copied().into()),
        "multiValueHeaders": members(&headers, |values| values.into()),
        "queryStringParameters": members(&query, |values| values.last().copied().into()),
        "multiValueQueryStringParameters": members(&query, |values| values.into()),
        "pathParameters": object(parameters),
        "stageVariables": object(exchange.api.stage_variables.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect()),
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

/// The members of a request's context that are `$context` variables of the same name.
const CONTEXT: [&str; 13] = [
    "accountId",
    "apiId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "resourceId",
    "resourcePath",
    "stage",
];

fn request_context(exchange: &Exchange<'_>) -> Value {
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
    if let (Some(key), Some(identity)) = (&exchange.api_key, identity.as_object_mut()) {
        identity.insert("apiKey".to_owned(), key.as_str().into());
    }
    let mut context: Map<_, _> =
        CONTEXT.into_iter().map(|name| (name.to_owned(), exchange.context(name).into())).collect();
    context.insert("requestTimeEpoch".to_owned(), exchange.epoch_ms().into());
    context.insert("identity".to_owned(), identity);
    if let Some(authorizer) = authorizer(exchange) {
        context.insert("authorizer".to_owned(), authorizer);
    }
    context.into()
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

/// An object, or `null` in place of an empty one.
fn object(members: Map<String, Value>) -> Value {
    if members.is_empty() { Value::Null } else { members.into() }
}

fn members(groups: &[(&str, Vec<&str>)], value: fn(&[&str]) -> Value) -> Value {
    object(groups.iter().map(|(name, values)| ((*name).to_owned(), value(values))).collect())
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
