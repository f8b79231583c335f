//! Clients' secrets that rotate while the shop is busy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use client::{ApiClient, ApiRequest, ClientsFile, Http, TokenSource};
use local::clients::{Client, Clients};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::{Answer, System};
use tokio::{
    sync::{RwLock, Semaphore},
    task::JoinSet,
};

/// How far the clock of the system and of its callers is ahead.
static MINUTES: AtomicU64 = AtomicU64::new(0);
const CALLERS: u32 = 6;

#[expect(clippy::disallowed_methods, reason = "the edge of the system under test")]
fn clock() -> SystemTime {
    SystemTime::now() + Duration::from_mins(MINUTES.load(Ordering::SeqCst))
}

/// A client as it stands in the clients file now.
fn in_file(system: &System, name: &str) -> Client {
    Clients::read(&system.folder().join("clients.json")).unwrap().0.remove(name).unwrap()
}

/// Rotates a client's secret as `local rotate` does.
async fn rotate(system: &System, name: &str) -> Value {
    let Client { client_id, client_secret, .. } = in_file(system, name);
    let request = system.request(Method::POST, &format!("/_local/rotate/{client_id}"));
    let answer = Answer::to(request.basic_auth(client_id, Some(client_secret.expose_secret()))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["secrets"].clone()
}

/// A service that takes its credentials from the clients file, and tokens from the library.
fn service(system: &System) -> ApiClient {
    let credentials = ClientsFile {
        path: system.folder().join("clients.json"),
        client: Some("storefront".into()),
        token_url: system.url("/oauth2/token").parse().unwrap(),
        api_url: Some(system.url("").parse().unwrap()),
    };
    let tokens = TokenSource::builder(credentials, Http::new().unwrap()).clock(clock).build();
    ApiClient::new(tokens, Duration::from_secs(20))
}

/// Places an order. The order function books the stock with a token of its own.
async fn order(service: &ApiClient, key: String) -> Result<(), String> {
    let order = json!({ "lines": [{ "sku": "A-1", "quantity": 1 }] });
    let request = ApiRequest::new(Method::POST, "/orders").header("Idempotency-Key", key);
    match service.send(&request.json(&order).unwrap(), &[]).await {
        Ok(answer) if answer.status == 201 => Ok(()),
        Ok(answer) => Err(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_rotate_three_times_under_load_and_no_call_fails() {
    let system = Arc::new(System::start_at(clock, |_| {}).await);
    let stock =
        json!({ "reference": "in", "lines": [{ "sku": "A-1", "change": 1_000_000, "unit_price": 1 }] });
    let token = system.token("storefront").await;
    assert_eq!(system.send(Method::POST, "/inventory", &token, &stock).await.status, 200);

    let service = service(&system);
    let (answered, is_over) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    // Nobody waits while the clock jumps: that would be the end of everybody's patience.
    let clock_stands = Arc::new(RwLock::new(()));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (service, answered, is_over) = (service.clone(), Arc::clone(&answered), Arc::clone(&is_over));
        let clock_stands = Arc::clone(&clock_stands);
        callers.spawn(async move {
            let mut failed = Vec::new();
            for number in 0.. {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let _stands = clock_stands.read().await;
                failed.extend(order(&service, format!("{caller}-{number}")).await.err());
                answered.add_permits(1);
            }
            failed
        });
    }
    let some_orders = async || answered.acquire_many(3 * CALLERS).await.unwrap().forget();

    some_orders().await;
    let mut secrets = Vec::new();
    for _ in 0..3 {
        secrets.push((rotate(&system, "order-service").await, rotate(&system, "storefront").await));
        some_orders().await;
        // Tokens live for an hour: everybody renews now, with whatever secret they hold.
        let jumping = clock_stands.write().await;
        MINUTES.fetch_add(46, Ordering::SeqCst);
        drop(jumping);
        some_orders().await;
    }
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(callers.join_all().await.concat(), [""; 0], "calls that failed");

    let id = |name: &str, number: u8| format!("{}--{number}", system.client(name).client_id);
    for (round, (of_orders, of_storefront)) in (1..).zip(&secrets) {
        for (name, ids) in [("order-service", of_orders), ("storefront", of_storefront)] {
            assert_eq!(*ids, json!([id(name, round), id(name, round + 1)]));
        }
    }
    for name in ["order-service", "storefront"] {
        assert_eq!(system.ask_for_token(name, None).await.status, 400, "{name}: the first secret is deleted");
    }
    // By now nobody has a token of before the rotations, nor a secret.
    MINUTES.fetch_add(61, Ordering::SeqCst);
    assert_eq!(order(&service, "last".into()).await, Ok(()));
}

#[tokio::test]
async fn a_rotation_is_for_those_who_can_read_the_clients_file() {
    let system = System::start().await;
    let Client { client_id, client_secret, .. } = system.client("storefront");
    let path = format!("/_local/rotate/{client_id}");
    let call = async |method: Method, path: &str, secret: &str| {
        let request = system.request(method, path).basic_auth(client_id, Some(secret));
        let answer = Answer::to(request).await;
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let secret = client_secret.expose_secret();
    assert_eq!(call(Method::POST, &path, "guess").await, (401, "invalid_client".into()));
    assert_eq!(call(Method::GET, &path, secret).await, (405, "method_not_allowed".into()));
    let unknown = "RotateSecret failed: ResourceNotFoundException";
    assert_eq!(call(Method::POST, "/_local/rotate/7abc", secret).await, (502, unknown.into()));
    assert_eq!(in_file(&system, "storefront").client_secret.expose_secret(), secret);
}
