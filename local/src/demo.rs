//! The demo stock: a few items to look at after the first start. They are loaded by the inventory function's own
//! `POST /inventory`, and only once, since the movement has a reference.

use std::time::Duration;

use access::UnixSeconds;
use gateway::invoke::{Invoke, InvokeError};
use serde::Deserialize;
use serde_json::{Value, json};

/// Changes whenever the items below do: the inventory function refuses another movement under the same reference.
const REFERENCE: &str = "demo-stock-1";
/// Sku, pieces, price of a piece in cents.
const ITEMS: [(&str, i64, i64); 4] =
    [("coffee-1kg", 80, 1890), ("cup-blue", 40, 1250), ("filter-paper", 500, 390), ("tea-green", 120, 640)];
/// As long as the one call may take, and far longer than it does.
const CALLER_LIFE: Duration = Duration::from_mins(1);

/// Why the demo stock cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The function did not answer.
    #[error("the demo stock cannot be loaded (`--no-demo` does without)")]
    Invoke(#[source] InvokeError),
    /// The function refused.
    #[error("the demo stock was refused with {0} (`--no-demo` does without)")]
    Refused(u16),
    /// The function answered something else.
    #[error("the demo stock was not understood (`--no-demo` does without)")]
    Answer(#[source] serde_json::Error),
}

/// Loads the demo stock through `function`.
pub(crate) async fn load(functions: &dyn Invoke, function: &str, now: UnixSeconds) -> Result<(), DemoError> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "statusCode")]
        status: u16,
    }
    let event = event(now).to_string().into_bytes();
    let answer = functions.invoke(function, event).await.map_err(DemoError::Invoke)?;
    let answer: Answer = serde_json::from_slice(&answer).map_err(DemoError::Answer)?;
    if answer.status == 200 { Ok(()) } else { Err(DemoError::Refused(answer.status)) }
}

/// The request as API Gateway would hand it over, of a caller that may do this one thing.
fn event(now: UnixSeconds) -> Value {
    let line = |(sku, change, price)| json!({ "sku": sku, "change": change, "unit_price": price });
    let body = json!({ "reference": REFERENCE, "lines": ITEMS.map(line) });
    let exp = now.plus(CALLER_LIFE).to_string();
    json!({
        "resource": "/inventory",
        "path": "/inventory",
        "httpMethod": "POST",
        "headers": { "Content-Type": "application/json" },
        "multiValueHeaders": { "Content-Type": ["application/json"] },
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "authorizer": { "principalId": "demo", "client_id": "demo", "scope": "inventory/write", "exp": exp },
            "requestId": "demo",
            "resourcePath": "/inventory",
            "httpMethod": "POST",
            "path": "/inventory",
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}
