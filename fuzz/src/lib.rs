//! What the fuzz targets share: tokens, an authorizer that has one key, and the definition of a grant written out once
//! more.

use std::{
    cell::RefCell,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::{Scope, Table};
use authorizer::{Authorizer, Config, Failure, Refusal};
use serde_json::{Value, json};
pub use test_support::{
    FIRST, ROUTES,
    signer::{ARN, CLIENT, ISSUER, NOW},
};
use test_support::{
    Lines, look_up, settings,
    signer::{changed, claims, event, jwks},
};
use tokio::runtime::{Builder, Runtime};

/// What the good tokens hold.
pub const SCOPES: [&str; 3] = ["orders/read payments/read", "inventory/write", "openid"];

static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| SCOPES.map(good).to_vec());

/// Valid tokens, one for each of [`SCOPES`].
pub fn tokens() -> &'static [String] {
    &TOKENS
}

fn good(scope: &str) -> String {
    FIRST.token(&changed(claims(), json!({"scope": scope, "jti": "fuzzed"})))
}

/// An authorizer with the keys that it is given, and what it logs.
pub struct Subject {
    authorizer: Authorizer,
    lines: Lines,
}

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(Builder::new_current_thread().enable_all().build().unwrap());
}

impl Subject {
    /// Has the keys of this JWKS, whatever it is.
    pub fn new(jwks: &[u8]) -> Self {
        let config = Config::from_vars(look_up(&settings("http://127.0.0.1:9/"))).unwrap();
        let lines = Lines::default();
        let clock = || -> SystemTime { UNIX_EPOCH + Duration::from_secs(NOW) };
        let authorizer = Authorizer::with_jwks(config, jwks, clock, lines.log());
        Self { authorizer, lines }
    }

    /// Has the key that the tokens are signed with.
    pub fn good() -> Self {
        Self::new(&jwks([FIRST.jwk()]))
    }

    /// Decides about a value of the `Authorization` header.
    pub fn judge(&self, value: &str) -> Result<Value, Failure> {
        self.handle(event(value).to_string().as_bytes())
    }

    /// Decides; whatever is decided, the answer has one of three forms, and no line of the log holds a token.
    pub fn handle(&self, event: &[u8]) -> Result<Value, Failure> {
        let handled = RUNTIME.with_borrow(|runtime| runtime.block_on(self.authorizer.handle(event, "fuzz")));
        let log = self.lines.take();
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
