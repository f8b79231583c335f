//! What `Cors` of an API adds: an `OPTIONS` method that answers preflight requests for each path without one.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::{Located, Problem},
    value::Field,
};
use crate::rest::api::{Access, ApiMethod, Integration, Mock};

const HEADERS: &[(&str, &str)] = &[
    ("AllowHeaders", "Access-Control-Allow-Headers"),
    ("AllowMethods", "Access-Control-Allow-Methods"),
    ("AllowOrigin", "Access-Control-Allow-Origin"),
    ("MaxAge", "Access-Control-Max-Age"),
];
const EVERY_VERB: &str = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT";

/// Adds the methods.
// SPEC: AWS SAM, "CorsConfiguration"; values are mapping expressions, in quotes of their own
pub(super) fn add(
    field: Option<&Field<'_>>,
    access: &Access,
    api_key_required: bool,
    methods: &mut Vec<ApiMethod>,
) -> Result<(), Located> {
    let Some(field) = field else { return Ok(()) };
    let headers = headers(field)?;
    let mut verbs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for method in methods.iter() {
        verbs.entry(method.resource.clone()).or_default().insert(method.verb.clone());
    }
    for (resource, mut verbs) in verbs {
        if !verbs.insert("OPTIONS".to_owned()) {
            continue;
        }
        let mut headers = headers.clone();
        headers.entry("Access-Control-Allow-Methods".to_owned()).or_insert_with(|| {
            if verbs.contains("ANY") {
                EVERY_VERB.to_owned()
            } else {
                verbs.into_iter().collect::<Vec<_>>().join(",")
            }
        });
        methods.push(ApiMethod {
            verb: "OPTIONS".to_owned(),
            resource,
            access: access.clone(),
            api_key_required,
            integration: Integration::Mock(Mock { status: 200, headers, body: "{}\n".to_owned() }),
        });
    }
    Ok(())
}

fn headers(field: &Field<'_>) -> Result<BTreeMap<String, String>, Located> {
    let mut headers = BTreeMap::new();
    if field.is_text() {
        headers.insert("Access-Control-Allow-Origin".to_owned(), literal(field)?);
        return Ok(headers);
    }
    field.only(&[&["AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigin", "MaxAge"]])?;
    for (property, header) in HEADERS {
        if let Some(value) = field.get(property)? {
            headers.insert((*header).to_owned(), literal(&value)?);
        }
    }
    if field.get("AllowCredentials")?.map_or(Ok(false), |field| field.flag())? {
        headers.insert("Access-Control-Allow-Credentials".to_owned(), "true".to_owned());
    }
    Ok(headers)
}

/// The value within the quotes of a mapping expression.
pub(super) fn literal(field: &Field<'_>) -> Result<String, Located> {
    let text = field.text()?;
    let literal = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    literal
        .map(str::to_owned)
        .ok_or_else(|| field.failure(Problem::Shape("a value in single quotes of its own")))
}
