//! What several files' tests share: keys made for the run, tokens signed with them by `jsonwebtoken`, a fake fetch, a clock
//! that is set by hand, a log that is kept.

use std::{
    collections::VecDeque,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::{Caller, ClientId, ScopeSet, UnixSeconds, log::Log};
use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::keys::fetch::{Fetch, FetchError, Fetching};

pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const POOL: &str = "eu-central-1_Ab12cd34E";
pub(crate) const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12cd34E";
pub(crate) const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/7";

/// The routes of this project.
pub(crate) const ROUTES: &str = include_str!("../../routes.json");

/// A caller with these scopes.
pub(crate) fn caller(scopes: &'static str) -> Caller<'static> {
    Caller {
        client_id: ClientId::parse("a").unwrap(),
        scopes: ScopeSet::parse(scopes).unwrap(),
        expires_at: UnixSeconds(NOW + 3600),
        jti: None,
    }
}

/// Two keys of one issuer.
pub(crate) static FIRST: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));
pub(crate) static SECOND: LazyLock<Signer> = LazyLock::new(|| Signer::new("second"));
/// Another issuer's key of the same name as the first.
pub(crate) static FOREIGN: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key that signs tokens.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    key: EncodingKey,
    n: Vec<u8>,
    e: Vec<u8>,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self::of_size(kid, KeySize::Rsa2048)
    }

    pub(crate) fn of_size(kid: &'static str, size: KeySize) -> Self {
        let pair = KeyPair::generate(size).unwrap();
        let public: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
        let pkcs8 = pair.as_der().unwrap();
        // `jsonwebtoken` takes PKCS#1, which PKCS#8 wraps in 26 bytes.
        let key = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
        Self { kid, key, n: public.n, e: public.e }
    }

    pub(crate) fn jwk(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": b64(&self.n), "e": b64(&self.e)})
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.kid})
    }

    /// Signs whatever these two texts are.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", b64(header), b64(payload));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::RS256).unwrap();
        format!("{signed}.{signature}")
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }
}

/// The claims of a good token, as Cognito writes them.
pub(crate) fn claims() -> Value {
    json!({
        "sub": "3n4b5urk1ft4fl3mg5e62d9ado", "token_use": "access", "scope": "orders/read payments/read",
        "auth_time": NOW - 10, "iss": ISSUER, "exp": NOW + 3600, "iat": NOW - 10, "version": 2,
        "jti": "dc5ca8ea-0a5b-4d3f-b0f6-3f6e5a1f7a9c", "client_id": "3n4b5urk1ft4fl3mg5e62d9ado"
    })
}

/// A snapshot of these keys, fetched at this time.
pub(crate) fn snapshot(fetched_at: u64, signers: &[&Signer]) -> Vec<u8> {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({"fetched_at": fetched_at, "keys": keys}).to_string().into_bytes()
}

pub(crate) fn jwks(signers: &[&Signer]) -> Vec<u8> {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()}).to_string().into_bytes()
}

/// A clock that stands still until it is set. It counts microseconds.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW * 1_000_000)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.advance_by(Duration::from_secs(seconds));
    }

    pub(crate) fn advance_by(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.fetch_sub(seconds * 1_000_000, Ordering::SeqCst);
    }

    pub(crate) fn read(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = Arc::clone(&self.0);
        move || UNIX_EPOCH + Duration::from_micros(clock.load(Ordering::SeqCst))
    }
}

/// Answers with what it is given, one after the other, the last again and again; counts; can be held up.
pub(crate) struct FakeFetch {
    answers: Mutex<VecDeque<Result<Vec<u8>, FetchError>>>,
    count: AtomicUsize,
    gate: Semaphore,
}

impl FakeFetch {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Vec<u8>, FetchError>>) -> Arc<Self> {
        let fetch = Self::held_up(answers);
        fetch.open();
        fetch
    }

    /// Answers nothing before it is opened.
    pub(crate) fn held_up(answers: impl IntoIterator<Item = Result<Vec<u8>, FetchError>>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, count: AtomicUsize::new(0), gate: Semaphore::new(0) })
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Answers this many requests that were or will be made.
    pub(crate) fn let_through(&self, requests: usize) {
        self.gate.add_permits(requests);
    }

    /// From now on answers with this.
    pub(crate) fn answer(&self, answer: Result<Vec<u8>, FetchError>) {
        *self.answers.lock().unwrap() = VecDeque::from([answer]);
    }

    /// How many requests were made.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Fetch for FakeFetch {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            self.count.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            let mut answers = self.answers.lock().unwrap();
            let answer = answers.pop_front().unwrap_or(Err(FetchError::Status(500)));
            if answers.is_empty() {
                answers.push_back(answer.clone());
            }
            answer
        })
    }
}

/// A log that keeps its lines.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<String>>);

impl Lines {
    pub(crate) fn log(&self) -> Log {
        let lines = Arc::clone(&self.0);
        let vars = |name: &str| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned());
        Log::from_vars(vars, move |line| lines.lock().unwrap().push_str(line))
    }

    /// Takes what was written since the last time.
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
