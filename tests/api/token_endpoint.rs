//! A token endpoint that throttles, fails, hangs or no longer knows the secret, as a caller who places an order sees it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use access::log::Log;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use client::{Http, SecretsManager, TokenSource};
use futures_util::future::{BoxFuture, join_all};
use gateway::{
    http::{Clock, Handle, Refused, Request, Response},
    invoke::InvokeError,
};
use handlers::{
    config::Config,
    entry::{Context, Entry},
    orders::{Orders, SCOPES},
    upstream::ClientApi,
};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::{Answer, System};

use crate::elsewhere;

/// What the endpoint does with a request for a token.
#[derive(Clone, Copy)]
enum Mood {
    /// It answers as the issuer does.
    Good,
    /// It answers this.
    Answers(u16, &'static str),
    /// It never answers.
    Silent,
}

const THROTTLED: Mood = Mood::Answers(429, r#"{"error":"too_many"}"#);
/// Cognito's own way to say so.
const TOO_MANY: Mood = Mood::Answers(400, r#"{"__type":"TooManyRequestsException"}"#);
const BROKEN: Mood = Mood::Answers(500, "<html>");

/// Cognito and Secrets Manager, in front of a system's issuer.
struct Cloud {
    system: Arc<System>,
    /// How the next requests are answered, in order, and all later ones.
    moods: Mutex<(VecDeque<Mood>, Mood)>,
    /// Secrets that are returned before the one that the issuer knows.
    old_secrets: Mutex<VecDeque<&'static str>>,
    tokens_asked: AtomicUsize,
    secrets_read: AtomicUsize,
    /// Where the order service finds both the API and this.
    urls: Mutex<Option<(String, String)>>,
}

impl Cloud {
    fn set(&self, next: impl Into<VecDeque<Mood>>, then: Mood) {
        *self.moods.lock().unwrap() = (next.into(), then);
    }

    async fn token(&self, request: &Request) -> Response {
        self.tokens_asked.fetch_add(1, Ordering::SeqCst);
        let mood = {
            let (next, then) = &mut *self.moods.lock().unwrap();
            next.pop_front().unwrap_or(*then)
        };
        match mood {
            Mood::Good => {
                let passed = self.system.request(Method::POST, "/oauth2/token").body(request.body.clone());
                let header = |name| request.headers.first(name).unwrap().to_owned();
                let passed = ["authorization", "content-type"]
                    .into_iter()
                    .fold(passed, |passed, name| passed.header(name, header(name)));
                let answer = Answer::to(passed).await;
                Response::json(answer.status, answer.text)
            }
            Mood::Answers(status, body) => Response::json(status, body),
            Mood::Silent => std::future::pending().await,
        }
    }

    fn secret(&self) -> Response {
        self.secrets_read.fetch_add(1, Ordering::SeqCst);
        let client = self.system.client("order-service");
        let old = self.old_secrets.lock().unwrap().pop_front();
        let (api, cloud) = self.urls.lock().unwrap().clone().unwrap();
        let secret = json!({
            "client_id": client.client_id,
            "client_secret": old.unwrap_or(client.client_secret.expose_secret()),
            "token_url": format!("{cloud}oauth2/token"),
            "api_url": api,
        });
        Response::json(
            200,
            json!({ "Name": "order-service", "SecretString": secret.to_string() }).to_string(),
        )
    }
}

/// Shares a `Cloud` with the test.
struct Shared(Arc<Cloud>);

impl Handle for Shared {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            match request.path() {
                "/oauth2/token" => self.0.token(&request).await,
                _ => self.0.secret(),
            }
        })
    }

    fn refuse(&self, refused: Refused, _: SocketAddr) -> Response {
        panic!("a function sends good requests: {refused:?}")
    }
}

/// A whole system whose order function takes its credentials and tokens from a `Cloud`.
struct Shop {
    system: System,
    cloud: Arc<Cloud>,
    stock: Value,
}

impl Shop {
    async fn open(clock: Clock) -> Self {
        let behind = Arc::new(System::start_at(clock, |_| {}).await);
        let cloud = Arc::new(Cloud {
            system: Arc::clone(&behind),
            moods: Mutex::new((VecDeque::new(), Mood::Good)),
            old_secrets: Mutex::default(),
            tokens_asked: AtomicUsize::default(),
            secrets_read: AtomicUsize::default(),
            urls: Mutex::default(),
        });
        let cloud_url = elsewhere::listen(Shared(Arc::clone(&cloud))).await;
        let order = Arc::new(order(&behind, cloud_url.as_str(), clock).await);
        let functions = Arc::clone(&behind);
        let url = elsewhere::serve(move |binary, event| {
            let (functions, order) = (Arc::clone(&functions), Arc::clone(&order));
            Box::pin(async move {
                if binary != "order" {
                    return functions.local().invoke(&binary, event).await;
                }
                let answer = order.handle(&event, Context { request_id: "test", ..Context::default() }).await;
                let answer = answer.map(|answer| answer.get().as_bytes().to_vec());
                answer.map_err(|failure| InvokeError::Function {
                    error_type: failure.error_type,
                    error_message: failure.error_message,
                })
            })
        })
        .await;
        let system = System::start_at(clock, |options| options.functions = Some(url)).await;
        *cloud.urls.lock().unwrap() = Some((system.url(""), cloud_url.into()));
        let stock =
            json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 10, "unit_price": 5 }] });
        let shop = Self { system, cloud, stock };
        let token = shop.token().await;
        assert_eq!(shop.system.send(Method::POST, "/inventory", &token, &shop.stock).await.status, 200);
        shop
    }

    /// A token of a client that may place orders.
    async fn token(&self) -> String {
        self.cloud.system.token("storefront").await
    }

    async fn order(&self, key: &str) -> Answer {
        let request = self.system.request(Method::POST, "/orders").bearer_auth(self.token().await);
        let order = json!({ "lines": [{ "sku": "A-1", "quantity": 2 }] });
        Answer::to(request.header("idempotency-key", key).json(&order)).await
    }

    async fn on_hand(&self) -> Value {
        self.system.get("/inventory/A-1", &self.token().await).await.json()["on_hand"].clone()
    }

    async fn orders(&self) -> usize {
        let answer = self.system.get("/orders", &self.token().await).await;
        answer.json()["orders"].as_array().unwrap().len()
    }

    /// How many tokens were requested and secrets read since the last call.
    fn asked(&self) -> (usize, usize) {
        (self.cloud.tokens_asked.swap(0, Ordering::SeqCst), self.cloud.secrets_read.swap(0, Ordering::SeqCst))
    }
}

/// The order function as its binary wires it, on the tables of `system`.
async fn order(system: &System, cloud: &str, clock: Clock) -> Entry<Orders<ClientApi>> {
    let dynamodb = system.local().dynamodb().unwrap();
    let tables = dynamodb.list_tables().send().await.unwrap().table_names.unwrap();
    let table = tables.into_iter().find(|name| name.to_lowercase().contains("order")).unwrap();
    let config = Config::from_vars(|name| (name == "TABLE_NAME").then(|| table.clone())).unwrap();
    let credentials = Credentials::new("test", "test", None, None, "test");
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(cloud)
        .http_client(Http::new().unwrap())
        .build();
    let secret = SecretsManager::new(&aws, "order-service");
    let tokens = TokenSource::builder(secret, Http::new().unwrap()).clock(clock).build();
    let api = ClientApi::new(tokens, SCOPES);
    Entry::new(Orders::new(dynamodb, api, config), clock, Log::from_vars(|_| None, |_| {}))
}

#[expect(clippy::disallowed_methods, reason = "the edge of the system under test")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn a_failure_that_passes_is_not_seen() {
    let shop = Shop::open(now).await;
    shop.cloud.set([THROTTLED, TOO_MANY, BROKEN], Mood::Good);
    assert_eq!(shop.order("a").await.status, 201);
    assert_eq!(shop.asked(), (4, 1));
    assert_eq!(shop.order("b").await.status, 201);
    assert_eq!(shop.asked(), (0, 0), "the token is kept");
    assert_eq!(shop.on_hand().await, 6);
}

#[tokio::test]
async fn a_failure_that_lasts_is_a_503_that_leaves_nothing_behind_and_the_retry_succeeds() {
    let lasting =
        [("429", THROTTLED), ("TooManyRequests", TOO_MANY), ("500", BROKEN), ("slow", Mood::Silent)];
    join_all(lasting.map(async |(name, mood)| {
        let shop = Shop::open(now).await;
        shop.cloud.set([], mood);
        let answer = shop.order("a").await;
        assert_eq!(answer.status, 503, "{name}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "1", "{name}");
        let (tokens, secrets) = shop.asked();
        assert!((1..=5).contains(&tokens) && secrets == 1, "{name}: {tokens} tokens, {secrets} secrets");
        assert_eq!((shop.on_hand().await, shop.orders().await), (json!(10), 0), "{name}");

        shop.cloud.set([], Mood::Good);
        let answer = shop.order("a").await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        assert_eq!((shop.on_hand().await, shop.orders().await), (json!(8), 1), "{name}");
    }))
    .await;
}

#[tokio::test]
async fn a_refusal_is_not_asked_again_and_is_our_fault_not_the_callers() {
    let shop = Shop::open(now).await;
    for (code, body) in [
        ("invalid_scope", r#"{"error":"invalid_scope"}"#),
        ("unauthorized_client", r#"{"error":"unauthorized_client"}"#),
    ] {
        shop.cloud.set([Mood::Answers(400, body)], Mood::Good);
        assert_eq!(shop.order(code).await.status, 500, "{code}");
        assert_eq!(shop.asked().0, 1, "{code}");
        assert_eq!(shop.orders().await, 0, "{code}");
    }
    assert_eq!(shop.order("invalid_scope").await.status, 201);
}

#[tokio::test]
async fn a_rotated_secret_is_read_again_and_the_order_placed() {
    let shop = Shop::open(now).await;
    shop.cloud.old_secrets.lock().unwrap().push_back("withdrawn");
    assert_eq!(shop.order("a").await.status, 201);
    assert_eq!(shop.asked(), (2, 2), "once with the old secret, once with the new");
}

#[tokio::test]
async fn a_secret_that_stays_wrong_is_read_once_more_and_no_further() {
    let shop = Shop::open(now).await;
    shop.cloud.old_secrets.lock().unwrap().extend(["withdrawn", "withdrawn"]);
    assert_eq!(shop.order("a").await.status, 500);
    assert_eq!(shop.asked(), (2, 2));
    assert_eq!(shop.order("a").await.status, 201, "the third reading brings the right one");
    assert_eq!((shop.on_hand().await, shop.orders().await), (json!(8), 1));
}

#[tokio::test]
async fn a_token_that_is_due_serves_while_it_cannot_be_renewed() {
    static MINUTES: AtomicU64 = AtomicU64::new(0);
    fn clock() -> SystemTime {
        now() + Duration::from_mins(MINUTES.load(Ordering::SeqCst))
    }
    let shop = Shop::open(clock).await;
    assert_eq!(shop.order("a").await.status, 201);
    shop.asked();

    // Tokens live for an hour and are due after three quarters of it.
    shop.cloud.set([], Mood::Answers(403, "{}"));
    MINUTES.store(44, Ordering::SeqCst);
    assert_eq!(shop.order("b").await.status, 201);
    assert_eq!(shop.asked().0, 0, "it is not due");
    MINUTES.store(50, Ordering::SeqCst);
    assert_eq!(shop.order("c").await.status, 201);
    MINUTES.store(59, Ordering::SeqCst);
    assert_eq!(shop.order("d").await.status, 201);
    assert!((1..=2).contains(&shop.asked().0), "renewals were tried behind the orders");

    MINUTES.store(61, Ordering::SeqCst);
    assert_eq!(shop.order("e").await.status, 500, "a dead token is not sent");
    shop.cloud.set([], Mood::Good);
    assert_eq!(shop.order("e").await.status, 201);
    assert_eq!(shop.on_hand().await, 0);
}
