//! A reference program: the least that an authorizer in Rust can do. It verifies the token's RSA signature with
//! a key parsed once, and checks nothing else. Never deploy it: it accepts expired tokens, for any scope.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "authorizationToken")]
    authorization: String,
}

#[derive(Serialize)]
struct Answer {
    #[serde(rename = "principalId")]
    principal: &'static str,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "the edge: the key comes in as a setting")]
    let key = std::env::var("FLOOR_PUBLIC_KEY")?;
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, URL_SAFE_NO_PAD.decode(key)?)?;
    let key = &key;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        verify(key, &event.payload.authorization).map(|()| Answer { principal: "floor" })
    }))
    .await
}

fn verify(key: &ParsedPublicKey, authorization: &str) -> Result<(), Error> {
    let token = authorization.strip_prefix("Bearer ").ok_or("Unauthorized")?;
    let (message, signature) = token.rsplit_once('.').ok_or("Unauthorized")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    key.verify_sig(message.as_bytes(), &signature).map_err(|_| "Unauthorized".into())
}
