#![doc = include_str!("../README.md")]
//!
//! This file owns the list of what is public; everything else is left to the modules.

mod api;
mod aws;
mod credentials;
mod endpoint;
mod error;
mod http;
mod pace;
mod source;
#[cfg(test)]
mod stub;
mod token;
mod url;

pub use api::{ApiClient, ApiError, ApiRequest, ApiResponse, segment};
pub use credentials::{
    ClientsFile, Credentials, CredentialsError, CredentialsSource, Problem, Reading, SecretsManager,
};
pub use error::{OAuthError, TokenError};
pub use http::{Http, HttpError};
pub use reqwest::{Method, StatusCode};
pub use secrecy::SecretString;
pub use source::TokenSource;
pub use token::AccessToken;
pub use url::{ServiceUrl, UrlError};
