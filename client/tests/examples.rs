//! The examples do what they say.

#[expect(dead_code, reason = "its main reads the environment")]
#[path = "../examples/middleware.rs"]
mod middleware;

use client::{Credentials, SecretString};
use test_support::{Stub, reply};

#[tokio::test]
async fn the_middleware_sends_a_token_and_after_a_401_a_fresh_one() {
    let api = Stub::new(|count, heard| {
        let token = format!(r#"{{"access_token":"token-{count}","token_type":"Bearer","expires_in":3600}}"#);
        match (heard.path(), heard.header("authorization")) {
            ("/token", _) => reply(200, "", token),
            ("/prod/inventory", Some("Bearer token-2")) => reply(200, "", "the items"),
            _ => reply(401, "", ""),
        }
    })
    .await;
    let credentials = Credentials {
        client_id: "id".to_owned(),
        client_secret: SecretString::from("s3cr3t"),
        token_url: api.url("/token").parse().unwrap(),
        api_url: Some(api.url("/prod").parse().unwrap()),
    };
    let (status, body) = middleware::inventory(credentials).await.unwrap();
    assert_eq!((status.as_u16(), body.as_str()), (200, "the items"));
    assert_eq!(api.count(), 4);
}
