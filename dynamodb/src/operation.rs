//! The operations of DynamoDB that the embedded database answers, and how their answers are written.

use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

/// A status and a JSON body, as DynamoDB answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn internal_error() -> Self {
        Self::error(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "the engine failed")
    }

    fn error(status: u16, kind: &str, message: &str) -> Self {
        Self { status, body: json!({ "__type": kind, "message": message }).to_string().into_bytes() }
    }
}

/// Runs one operation of DynamoDB's JSON protocol.
pub(crate) fn run(engine: &Database, operation: &str, body: &[u8]) -> Answer {
    match operation {
        "BatchGetItem" => answer(body, |request| engine.batch_get_item(request)),
        "BatchWriteItem" => answer(body, |request| engine.batch_write_item(request)),
        "CreateTable" => answer(body, |request| engine.create_table(request)),
        "DeleteItem" => answer(body, |request| engine.delete_item(request)),
        "DeleteTable" => answer(body, |request| engine.delete_table(request)),
        "DescribeTable" => answer(body, |request| engine.describe_table(request)),
        "DescribeTimeToLive" => answer(body, |request| engine.describe_time_to_live(request)),
        "GetItem" => answer(body, |request| engine.get_item(request)),
        "ListTables" => answer(body, |request| engine.list_tables(request)),
        "PutItem" => answer(body, |request| engine.put_item(request)),
        "Query" => answer(body, |request| engine.query(request)),
        "Scan" => answer(body, |request| engine.scan(request)),
        "TransactGetItems" => answer(body, |request| engine.transact_get_items(request)),
        "TransactWriteItems" => answer(body, |request| engine.transact_write_items(request)),
        "UpdateItem" => answer(body, |request| engine.update_item(request)),
        "UpdateTable" => answer(body, |request| engine.update_table(request)),
        "UpdateTimeToLive" => answer(body, |request| engine.update_time_to_live(request)),
        _ => Answer::error(
            400,
            "com.amazon.coral.service#UnknownOperationException",
            "the embedded database does not know this operation",
        ),
    }
}

fn answer<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Answer {
    let request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => {
            return Answer::error(400, "com.amazon.coral.service#SerializationException", &error.to_string());
        }
    };
    match run(request) {
        Ok(done) => serde_json::to_vec(&done)
            .map_or_else(|_| Answer::internal_error(), |body| Answer { status: 200, body }),
        Err(error) => Answer { status: error.status_code(), body: error.to_json().into_bytes() },
    }
}
