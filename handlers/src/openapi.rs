//! The description of the API as OpenAPI 3.1, made of the route table and the types of requests and answers. What each
//! operation is for is in `operations.rs`.

mod operations;

use std::collections::BTreeMap;

use access::{Route, Scope, route::Segment};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use self::operations::{OPERATIONS, Operation};
use crate::{
    error::ErrorBody,
    routes::{ROUTES, function_of},
    text::IdempotencyKey,
};

/// Why the description cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenapiError {
    /// The route table and the operations differ.
    #[error("the route `{0}` has no operation")]
    Undescribed(String),
    /// The document cannot be written as JSON.
    #[error("the description cannot be written")]
    Write(#[from] serde_json::Error),
}

/// The description, as it is committed in `openapi.json`.
///
/// # Errors
/// If a route has no operation.
pub fn document() -> Result<String, OpenapiError> {
    // A type that is asked for and answered looks the same in both.
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut requests = settings.clone().into_generator();
    let mut answers = settings.for_serialize().into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES.routes() {
        let name = route.to_string();
        let operation = OPERATIONS.iter().find(|operation| operation.route == name);
        let operation = operation.ok_or(OpenapiError::Undescribed(name))?;
        let method = route.method().as_str().to_ascii_lowercase();
        paths
            .entry(route.path())
            .or_default()
            .insert(method, described(route, operation, &mut requests, &mut answers));
    }
    let error = answers.subschema_for::<ErrorBody<'static>>().to_value();
    let mut schemas = requests.take_definitions(true);
    schemas.extend(answers.take_definitions(true));
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Scopegate",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Inventory, orders, payments and reports. Each route needs a scope of the caller's access token.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [
            { "url": "http://127.0.0.1:3000", "description": "`cargo run -p local`" },
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
                "description": "Deployed: the stack's output `ApiUrl`",
                "variables": {
                    "api": { "default": "a1b2c3d4e5" },
                    "region": { "default": "us-east-1" },
                    "stage": { "default": "prod" },
                },
            },
        ],
        "tags": operations::tags(),
        "paths": paths,
        "components": {
            "securitySchemes": { "clientCredentials": {
                "type": "oauth2",
                "description": "An access token of the user pool. Deployed, the token URL is the stack's output `TokenUrl`.",
                "flows": { "clientCredentials": { "tokenUrl": "http://127.0.0.1:3000/oauth2/token", "scopes": operations::scopes() } },
            } },
            "responses": operations::refusals(&error),
            "schemas": schemas,
            "headers": {
                "RequestId": { "description": "The name of the request in our logs", "schema": { "type": "string" } },
                "Challenge": {
                    "description": "What was wrong with the token, or which scopes it holds",
                    "schema": { "type": "string" },
                    "example": "Bearer realm=\"scopegate\", error=\"invalid_token\"",
                },
                "RetryAfter": { "description": "Seconds", "schema": { "type": "integer", "minimum": 0 } },
            },
        },
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn described(
    route: &Route,
    operation: &Operation,
    requests: &mut SchemaGenerator,
    answers: &mut SchemaGenerator,
) -> Value {
    let scopes: Vec<_> = route.scopes().iter().map(Scope::as_str).collect();
    let mut responses = Map::new();
    let answer = (operation.answer)(answers);
    responses.insert(
        operation.success.to_string(),
        json!({
            "description": operation.summary,
            "headers": { "x-amzn-RequestId": { "$ref": "#/components/headers/RequestId" } },
            "content": { "application/json": { "schema": answer } },
        }),
    );
    for status in operation.refusals.iter().chain(operations::ANY_ROUTE) {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }));
    }
    let mut described = Map::new();
    let mut describe = |member: &str, value: Value| described.insert(member.to_owned(), value);
    describe("operationId", operation.id.into());
    describe("summary", operation.summary.into());
    describe("tags", json!([function_of(route.name())]));
    describe("security", json!([{ "clientCredentials": scopes }]));
    describe("parameters", parameters(route, operation, requests).into());
    describe("responses", responses.into());
    if let Some((shape, example)) = &operation.request {
        let schema = shape(requests);
        let content = json!({ "application/json": { "schema": schema, "example": example() } });
        describe("requestBody", json!({ "required": true, "content": content }));
    }
    described.into()
}

fn parameters(route: &Route, operation: &Operation, requests: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    for segment in route.segments() {
        if let Segment::Parameter(name) = segment {
            let (description, schema) = operations::path_parameter(name, requests);
            parameters.push(json!({
                "name": name, "in": "path", "required": true, "description": description, "schema": schema,
            }));
        }
    }
    for name in operation.query {
        let (description, schema) = operations::query_parameter(name, requests);
        parameters.push(json!({ "name": name, "in": "query", "description": description, "schema": schema }));
    }
    if operation.is_idempotent {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "What you call this attempt: the same key with the same body is done once",
            "schema": requests.subschema_for::<IdempotencyKey>(),
            "example": "order-1",
        }));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_operation_is_a_route() {
        let routes: Vec<String> = ROUTES.routes().iter().map(ToString::to_string).collect();
        let described: Vec<&str> = OPERATIONS.iter().map(|operation| operation.route).collect();
        assert_eq!(described, routes);
    }

    #[test]
    fn the_committed_description_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.json");
        let document = document().unwrap();
        #[expect(clippy::disallowed_methods, reason = "how a developer asks for the file to be written")]
        if std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
            fs::write(&path, &document).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == document,
            "openapi.json is out of date: run this test with UPDATE_DOCS=1 and read the change"
        );
    }
}
