//! The issuer over HTTP, as OAuth clients see it. Its unit tests cover all rules.

use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::json;
use tests::{Answer, System};

#[tokio::test]
async fn tokens_are_given_out_as_cognito_does() {
    let system = System::start().await;
    let answer = system.ask_for_token("order-service", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));

    let client = system.client("order-service");
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client.client_id,
        client.client_secret.expose_secret()
    );
    let request = system.request(Method::POST, "/oauth2/token");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    assert_eq!(Answer::to(request).await.status, 200, "credentials in the body");
}

#[tokio::test]
async fn refusals_have_the_form_of_rfc_6749() {
    let system = System::start().await;
    let client = system.client("order-service");
    let ask = |secret: &str, form: &'static str| {
        let request =
            system.request(Method::POST, "/oauth2/token").basic_auth(&client.client_id, Some(secret));
        Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(form))
    };
    let secret = client.client_secret.expose_secret();
    let cases = [
        ("wrong secret", ask("wrong", "grant_type=client_credentials").await, "invalid_client"),
        ("no grant type", ask(secret, "").await, "invalid_request"),
        ("another grant type", ask(secret, "grant_type=password").await, "unsupported_grant_type"),
        (
            "another client's scope",
            ask(secret, "grant_type=client_credentials&scope=orders/read").await,
            "invalid_scope",
        ),
    ];
    for (name, answer, error) in cases {
        assert_eq!((answer.status, answer.json()), (400, json!({ "error": error })), "{name}");
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
    }
}

#[tokio::test]
async fn a_client_gets_each_of_its_scopes_and_none_of_the_others() {
    let system = System::start().await;
    let all = &system.client("storefront").scopes;
    for (name, client) in &system.local().clients().0 {
        for scope in all.iter().chain([&"orders/status".to_owned()]) {
            let answer = system.ask_for_token(name, Some(scope)).await;
            let expected = if client.scopes.contains(scope) { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{name} {scope}");
        }
    }
}

#[tokio::test]
async fn two_keys_are_published_in_both_places() {
    let system = System::start().await;
    let own = Answer::to(system.request(Method::GET, "/.well-known/jwks.json")).await;
    assert_eq!(own.json()["keys"].as_array().map(Vec::len), Some(2));
    let issuer = system.local().issuer().url();
    let pool = issuer.rsplit('/').next().unwrap();
    let below = Answer::to(system.request(Method::GET, &format!("/{pool}/.well-known/jwks.json"))).await;
    assert_eq!((own.status, own.text), (below.status, below.text));
}
