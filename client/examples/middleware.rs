//! Tokens for `reqwest-middleware`: each request carries one, and a 401 is answered with a fresh one, once.
//! `CLIENT_ID`, `CLIENT_SECRET`, `TOKEN_URL` and `API_URL` come from the environment.

use std::io::{Write, stdout};

use anyhow::Context;
use client::{AccessToken, Credentials, Http, TokenSource};
use http::{Extensions, HeaderValue, StatusCode, header::AUTHORIZATION};
use reqwest::{Request, Response, redirect::Policy};
use reqwest_middleware::{ClientBuilder, Error, Middleware, Next, Result};
use secrecy::ExposeSecret;

/// Adds the tokens of one API. Give it to a client that calls nothing else: whoever is called sees the token.
struct Bearer {
    tokens: TokenSource,
    scopes: &'static [&'static str],
}

#[async_trait::async_trait]
impl Middleware for Bearer {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let token = self.tokens.token(self.scopes).await.map_err(Error::middleware)?;
        // A body that is a stream cannot be sent twice.
        let again = request.try_clone();
        authorize(&mut request, &token)?;
        let answer = next.clone().run(request, extensions).await?;
        let Some(mut again) = again.filter(|_| answer.status() == StatusCode::UNAUTHORIZED) else {
            return Ok(answer);
        };
        let fresh = self.tokens.replacement(self.scopes, &token).await.map_err(Error::middleware)?;
        if fresh.is(&token) {
            return Ok(answer);
        }
        authorize(&mut again, &fresh)?;
        next.run(again, extensions).await
    }
}

fn authorize(request: &mut Request, token: &AccessToken) -> Result<()> {
    let value = format!("Bearer {}", token.secret().expose_secret());
    let mut value = HeaderValue::from_str(&value).map_err(Error::middleware)?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// What the route answers.
pub(crate) async fn inventory(credentials: Credentials) -> anyhow::Result<(StatusCode, String)> {
    let api_url = credentials.api_url.as_ref().context("API_URL is not set")?.to_string();
    let tokens = TokenSource::new(credentials, Http::new()?);
    // For a `reqwest` without its default features, as this one.
    _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // A redirect would carry the token to another address.
    let plain = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let api = ClientBuilder::new(plain).with(Bearer { tokens, scopes: &["inventory/read"] }).build();

    let answer = api.get(format!("{}/inventory", api_url.trim_end_matches('/'))).send().await?;
    Ok((answer.status(), answer.text().await?))
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "the edge, where the environment comes in")]
async fn main() -> anyhow::Result<()> {
    let (status, body) = inventory(Credentials::from_vars(|name| std::env::var(name).ok())?).await?;
    writeln!(stdout(), "{status} {body}")?;
    Ok(())
}
