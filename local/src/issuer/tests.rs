use std::net::SocketAddr;

use gateway::http::{Headers, Request, Response};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, jwk::JwkSet};
use serde_json::{Value, json};

use super::*;

/// A case's name, the request's headers and body, and what is expected.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

fn issuer() -> Issuer {
    let scopes = vec!["inventory/read".to_owned(), "inventory/write".to_owned()];
    let client = crate::clients::Client {
        client_id: "7abc".into(),
        client_secret: "s3cret".into(),
        scopes: scopes.clone(),
    };
    let clients = crate::clients::Clients([("shop".to_owned(), client)].into());
    let secrets = ClientSecrets::open(None, clients, "http://127.0.0.1:3000".into()).unwrap();
    let (id, name) = ("7abc".into(), "shop".into());
    let client = Client { id, name, scopes, token_life: Duration::from_hours(1) };
    Issuer::open(None, "us-east-1", "us-east-1_Local0000", vec![client], Arc::new(secrets)).unwrap()
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let mut all = Headers::default();
    for (name, value) in headers {
        all.push(name, value);
    }
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    Request { method: method.into(), target: target.into(), headers: all, body: body.to_vec(), peer }
}

fn ask(issuer: &Issuer, headers: &[(&str, &str)], body: &[u8]) -> Response {
    issuer.answer(&request("POST", "/oauth2/token", headers, body), NOW, Uuid::nil).unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Verifies the token with the published keys.
fn verified(issuer: &Issuer, token: &str) -> TokenData<Value> {
    let keys: JwkSet = serde_json::from_str(&issuer.jwks()).unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("the key is published")).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    decode(token, &key, &validation).unwrap()
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
// 7abc:s3cret
const BASIC: (&str, &str) = ("Authorization", "Basic N2FiYzpzM2NyZXQ=");
const GRANT: &[u8] = b"grant_type=client_credentials";

#[test]
fn a_token_has_the_claims_of_cognito() {
    let issuer = issuer();
    let response = ask(&issuer, &[FORM, BASIC], GRANT);
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.first("cache-control"), Some("no-store"));
    assert_eq!(response.headers.first("pragma"), Some("no-cache"));
    let body = body(&response);
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(3600), &json!("Bearer")));
    let token = verified(&issuer, body["access_token"].as_str().unwrap());
    insta::assert_json_snapshot!(token.claims, @r#"
    {
      "auth_time": 1700000000,
      "client_id": "7abc",
      "exp": 1700003600,
      "iat": 1700000000,
      "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Local0000",
      "jti": "00000000-0000-0000-0000-000000000000",
      "scope": "inventory/read inventory/write",
      "sub": "7abc",
      "token_use": "access",
      "version": 2
    }
    "#);
    assert_eq!((token.header.alg, token.header.typ), (Algorithm::RS256, None));
}

#[test]
fn credentials_and_scopes_are_taken_in_each_form_that_they_have() {
    let both = "inventory/read inventory/write";
    let cases: &[Case<'_>] = &[
        ("basic", &[FORM, BASIC], "grant_type=client_credentials", both),
        (
            "scheme in lower case",
            &[FORM, ("authorization", "basic N2FiYzpzM2NyZXQ=")],
            "grant_type=client_credentials",
            both,
        ),
        (
            "encoded before joined",
            &[FORM, ("Authorization", "Basic JTM3YWJjOnMzY3JldA==")],
            "grant_type=client_credentials",
            both,
        ),
        ("body", &[FORM], "grant_type=client_credentials&client_id=7abc&client_secret=s3cret", both),
        ("basic, id in the body", &[FORM, BASIC], "grant_type=client_credentials&client_id=7abc", both),
        (
            "charset",
            &[("content-type", "application/x-www-form-urlencoded; charset=UTF-8"), BASIC],
            "grant_type=client_credentials",
            both,
        ),
        (
            "one scope",
            &[FORM, BASIC],
            "grant_type=client_credentials&scope=inventory%2Fwrite",
            "inventory/write",
        ),
        (
            "scopes in another order, twice",
            &[FORM, BASIC],
            "grant_type=client_credentials&scope=inventory/write+inventory/read+inventory/read",
            both,
        ),
        ("scope without value", &[FORM, BASIC], "grant_type=client_credentials&scope=", both),
        (
            "parameters unknown to us",
            &[FORM, BASIC],
            "grant_type=client_credentials&aws_client_metadata=%7B%7D",
            both,
        ),
    ];
    let issuer = issuer();
    for (name, headers, form, scope) in cases {
        let response = ask(&issuer, headers, form.as_bytes());
        assert_eq!(response.status, 200, "{name}");
        let token = verified(&issuer, body(&response)["access_token"].as_str().unwrap());
        assert_eq!(token.claims["scope"], *scope, "{name}");
    }
}

#[test]
fn refusals_are_400_and_named_by_the_rfc() {
    let basic = |text: &'static str| [FORM, ("Authorization", text)];
    let wrong_secret = basic("Basic N2FiYzpzM2NyZXU=");
    let unknown = basic("Basic eHh4eDpzM2NyZXQ=");
    let bearer = basic("Bearer N2FiYzpzM2NyZXQ=");
    let no_colon = basic("Basic N2FiYw==");
    let no_base64 = basic("Basic !!!");
    let long = format!("grant_type=client_credentials&x={}", "y".repeat(16 * 1024));
    let grant = "grant_type=client_credentials";
    let in_body = "grant_type=client_credentials&client_id=7abc&client_secret=";
    let cases: &[Case<'_>] = &[
        ("wrong secret", &wrong_secret, grant, "invalid_client"),
        ("unknown client", &unknown, grant, "invalid_client"),
        ("another scheme", &bearer, grant, "invalid_client"),
        ("no colon", &no_colon, grant, "invalid_client"),
        ("no base64", &no_base64, grant, "invalid_client"),
        ("wrong secret in the body", &[FORM], &format!("{in_body}s3cres"), "invalid_client"),
        ("longer secret", &[FORM], &format!("{in_body}s3cret1"), "invalid_client"),
        ("empty secret", &[FORM], in_body, "invalid_client"),
        ("no credentials", &[FORM], grant, "invalid_request"),
        ("both ways", &[FORM, BASIC], &format!("{in_body}s3cret"), "invalid_request"),
        ("two ids", &[FORM, BASIC], &format!("{grant}&client_id=other"), "invalid_request"),
        ("two headers", &[FORM, BASIC, BASIC], grant, "invalid_request"),
        ("no grant type", &[FORM, BASIC], "scope=inventory/read", "invalid_request"),
        ("two grant types", &[FORM, BASIC], &format!("{grant}&{grant}"), "invalid_request"),
        ("no content type", &[BASIC], grant, "invalid_request"),
        (
            "JSON",
            &[("Content-Type", "application/json"), BASIC],
            r#"{"grant_type":"client_credentials"}"#,
            "invalid_request",
        ),
        ("too long", &[FORM, BASIC], &long, "invalid_request"),
        ("bad escape", &[FORM, BASIC], &format!("{grant}&scope=%zz"), "invalid_request"),
        ("another grant", &[FORM, BASIC], "grant_type=password", "unsupported_grant_type"),
        ("another grant, wrong secret", &wrong_secret, "grant_type=password", "invalid_client"),
        ("unknown scope", &[FORM, BASIC], &format!("{grant}&scope=orders/read"), "invalid_scope"),
        ("part of a scope", &[FORM, BASIC], &format!("{grant}&scope=inventory"), "invalid_scope"),
        ("one good, one bad", &[FORM, BASIC], &format!("{grant}&scope=inventory/read+x"), "invalid_scope"),
    ];
    let issuer = issuer();
    for (name, headers, form, error) in cases {
        let response = ask(&issuer, headers, form.as_bytes());
        assert_eq!((response.status, body(&response)), (400, json!({ "error": error })), "{name}");
        assert_eq!(response.headers.first("cache-control"), Some("no-store"), "{name}");
    }
}

#[test]
fn only_the_issuers_own_paths_and_methods_are_answered() {
    let issuer = issuer();
    let status = |method, target| {
        issuer.answer(&request(method, target, &[], b""), NOW, Uuid::nil).map(|response| response.status)
    };
    let cases = [
        ("GET", "/.well-known/jwks.json", Some(200)),
        ("GET", "/.well-known/jwks.json?x=1", Some(200)),
        ("GET", "/us-east-1_Local0000/.well-known/jwks.json", Some(200)),
        ("POST", "/.well-known/jwks.json", Some(405)),
        ("GET", "/oauth2/token", Some(405)),
        ("GET", "/us-east-1_Other0000/.well-known/jwks.json", None),
        ("GET", "//.well-known/jwks.json", None),
        ("POST", "/oauth2/token/", None),
        ("POST", "/OAuth2/token", None),
        ("GET", "/inventory", None),
    ];
    for (method, target, expected) in cases {
        assert_eq!(status(method, target), expected, "{method} {target}");
    }
}

#[test]
fn a_rotated_key_signs_at_once_and_the_one_before_stays_published() {
    let issuer = issuer();
    let claims = json!({ "sub": "x" });
    let (before, old) = (issuer.key_id(), issuer.mint(&claims).unwrap());
    issuer.rotate().unwrap();
    assert_ne!(issuer.key_id(), before);
    verified(&issuer, &issuer.mint(&claims).unwrap());
    verified(&issuer, &old);
    issuer.rotate().unwrap();
    assert!(!issuer.jwks().contains(&before), "withdrawn after the second rotation");
}

#[test]
fn debug_output_shows_no_secret() {
    let issuer = issuer();
    let parsed = TokenRequest::parse(&request("POST", "/oauth2/token", &[FORM, BASIC], GRANT)).unwrap();
    let shown = format!("{issuer:?} {parsed:?}");
    assert!(shown.contains("7abc") && !shown.contains("s3cret"), "{shown}");
}
