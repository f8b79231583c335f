//! What the fuzz targets share: a key made for the run, tokens signed with it, an authorizer that has this key only, and
//! the definition of a grant, written out once more.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::{Scope, Table, log::Log};
use authorizer::{Authorizer, Config, Failure, Refusal};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// The time of every decision.
pub const NOW: u64 = 1_700_000_000;
/// The pool whose tokens are read.
pub const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12cd34E";
/// The client of every token.
pub const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
/// What the good tokens hold.
pub const SCOPES: [&str; 3] = ["orders/read payments/read", "inventory/write", "openid"];
/// An event's method ARN, where a target is not about that.
pub const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/7";

static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| SCOPES.map(good).to_vec());

/// Valid tokens, one for each of [`SCOPES`].
pub fn tokens() -> &'static [String] {
    &TOKENS
}

/// The public key as its issuer publishes it, named `first`.
pub fn jwk() -> Value {
    let public: RsaPublicKeyComponents<Vec<u8>> = KEY.public_key().into();
    let [n, e] = [public.n, public.e].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "first", "n": n, "e": e})
}

/// Signs whatever these two texts are.
pub fn sign(header: &str, payload: &str) -> String {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{payload}");
    let mut signature = vec![0; KEY.public_modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn good(scope: &str) -> String {
    let payload = json!({"iss": ISSUER, "token_use": "access", "client_id": CLIENT, "sub": CLIENT, "version": 2,
        "scope": scope, "exp": NOW + 3600, "iat": NOW - 10, "auth_time": NOW - 10, "jti": "fuzzed"});
    sign(r#"{"alg":"RS256","kid":"first"}"#, &payload.to_string())
}

/// The routes of the project.
pub const ROUTES: &str = include_str!("../../routes.json");

/// An authorizer with the keys that it is given, and what it logs.
pub struct Subject {
    authorizer: Authorizer,
    log: Arc<Mutex<String>>,
}

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(Builder::new_current_thread().enable_all().build().unwrap());
}

impl Subject {
    /// Has the keys of this JWKS, whatever it is.
    pub fn new(jwks: &[u8]) -> Self {
        let vars = |name: &str| {
            Some(match name {
                "USER_POOL_ID" => "eu-central-1_Ab12cd34E".to_owned(),
                "CLIENT_IDS" => CLIENT.to_owned(),
                "ROUTES" => ROUTES.to_owned(),
                "AWS_LAMBDA_LOG_FORMAT" => "JSON".to_owned(),
                _ => return None,
            })
        };
        let config = Config::from_vars(vars).unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&log);
        let written = Log::from_vars(vars, move |line| sink.lock().unwrap().push_str(line));
        let clock = || -> SystemTime { UNIX_EPOCH + Duration::from_secs(NOW) };
        let authorizer = Authorizer::with_jwks(config, jwks, clock, written);
        Self { authorizer, log }
    }

    /// Has the key that the tokens are signed with.
    pub fn good() -> Self {
        Self::new(json!({"keys": [jwk()]}).to_string().as_bytes())
    }

    /// Decides about a value of the `Authorization` header.
    pub fn judge(&self, value: &str) -> Result<Value, Failure> {
        let event = json!({"type": "TOKEN", "authorizationToken": value, "methodArn": ARN});
        self.handle(event.to_string().as_bytes())
    }

    /// Decides; whatever is decided, the answer has one of three forms, and no line of the log holds a token.
    pub fn handle(&self, event: &[u8]) -> Result<Value, Failure> {
        let handled = RUNTIME.with_borrow(|runtime| runtime.block_on(self.authorizer.handle(event, "fuzz")));
        let log = std::mem::take(&mut *self.log.lock().unwrap());
        for line in log.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
        }
        let decisions = log.lines().filter(|line| line.contains(r#""outcome":"#) && line.contains(r#""request_id":"#));
        assert_eq!(decisions.count(), 1, "{log}");
        assert!(!tokens().iter().any(|token| log.contains(token.rsplit('.').next().unwrap())), "a token in the log");
        match handled {
            Ok(answer) => Ok(serde_json::from_str(answer.get()).unwrap()),
            Err(failure) => {
                assert!(matches!(failure.error_message, "Unauthorized" | "no decision"), "{failure:?}");
                let is_refusal = Refusal::ALL.iter().any(|refusal| refusal.label() == failure.error_type);
                assert_eq!(is_refusal, failure.error_message == "Unauthorized", "{failure:?}");
                Err(failure)
            }
        }
    }
}

/// Which good token, if any, this header value carries.
pub fn held(value: &str) -> Option<&'static str> {
    let (scheme, token) = value.split_once(' ')?;
    let index = tokens().iter().position(|good| good == token)?;
    scheme.eq_ignore_ascii_case("bearer").then_some(SCOPES[index])
}

/// The answer allows what these scopes cover in the stage of the ARN, to the letter, and nothing else.
pub fn check_answer(answer: &Value, arn: &str, scopes: &str, client: &str) {
    assert_eq!(answer["principalId"], client);
    assert_eq!(answer["usageIdentifierKey"], client);
    assert_eq!(answer["context"]["scope"], scopes);
    assert_eq!(answer["context"]["client_id"], client);
    let stage: String = arn.split('/').take(2).map(|part| format!("{part}/")).collect();
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for statement in answer["policyDocument"]["Statement"].as_array().unwrap() {
        assert_eq!(statement["Action"], "execute-api:Invoke");
        let resources = statement["Resource"].as_array().unwrap();
        let resources = resources.iter().map(|resource| resource.as_str().unwrap().to_owned());
        match statement["Effect"].as_str().unwrap() {
            "Allow" => allowed.extend(resources),
            "Deny" => denied.extend(resources),
            other => panic!("effect {other}"),
        }
    }
    let held: Vec<&str> = scopes.split(' ').collect();
    let table = Table::from_json(ROUTES).unwrap();
    let is_held = |scope: &Scope<'_>| held.contains(&scope.as_str());
    let covered = table.routes().iter().filter(|route| route.scopes().iter().all(is_held));
    let mut expected: Vec<String> = covered
        .map(|route| {
            let path = route.path().split('/').map(|part| if part.starts_with('{') { "*" } else { part });
            format!("{stage}{}{}", route.method().as_str(), path.collect::<Vec<_>>().join("/"))
        })
        .collect();
    allowed.sort();
    expected.sort();
    assert_eq!(allowed, expected);
    assert!(denied.iter().all(|resource| resource.starts_with(&stage)), "{denied:?}");
    assert!(!allowed.is_empty() || denied == [format!("{stage}*")], "{denied:?}");
}
