//! Gets a token and calls a route, with `CLIENT_ID`, `CLIENT_SECRET`, `TOKEN_URL` and `API_URL` from the environment.

use std::{
    io::{Write, stdout},
    time::Duration,
};

use client::{ApiClient, ApiRequest, Credentials, Http, Method, TokenSource};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "the edge, where the environment comes in")]
async fn main() -> anyhow::Result<()> {
    let credentials = Credentials::from_vars(|name| std::env::var(name).ok())?;
    let tokens = TokenSource::new(credentials, Http::new()?);
    let api = ApiClient::new(tokens, Duration::from_secs(10));

    let request = ApiRequest::new(Method::GET, "/inventory");
    let answer = api.send(&request, &["inventory/read"]).await?;
    writeln!(stdout(), "{} {}", answer.status, String::from_utf8_lossy(&answer.body))?;
    Ok(())
}
