#![cfg_attr(feature = "aws", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "aws"),
    doc = "Access tokens by the OAuth 2.0 client-credentials grant, and calls of APIs with them."
)]

mod api;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "cli")]
pub mod cli;
mod credentials;
mod endpoint;
mod error;
mod http;
mod pace;
mod provider;
mod source;
mod token;
mod url;

#[cfg(feature = "aws")]
pub use aws::aws_config;
#[cfg(feature = "aws")]
pub use credentials::SecretsManager;

pub use ::http::{HeaderMap, Method, Request, StatusCode};
pub use api::{ApiClient, ApiError, ApiRequest, TIME_LEFT, segment};
pub use credentials::{
    ClientsFile, ClientsFileError, Credentials, CredentialsError, CredentialsSource, Problem, Reading,
};
pub use endpoint::ClientAuthentication;
pub use error::{ConnectionError, OAuthError, TokenError};
pub use http::{ExchangeError, Http, HttpBuilder, HttpError, Response};
pub use provider::{TokenFuture, TokenProvider};
pub use secrecy::SecretString;
pub use source::{TokenSource, TokenSourceBuilder};
pub use token::AccessToken;
pub use url::{ServiceUrl, UrlError};
