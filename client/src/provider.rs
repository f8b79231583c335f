//! The trait for code that needs tokens, wherever they come from.

use std::pin::Pin;

use crate::{error::TokenError, source::TokenSource, token::AccessToken};

/// A future token.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send + 'a>>;

/// A provider of access tokens: a [`TokenSource`], or a test's substitute.
///
/// ```
/// use client::{AccessToken, TokenFuture, TokenProvider};
/// use std::time::{Duration, SystemTime};
///
/// struct Fixed;
///
/// impl TokenProvider for Fixed {
///     fn token<'a>(&'a self, _scopes: &'a [&'a str]) -> TokenFuture<'a> {
///         let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800);
///         Box::pin(async move { Ok(AccessToken::new("the-token", expires_at)) })
///     }
/// }
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// A token of `scopes`, in any order; no scopes stand for all that the client has.
    fn token<'a>(&'a self, scopes: &'a [&'a str]) -> TokenFuture<'a>;

    /// Another token than `refused`, to which an API has answered 401. A provider that has no other returns `refused`,
    /// as this default does; then the call is not repeated.
    fn replacement<'a>(&'a self, scopes: &'a [&'a str], refused: &'a AccessToken) -> TokenFuture<'a> {
        let _ = scopes;
        Box::pin(std::future::ready(Ok(refused.clone())))
    }
}

impl TokenProvider for TokenSource {
    fn token<'a>(&'a self, scopes: &'a [&'a str]) -> TokenFuture<'a> {
        Box::pin(self.token(scopes))
    }

    fn replacement<'a>(&'a self, scopes: &'a [&'a str], refused: &'a AccessToken) -> TokenFuture<'a> {
        Box::pin(self.replacement(scopes, refused))
    }
}
