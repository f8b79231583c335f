//! What the tests of several modules share: a table of an embedded DynamoDB, to which the same code talks as on
//! AWS; events as API Gateway sends them; a clock that stands; a log that can be read.

mod fuse;
mod together;
mod world;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::log::Log;
use dynamodb::Embedded;
use serde_json::{Value, json, value::RawValue};
use test_support::{Reply, Stub, reply};

pub(crate) use fuse::{Death, Fuse};
pub(crate) use world::World;

use crate::entry::{Context, Invocation};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType, ScalarAttributeType,
    },
};

/// The name of every test's table.
pub(crate) const TABLE: &str = "table";

/// 2026-02-03T04:05:06.789Z
pub(crate) const NOW_MS: u64 = 1_770_091_506_789;

/// An endpoint that gives these answers, one to a request, and closes every later connection.
pub(crate) async fn stub(answers: &[(u16, String)]) -> Stub {
    let answers: Vec<_> = answers.iter().map(|(status, body)| reply(*status, "", body)).collect();
    Stub::new(move |number, _| answers.get(number).cloned().unwrap_or(Reply::Close)).await
}

pub(crate) fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(NOW_MS)
}

pub(crate) fn now() -> jiff::Timestamp {
    clock().try_into().unwrap()
}

/// An invocation at `now`, with a minute left and no trace.
pub(crate) fn invocation() -> Invocation {
    Invocation::of(clock, clock() + Duration::from_mins(1), Vec::new())
}

/// The event of a schedule.
pub(crate) fn schedule(time: &str) -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": time,
        "region": "eu-central-1", "resources": [], "detail": {},
    })
}

/// What Lambda says of an invocation in tests.
pub(crate) const CONTEXT: Context<'_> = Context { request_id: "i", time_left: None, trace: None };

/// A log in JSON and what was written to it.
pub(crate) fn log() -> (Log, Arc<Mutex<String>>) {
    let written = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&written);
    let vars = |name: &str| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned());
    (Log::from_vars(vars, move |line| sink.lock().unwrap().push_str(line)), written)
}

/// An event of the proxy integration: a caller with these scopes and a token that is good for another hour.
pub(crate) fn event(method: &str, resource: &str, scopes: &str) -> Value {
    json!({
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": null,
        "multiValueHeaders": null,
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "requestId": "api-request-1",
            "authorizer": {
                "principalId": "storefront",
                "client_id": "storefront",
                "scope": scopes,
                "exp": (NOW_MS / 1000 + 3600).to_string(),
                "jti": "j-1",
                "integrationLatency": 12,
            },
        },
        "body": null,
        "isBase64Encoded": false,
    })
}

/// The same event with a JSON body.
pub(crate) fn with_body(mut event: Value, body: impl Into<String>) -> Value {
    event["multiValueHeaders"] = json!({"content-type": ["application/json"]});
    event["body"] = Value::String(body.into());
    event
}

/// Status and body of a proxy answer, read with the types that AWS publishes.
pub(crate) fn read(answer: &RawValue) -> (i64, Value) {
    let answer: aws_lambda_events::apigw::ApiGatewayProxyResponse =
        serde_json::from_str(answer.get()).unwrap();
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let Some(aws_lambda_events::encodings::Body::Text(body)) = answer.body else { panic!("no text") };
    (answer.status_code, serde_json::from_str(&body).unwrap())
}

/// Status, code and field of an answer.
pub(crate) fn told(answer: &(i64, Value)) -> (i64, &str, &str) {
    let text = |name: &str| answer.1[name].as_str().unwrap_or_default();
    (answer.0, text("error"), text("field"))
}

/// A client whose DynamoDB lives as long as it, with one empty table in it.
pub(crate) async fn dynamodb() -> Client {
    let client = dynamodb_with(None).await;
    create_table(&client, TABLE).await;
    client
}

async fn dynamodb_with(fuse: Option<Fuse>) -> Client {
    let mut config = Embedded::memory().unwrap().config();
    if let Some(fuse) = fuse {
        config = config.interceptor(fuse);
    }
    Client::from_conf(config.build())
}

pub(crate) async fn create_table(client: &Client, name: &str) {
    let key = |keys: [(&str, KeyType); 2]| {
        keys.map(|(name, kind)| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        })
    };
    let attributes = ["pk", "sk", "list_pk", "list_sk"].map(|name| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
    });
    let projection = Projection::builder().projection_type(ProjectionType::All).build();
    let index = GlobalSecondaryIndex::builder().index_name("lists").projection(projection);
    let index =
        index.set_key_schema(Some(key([("list_pk", KeyType::Hash), ("list_sk", KeyType::Range)]).into()));
    let request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let request = request.set_attribute_definitions(Some(attributes.into()));
    let request = request.set_key_schema(Some(key([("pk", KeyType::Hash), ("sk", KeyType::Range)]).into()));
    request.global_secondary_indexes(index.build().unwrap()).send().await.unwrap();
}
