//! Events in, answers and log lines out.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerResponse;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    Refusal,
    keys::fetch::FetchError,
    testing::{
        ARN, CLIENT, FIRST, FOREIGN, FakeFetch, ISSUER, Lines, NOW, POOL, ROUTES, SECOND, TestClock, b64,
        changed, claims, event, jwks, mac, snapshot, unsigned,
    },
};

mod explain;
mod tokens;

struct Setup {
    authorizer: Authorizer,
    fetch: Arc<FakeFetch>,
    lines: Lines,
}

impl Setup {
    fn new(vars: &[(&str, &str)], fetch: Arc<FakeFetch>) -> Self {
        let lines = Lines::default();
        let vars = [vars, &[("ROUTES", ROUTES)]].concat();
        let look_up = |name: &str| vars.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned());
        let config = Config::from_vars(look_up).unwrap();
        let shared = Arc::clone(&fetch);
        let authorizer = Authorizer::build(config, TestClock::new().read(), lines.log(), move |_| {
            Arc::clone(&shared) as Arc<dyn Fetch>
        });
        Self { authorizer, fetch, lines }
    }

    fn cognito() -> Self {
        let vars = [("USER_POOL_ID", POOL), ("CLIENT_IDS", CLIENT)];
        Self::new(&vars, FakeFetch::new([Ok(jwks([FIRST.jwk(), SECOND.jwk()]))]))
    }

    fn oidc() -> Self {
        let vars = [
            ("TOKEN_ISSUER", "https://issuer.example"),
            ("JWKS_URI", "https://issuer.example/jwks"),
            ("TOKEN_AUDIENCE", "https://api.example"),
            ("CLIENT_IDS", "*"),
        ];
        Self::new(&vars, FakeFetch::new([Ok(jwks([FIRST.jwk()]))]))
    }

    async fn call(&self, value: &str) -> Result<Value, &'static str> {
        self.handle(&event(value).to_string()).await
    }

    async fn handle(&self, event: &str) -> Result<Value, &'static str> {
        match self.authorizer.handle(event.as_bytes(), "request-1").await {
            Ok(answer) => Ok(serde_json::from_str(answer.get()).unwrap()),
            Err(failure) => {
                let is_refusal = Refusal::ALL.iter().any(|refusal| refusal.label() == failure.error_type);
                let message = if is_refusal { "Unauthorized" } else { "no decision" };
                assert_eq!(failure.error_message, message, "{}", failure.error_type);
                Err(failure.error_type)
            }
        }
    }

    /// The label, or `ok` for a policy. An explanation says the same.
    async fn outcome(&self, value: &str) -> &'static str {
        let label = match self.call(value).await {
            Ok(_) => "ok",
            Err(label) => label,
        };
        assert_eq!(self.explained(value).await, label);
        label
    }

    /// What an explanation gives as the reason: the one check that failed, everything before it passed and nothing
    /// behind it reached.
    async fn explained(&self, value: &str) -> &'static str {
        let explanation = self.authorizer.explain(value, &MethodArn::parse(ARN).unwrap()).await;
        let verdicts: Vec<Verdict> = explanation.steps.iter().map(|step| step.verdict).collect();
        let is_held = |verdict: &Verdict| matches!(verdict, Verdict::Passed | Verdict::NotAsked);
        let held = verdicts.iter().take_while(|verdict| is_held(verdict)).count();
        let behind = verdicts.iter().skip(held + 1);
        assert!(behind.into_iter().all(|verdict| *verdict == Verdict::NotReached), "{verdicts:?}");
        match (explanation.decided, verdicts.get(held)) {
            (Decided::Answer(_), None) => "ok",
            (Decided::Refused(refusal), Some(Verdict::Failed(failed))) if refusal == *failed => {
                failed.label()
            }
            (Decided::Fault(fault), Some(Verdict::Undecided)) => fault.label(),
            (decided, verdict) => panic!("{decided:?}, but {verdict:?}"),
        }
    }
}

/// A valid token but for these claims; `null` removes one.
fn with(changes: Value) -> String {
    format!("Bearer {}", FIRST.token(&changed(claims(), changes)))
}

#[tokio::test]
async fn what_is_held_and_what_a_policy_covers_can_be_shown() {
    let setup = Setup::cognito();
    let status = |keys, age| KeyStatus { keys, age, pause: None };
    assert_eq!(setup.authorizer.key_status(), [status(0, None)]);
    setup.authorizer.prefetch().await;
    assert_eq!(setup.authorizer.key_status(), [status(2, Some(Duration::ZERO))]);
    for (policy, is_per_call) in [("token", false), ("call", true)] {
        let vars = [("USER_POOL_ID", POOL), ("CLIENT_IDS", CLIENT), ("POLICY", policy)];
        let setup = Setup::new(&vars, FakeFetch::new([]));
        assert_eq!(setup.authorizer.is_policy_per_call(), is_per_call, "{policy}");
    }
}

#[tokio::test]
async fn bad_events_are_faults() {
    let setup = Setup::cognito();
    let token = format!("Bearer {}", FIRST.token(&claims()));
    let event = |changes: Value| changed(event(&token), changes).to_string();
    let cases = [
        ("nothing", String::new(), Err("event")),
        ("no JSON", token.clone(), Err("event")),
        ("a list", "[]".to_owned(), Err("event")),
        ("the fields as a list", json!(["TOKEN", token, ARN]).to_string(), Err("event")),
        ("the event in a list", format!("[{}]", event(json!({}))), Err("event")),
        ("a string", "\"TOKEN\"".to_owned(), Err("event")),
        ("something behind", format!("{} x", event(json!({}))), Err("event")),
        ("token true", event(json!({"authorizationToken": true})), Err("event")),
        ("twice", event(json!({})).replace('{', r#"{"type":"TOKEN","#), Err("event")),
        ("no type", event(json!({"type": null})), Err("event")),
        ("another type", event(json!({"type": "REQUEST"})), Err("event")),
        ("token no text", event(json!({"authorizationToken": 7})), Err("event")),
        ("no token", event(json!({"authorizationToken": null})), Err("missing_token")),
        ("token null", event(json!({})).replace(&format!("{token:?}"), "null"), Err("missing_token")),
        ("no methodArn", event(json!({"methodArn": null})), Err("method_arn")),
        ("methodArn empty", event(json!({"methodArn": ""})), Err("method_arn")),
        (
            "methodArn malformed",
            event(json!({"methodArn": "arn:aws:execute-api:*:*:*/*/*/*"})),
            Err("method_arn"),
        ),
        ("methodArn no text", event(json!({"methodArn": [ARN]})), Err("event")),
        (
            "bad token and bad methodArn",
            event(json!({"authorizationToken": "x", "methodArn": "x"})),
            Err("method_arn"),
        ),
        (
            "stage too long",
            event(json!({"methodArn": ARN.replace("prod", &"p".repeat(500))})),
            Err("resource_too_long"),
        ),
        ("more members", event(json!({"headers": {"a": [1, {"b": null}]}})), Ok(())),
    ];
    for (name, event, expected) in cases {
        assert_eq!(setup.handle(&event).await.map(|_| ()), expected, "{name}");
        assert!(
            !setup.lines.take().contains(token.split_at(40).1.split_at(40).0),
            "{name}: a token in the log"
        );
    }
}

#[tokio::test]
async fn the_answer_is_what_api_gateway_takes() {
    let setup = Setup::cognito();
    let answer = setup.call(&with(json!({}))).await.unwrap();
    let typed: ApiGatewayCustomAuthorizerResponse = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(typed.principal_id.as_deref(), Some(CLIENT));
    assert_eq!(typed.policy_document.statement.len(), 1);
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap(), @r#"
    {
      "context": {
        "client_id": "3n4b5urk1ft4fl3mg5e62d9ado",
        "exp": 1700003600,
        "jti": "dc5ca8ea-0a5b-4d3f-b0f6-3f6e5a1f7a9c",
        "scope": "orders/read payments/read"
      },
      "policyDocument": {
        "Statement": [
          {
            "Action": "execute-api:Invoke",
            "Effect": "Allow",
            "Resource": [
              "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders",
              "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/*",
              "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/payments",
              "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/payments/*"
            ]
          }
        ],
        "Version": "2012-10-17"
      },
      "principalId": "3n4b5urk1ft4fl3mg5e62d9ado",
      "usageIdentifierKey": "3n4b5urk1ft4fl3mg5e62d9ado"
    }
    "#);
}

#[tokio::test]
async fn a_token_that_covers_nothing_gets_a_deny_for_the_stage() {
    let setup = Setup::cognito();
    for scope in ["", "openid", "inventory/readx", "inventory", "Inventory/read"] {
        let answer = setup.call(&with(json!({"scope": scope}))).await.unwrap();
        let statement = &answer["policyDocument"]["Statement"];
        let deny = json!([{
            "Action": "execute-api:Invoke", "Effect": "Deny",
            "Resource": ["arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/*"]
        }]);
        assert_eq!(*statement, deny, "{scope}");
        assert_eq!(answer["context"]["scope"], scope);
    }
}

#[tokio::test]
async fn each_outcome_is_one_line() {
    let setup = Setup::cognito();
    let call = async |value: &str| {
        let _ = setup.call(value).await;
        setup.lines.take()
    };
    insta::assert_snapshot!(call(&with(json!({}))).await, @r#"{"timestamp":"2023-11-14T22:13:20.000Z","level":"INFO","outcome":"allowed","client_id":"3n4b5urk1ft4fl3mg5e62d9ado","route":"GET /orders/{id}","jti":"dc5ca8ea-0a5b-4d3f-b0f6-3f6e5a1f7a9c","latency_ms":0.0,"jwks":"fetched","request_id":"request-1"}"#);
    insta::assert_snapshot!(call(&with(json!({"scope": "inventory/read", "jti": null}))).await, @r#"{"timestamp":"2023-11-14T22:13:20.000Z","level":"INFO","outcome":"refused","reason":"insufficient_scope","client_id":"3n4b5urk1ft4fl3mg5e62d9ado","route":"GET /orders/{id}","latency_ms":0.0,"jwks":"hit","request_id":"request-1"}"#);
    insta::assert_snapshot!(call(&with(json!({"exp": NOW}))).await, @r#"{"timestamp":"2023-11-14T22:13:20.000Z","level":"INFO","outcome":"refused","reason":"expired","route":"GET /orders/{id}","latency_ms":0.0,"jwks":"hit","request_id":"request-1"}"#);
    insta::assert_snapshot!(call("Bearer secret").await, @r#"{"timestamp":"2023-11-14T22:13:20.000Z","level":"INFO","outcome":"refused","reason":"not_three_parts","route":"GET /orders/{id}","latency_ms":0.0,"request_id":"request-1"}"#);
    let _ =
        setup.handle(r#"{"type":"TOKEN","authorizationToken":"Bearer secret","methodArn":"secret"}"#).await;
    insta::assert_snapshot!(setup.lines.take(), @r#"{"timestamp":"2023-11-14T22:13:20.000Z","level":"ERROR","outcome":"fault","reason":"method_arn","detail":"method ARN is not `arn:partition:execute-api:region:account:api/stage/VERB/path`","latency_ms":0.0,"request_id":"request-1"}"#);
}

#[tokio::test]
async fn no_keys_is_a_fault_and_is_paused() {
    let vars = [("USER_POOL_ID", POOL), ("CLIENT_IDS", "*")];
    let setup = Setup::new(&vars, FakeFetch::new([Err(FetchError::Status(500))]));
    setup.authorizer.prefetch().await;
    for _ in 0..20 {
        assert_eq!(setup.outcome(&with(json!({}))).await, "keys_unavailable");
    }
    assert_eq!(setup.fetch.count(), 2, "init and the first call");
}

#[tokio::test]
async fn one_pools_key_never_verifies_anothers_token() {
    let other = "eu-west-1_Zz98yx76W";
    let pools = format!("{POOL}, {other}");
    let config = Config::from_vars(|name| match name {
        "USER_POOL_ID" => Some(pools.clone()),
        "CLIENT_IDS" => Some("*".to_owned()),
        "ROUTES" => Some(ROUTES.to_owned()),
        _ => None,
    });
    let lines = Lines::default();
    let authorizer = Authorizer::build(config.unwrap(), TestClock::new().read(), lines.log(), |url| {
        let signer = if url.path().contains(POOL) { &FIRST } else { &FOREIGN };
        FakeFetch::new([Ok(jwks([signer.jwk()]))])
    });
    let setup = Setup { authorizer, fetch: FakeFetch::new([]), lines };
    let theirs = json!({"iss": format!("https://cognito-idp.eu-west-1.amazonaws.com/{other}")});
    let their_claims = changed(claims(), theirs);
    let cases = [
        ("first pool, its key", FIRST.token(&claims()), "ok"),
        ("second pool, its key", FOREIGN.token(&their_claims), "ok"),
        ("first pool, the second's key", FOREIGN.token(&claims()), "signature"),
        ("second pool, the first's key", FIRST.token(&their_claims), "signature"),
    ];
    for (name, token, expected) in cases {
        assert_eq!(setup.outcome(&format!("Bearer {token}")).await, expected, "{name}");
    }
}

#[test]
fn latency_is_told_in_milliseconds_to_the_microsecond() {
    let cases = [(0, 0.0), (1499, 0.001), (1500, 0.002), (12_345_678, 12.346), (3_000_000_000, 3000.0)];
    for (nanoseconds, expected) in cases {
        let told = milliseconds(Duration::from_nanos(nanoseconds));
        assert!((told - expected).abs() < 1e-9, "{nanoseconds} ns: {told}");
    }
}

#[test]
fn debug_names_the_issuers_and_no_key() {
    let shown = format!("{:?}", Setup::cognito().authorizer);
    assert!(shown.starts_with("Authorizer {") && shown.contains("keys: KeyCache { issuer: "), "{shown}");
}

#[test]
fn debug_shows_nothing_of_a_token() {
    let value = with(json!({}));
    let bearer = Bearer::parse(&value).unwrap();
    let compact = bearer.decode().unwrap();
    let unverified = compact.read().unwrap();
    assert_eq!(format!("{bearer:?} {compact:?} {unverified:?}"), "Bearer(…) Compact(…) Unverified(…)");
}

#[test]
fn the_routes_are_those_of_the_table() {
    let table = access::Table::from_json(ROUTES).unwrap();
    let names = |routes: &[Route]| routes.iter().map(|route| route.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(Setup::cognito().authorizer.routes()), names(table.routes()));
}

#[test]
fn invocations_may_run_in_parallel() {
    fn is_shareable<T: Send + Sync + Clone + 'static>() {}
    is_shareable::<Authorizer>();
}

#[tokio::test]
async fn a_snapshot_is_told_at_start_and_decides() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, snapshot(NOW - 60, [FIRST.jwk(), SECOND.jwk()])).unwrap();
    let vars = [("USER_POOL_ID", POOL), ("CLIENT_IDS", "*"), ("JWKS_SNAPSHOT", path.to_str().unwrap())];
    let setup = Setup::new(&vars, FakeFetch::new([Err(FetchError::Status(500))]));
    drop(folder);
    let line = setup.lines.take();
    assert!(line.contains(r#""event":"jwks_snapshot_loaded","keys":2,"age_seconds":60"#), "{line}");
    setup.authorizer.prefetch().await;
    assert_eq!(setup.outcome(&with(json!({}))).await, "ok");
    assert!(setup.lines.take().contains(r#""jwks":"snapshot""#));
    assert_eq!(setup.fetch.count(), 0);
}

proptest! {
    #[test]
    fn nothing_made_up_is_ever_let_in(event in prop::collection::vec(any::<u8>(), 0..200), value in HEADER_VALUES) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let setup = Setup::cognito();
        let event = runtime.block_on(setup.authorizer.handle(&event, "request-1"));
        prop_assert!(event.is_err());
        let outcome = runtime.block_on(setup.outcome(&value));
        prop_assert!(Refusal::ALL.iter().any(|refusal| refusal.label() == outcome), "{}", outcome);
    }
}

/// Any text, and texts that come closer and closer to a token.
const HEADER_VALUES: &str = r"\PC{0,40}|Bearer \PC{0,40}|Bearer [\w.-]{0,80}|Bearer (e30|eyJhbGciOiJSUzI1NiIsImtpZCI6ImZpcnN0In0)\.[\w-]{0,40}\.[\w-]{0,40}";
