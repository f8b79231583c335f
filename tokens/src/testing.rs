//! What the tests of several modules share: requests, a clock that tests turn, an embedded DynamoDB, a token endpoint
//! that counts, a log that can be read.

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
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{log::Log, token::TokenRequest};

pub(crate) const TABLE: &str = "tokens";

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(1_770_000_000) };
}

/// The time of this thread's test: it stands until the test turns it.
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

/// What was asked of DynamoDB: the names of the operations.
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

/// Status, further headers and body of an answer. The status 0 says nothing at all.
pub(crate) type Reply = (u16, &'static str, String);

/// An HTTP server that answers as the test says, and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Stub {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Answers each request, of which `script` gets number, from 0, and text.
    pub(crate) async fn new(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/oauth2/token", listener.local_addr().unwrap());
        let stub = Self { url, heard: Arc::default() };
        let (heard, script) = (Arc::clone(&stub.heard), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (heard, script) = (Arc::clone(&heard), Arc::clone(&script));
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !is_whole(&request) {
                        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    let request = String::from_utf8(request).unwrap();
                    let number = {
                        let mut heard = heard.lock().unwrap();
                        heard.push(request.clone());
                        heard.len() - 1
                    };
                    let (status, headers, body) = script(number, &request);
                    if status == 0 {
                        return std::future::pending().await;
                    }
                    let length = body.len();
                    let lines = format!(
                        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
                    );
                    _ = stream.write_all(format!("{lines}{body}").as_bytes()).await;
                });
            }
        });
        stub
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.trim().parse().unwrap())
}
