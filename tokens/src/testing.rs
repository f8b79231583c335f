//! What the tests of several modules share: requests, a clock that tests turn, an embedded DynamoDB, a log that can be
//! read.

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
    types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType},
};
use dynamodb::Embedded;

use crate::{log::Log, token::TokenRequest};

pub(crate) const TABLE: &str = "tokens";

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(1_770_000_000) };
}

/// The time of this thread's test, which changes only by [`turn_clock`].
pub(crate) fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.get())
}

pub(crate) fn turn_clock(seconds: u64) {
    NOW.set(NOW.get() + seconds);
}

pub(crate) fn request(client_id: &str, secret: &str, scopes: &str) -> TokenRequest {
    let mut request = TokenRequest::basic(client_id, &secret.into(), "Basic".into());
    request.header = None;
    request.scopes = scopes.to_owned();
    request
}

/// A log and what was written to it, one JSON object a line.
pub(crate) fn log() -> (Log, Arc<Mutex<String>>) {
    let written = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&written);
    let log = Log::new(move |_, line| {
        let mut sink = sink.lock().unwrap();
        sink.push_str(&serde_json::to_string(line).unwrap());
        sink.push('\n');
    });
    (log, written)
}

/// The operations that were requested of DynamoDB, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Intercept for Asked {
    fn name(&self) -> &'static str {
        "Asked"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        self.0.lock().unwrap().push(target.split('.').next_back().unwrap_or_default().to_owned());
        Ok(())
    }
}

pub(crate) fn client_of(database: &Embedded, asked: &Asked) -> Client {
    Client::from_conf(database.config().interceptor(asked.clone()).build())
}

/// An embedded DynamoDB with the table of tokens.
pub(crate) async fn dynamodb() -> Embedded {
    let database = Embedded::memory().unwrap();
    let client = database.client();
    let mut request = client.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build().unwrap();
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        request = request.attribute_definitions(attribute).key_schema(key);
    }
    request.send().await.unwrap();
    database
}
