//! Explanations of tokens, good and spoiled, with keys that are given. That the authorizer's own explanation has the
//! right reason for every label is tested there; here, that it survives on its way to people and scripts.

use std::{
    collections::BTreeSet,
    fs,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use access::log::Log;
use authorizer::Refusal;
use clap::Parser as _;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    issuer::Issuer,
    options::{Command, CommandLine},
};

const NOW: u64 = 1_700_000_000;
const POOL: &str = "us-east-1_Ab12cd34E";
static ISSUER: LazyLock<Issuer> =
    LazyLock::new(|| Issuer::open(None, "us-east-1", POOL, Vec::new(), std::sync::Arc::default()).unwrap());

fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// An explainer with the issuer's keys in a file and these options.
fn explainer(folder: &TempDir, options: &[&str]) -> Result<Explainer, ExplainError> {
    let jwks = folder.path().join("jwks.json");
    fs::write(&jwks, ISSUER.jwks()).unwrap();
    let template = ["--template", concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")];
    let template = if options.contains(&"--template") { &[][..] } else { &template };
    let fixed = ["local", "explain", "--jwks", jwks.to_str().unwrap()];
    let line = fixed.iter().chain(template).chain(options);
    let Some(Command::Explain(asked)) = CommandLine::parse_from(line).command else {
        panic!("another command");
    };
    asked.explainer(clock, Log::from_vars(|_| None, |_| {}))
}

fn claims() -> Value {
    json!({
        "sub": "a", "token_use": "access", "scope": "orders/read payments/read", "iss": ISSUER.url(),
        "exp": NOW + 3600, "iat": NOW, "version": 2, "jti": "1", "client_id": "a",
    })
}

/// `null` takes a member out.
fn with(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
    value
}

fn token(changes: &Value) -> String {
    ISSUER.mint(&with(claims(), changes)).unwrap()
}

/// One token for every refusal.
fn refused() -> Vec<(Refusal, String)> {
    let header = |changes: Value| {
        let header = with(json!({"alg": "RS256", "kid": ISSUER.key_id()}), &changes).to_string();
        ISSUER.sign(header.as_bytes(), claims().to_string().as_bytes()).unwrap()
    };
    let good = token(&json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    vec![
        (Refusal::MissingToken, String::new()),
        (Refusal::TokenTooLarge, "a".repeat(20_000)),
        (Refusal::NotBearer, "Basic YTpi".to_owned()),
        (Refusal::MalformedBearer, "Bearer a.b.c,".to_owned()),
        (Refusal::NotThreeParts, "my-secret".to_owned()),
        (Refusal::MalformedBase64, format!("{good}=")),
        (Refusal::MalformedJson, ISSUER.sign(b"{", b"{}").unwrap()),
        (Refusal::DuplicateMember, ISSUER.sign(br#"{"a":1,"a":2}"#, b"{}").unwrap()),
        (Refusal::Algorithm, header(json!({"alg": "none"}))),
        (Refusal::CriticalHeader, header(json!({"crit": ["exp"]}))),
        (Refusal::MalformedKeyId, header(json!({"kid": null}))),
        (Refusal::UnknownIssuer, token(&json!({"iss": "https://a.example"}))),
        (Refusal::UnknownKey, header(json!({"kid": "another"}))),
        (Refusal::Signature, format!("{signed}.AAAA")),
        (Refusal::TokenUse, token(&json!({"token_use": "id"}))),
        (Refusal::MalformedClientId, token(&json!({"client_id": "a\"b"}))),
        (Refusal::ClientNotAllowed, token(&json!({"client_id": "c", "aud": "b"}))),
        (Refusal::MalformedExp, token(&json!({"exp": "never"}))),
        (Refusal::Expired, token(&json!({"exp": NOW}))),
        (Refusal::MalformedNbf, token(&json!({"nbf": "now"}))),
        (Refusal::NotYetValid, token(&json!({"nbf": NOW + 60}))),
        (Refusal::MalformedIat, token(&json!({"iat": []}))),
        (Refusal::IssuedInFuture, token(&json!({"iat": NOW + 60}))),
        (Refusal::Audience, token(&json!({}))),
        (Refusal::SenderConstrained, token(&json!({"aud": "api", "cnf": {"jkt": "x"}}))),
        (Refusal::MalformedScope, token(&json!({"aud": "api", "scope": []}))),
        (Refusal::MalformedJti, token(&json!({"aud": "api", "jti": 1}))),
    ]
}

#[tokio::test]
async fn every_refusal_is_explained_by_its_first_cause() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--user-pool-id", POOL, "--client-ids", "a,b", "--audience", "api"];
    let explainer = explainer(&folder, &options).unwrap();
    let call: Call = "GET /orders".parse().unwrap();
    let mut seen = BTreeSet::new();
    for (refusal, token) in refused() {
        let label = refusal.label();
        let explanation = explainer.explain(&token, Some(&call)).await;
        assert_eq!((explanation.outcome, explanation.status), (Outcome::Refused, Some(401)), "{label}");
        assert_eq!(explanation.reason, Some(label));
        assert_eq!(explanation.because.as_deref(), Some(refusal.meaning()), "{label}");
        let failed: Vec<&Check> =
            explanation.checks.iter().filter(|check| check.verdict == CheckVerdict::Failed).collect();
        assert!(matches!(failed.as_slice(), [only] if only.reason == Some(label)), "{label}: {failed:?}");
        assert!(explanation.policy.is_none() && explanation.routes.is_empty(), "{label}");
        let (page, script) = (explanation.page(true), serde_json::to_string(&explanation).unwrap());
        let verdict = format!("GET /orders: refused (401), {label}: {}\n", refusal.meaning());
        assert!(page.starts_with(&verdict), "{page}");
        let brief = explanation.page(false);
        assert!(brief.starts_with(&format!("{verdict}\nFailed check\n  FAILED ")), "{brief}");
        assert_eq!(brief.lines().count(), 4, "{brief}");
        for secret in token.split(['.', ' ', ',']).filter(|part| part.len() > 3 && *part != "Bearer") {
            assert!(!page.contains(secret) && !script.contains(secret), "{label} shows `{secret}`");
        }
        seen.insert(refusal);
    }
    assert!(Refusal::ALL.iter().all(|refusal| seen.contains(refusal)));
}

#[tokio::test]
async fn a_good_token_is_explained_route_by_route() {
    let folder = tempfile::tempdir().unwrap();
    let explainer = explainer(&folder, &["--user-pool-id", POOL]).unwrap();
    let good = token(&json!({}));
    let cases = [
        (None, Outcome::Allowed, None, None),
        (Some("GET /orders"), Outcome::Allowed, None, None),
        (Some("get /orders/7"), Outcome::Allowed, None, None),
        (Some("GET /orders/{id}"), Outcome::Allowed, None, None),
        (Some("POST /orders"), Outcome::Denied, Some("insufficient_scope"), Some(403)),
        (Some("GET /orders/7/lines"), Outcome::Denied, Some("no_such_route"), Some(404)),
        (Some("DELETE /orders/7"), Outcome::Denied, Some("no_such_route"), Some(404)),
    ];
    for (call, outcome, reason, status) in cases {
        let call: Option<Call> = call.map(|call| call.parse().unwrap());
        for given in [good.clone(), format!(" bearer {good}\n"), format!("authorization: Bearer {good}")] {
            let explanation = explainer.explain(&given, call.as_ref()).await;
            assert_eq!((explanation.outcome, explanation.reason), (outcome, reason), "{call:?}");
            assert_eq!(explanation.status, status, "{call:?}");
            for route in &explanation.routes {
                assert_eq!(route.allowed, route.missing.is_empty(), "policy and scopes agree: {route:?}");
            }
        }
    }
    let nothing = explainer.explain(&token(&json!({"scope": "openid"})), None).await;
    assert_eq!((nothing.outcome, nothing.reason), (Outcome::Denied, Some("insufficient_scope")));
}

/// The gateway looks at no token before it has found the route.
#[tokio::test]
async fn a_route_that_is_unknown_or_open_is_explained_as_such_whatever_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let explainer = explainer(&folder, &["--user-pool-id", POOL]).unwrap();
    for token in [token(&json!({})), token(&json!({"exp": NOW})), String::new()] {
        let verdict = async |call: &str| {
            let explanation = explainer.explain(&token, Some(&call.parse().unwrap())).await;
            explanation.page(false).lines().next().unwrap().to_owned()
        };
        assert_eq!(
            verdict("GET /ordrs").await,
            "GET /ordrs: denied (404), no_such_route: no route has this method and path, whatever the token; \
             did you mean `GET /orders`?"
        );
        assert_eq!(
            verdict("POST /token").await,
            "POST /token: allowed: the template asks no authorizer about this route"
        );
    }
}

/// An explainer of an API whose `/{a}/{b}` overlaps `/orders/{id}` and `/orders/latest`.
fn overlapping(policy: &str) -> Explainer {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    let routes = r#"{"GET /{a}/{b}": ["s/a"], "GET /orders/{b}": ["s/b"], "GET /orders/latest": ["s/a"]}"#;
    let text = format!(
        "
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth: {{ DefaultAuthorizer: A, Authorizers: {{ A: {{ FunctionArn: !GetAtt A.Arn }} }} }}
  A:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildMethod: rust-cargolambda, BuildProperties: {{ Binary: authorizer }} }}
    Properties: {{ Environment: {{ Variables: {{ ROUTES: '{routes}', POLICY: {policy} }} }} }}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {{ Type: Api, Properties: {{ RestApiId: !Ref Api, Method: GET, Path: '/{{a}}/{{b}}' }} }}
        B: {{ Type: Api, Properties: {{ RestApiId: !Ref Api, Method: GET, Path: '/orders/{{b}}' }} }}
        C: {{ Type: Api, Properties: {{ RestApiId: !Ref Api, Method: GET, Path: /orders/latest }} }}
"
    );
    fs::write(&template, text).unwrap();
    explainer(&folder, &["--user-pool-id", POOL, "--template", template.to_str().unwrap()]).unwrap()
}

#[tokio::test]
async fn a_call_that_the_policy_of_a_token_closes_is_told_as_such() {
    let call = "GET /orders/latest".parse().unwrap();
    let token = token(&json!({"scope": "s/a"}));
    let closed = overlapping("token").explain(&token, Some(&call)).await;
    assert_eq!((closed.outcome, closed.reason), (Outcome::Denied, Some("routes_overlap")));
    let open = overlapping("call").explain(&token, Some(&call)).await;
    assert_eq!((open.outcome, open.reason), (Outcome::Allowed, None));
}

#[tokio::test]
async fn with_a_policy_for_each_call_every_route_is_explained_without_one() {
    let explanation = overlapping("call").explain(&token(&json!({"scope": "s/a"})), None).await;
    insta::assert_snapshot!(explanation.page(false), @r"
    allowed

    Routes
      GET /{a}/{b}             allowed
      GET /orders/{b}          denied  needs s/b
      GET /orders/latest       allowed

    Policy
      one for each call (`POLICY=call`): name a call with `--route` to see it
    ");
}

#[tokio::test]
async fn the_page_says_it_all_and_is_ascii() {
    let folder = tempfile::tempdir().unwrap();
    let explainer = explainer(&folder, &["--user-pool-id", POOL]).unwrap();
    let odd = token(&json!({"note": "\u{202e}\u{1b}[31m\u{1f980}\u{7f}", "scope": "orders/read"}));
    let call = "POST /orders".parse().unwrap();
    let page = explainer.explain(&odd, Some(&call)).await.page(true);
    assert!(page.is_ascii() && !page.contains(|c: char| c.is_control() && c != '\n'), "{page}");
    let brief = explainer.explain(&odd, Some(&call)).await.page(false);
    let (brief, policy) = brief.split_once("\nPolicy\n").unwrap();
    assert!(policy.contains("execute-api:Invoke"), "{policy}");
    insta::assert_snapshot!(brief, @r"
    POST /orders: denied (403), insufficient_scope: the token does not hold orders/write

    Routes
      GET /inventory           denied  needs inventory/read
      GET /inventory/{sku}     denied  needs inventory/read
      POST /inventory          denied  needs inventory/write
      POST /orders             denied  needs orders/write
      GET /orders              allowed
      GET /orders/{id}         allowed
      PATCH /orders/{id}       denied  needs orders/status
      POST /payments           denied  needs payments/write
      GET /payments            denied  needs payments/read
      GET /payments/{id}       denied  needs payments/read
      POST /reports            denied  needs reports/write
      GET /reports/{date}      denied  needs reports/read
    ");
}

#[test]
fn settings_that_do_not_fit_are_told_and_files_that_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        (vec!["--user-pool-id", "nonsense"], "Config"),
        (vec!["--client-ids", "a b"], "Config"),
        (vec!["--jwks", "http://a.example/jwks.json"], "Config"),
        (vec!["--jwks", "missing.json"], "Jwks"),
        (vec!["--template", "missing.yaml"], "Template"),
    ];
    for (options, expected) in cases {
        let options: Vec<&str> = options.into_iter().collect();
        // The last of two wins.
        let fixed =
            ["local", "explain", "--template", concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")];
        let is_template = options.contains(&"--template");
        let line = fixed.iter().take(if is_template { 2 } else { 4 }).chain(&options);
        let Some(Command::Explain(asked)) = CommandLine::parse_from(line).command else { panic!("another") };
        let error = asked.explainer(clock, Log::from_vars(|_| None, |_| {})).unwrap_err();
        assert!(format!("{error:?}").starts_with(expected), "{options:?}: {error:?}");
    }
    drop(folder);
}

#[test]
fn a_call_is_a_method_and_a_path() {
    for good in ["GET /", "post /orders", "GET  /orders/{id}", "PATCH /orders/7"] {
        assert!(good.parse::<Call>().is_ok(), "{good}");
    }
    let long = format!("GET /{}", "a".repeat(1024));
    for bad in
        ["", "GET", "/orders", "GET orders", "GET /a b", "GET /a?b", "GET /*", "G3T /", "GET /\u{e9}", &long]
    {
        assert_eq!(bad.parse::<Call>(), Err(CallError), "{bad}");
    }
}
