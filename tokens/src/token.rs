//! The function `token`: a token cache that all processes of a client share, behind `POST /token`.

mod cache;
mod handler;
mod request;
mod seal;
mod table;
mod upstream;

pub use handler::{Failure, TokenFunction};
pub(crate) use request::TokenRequest;
pub(crate) use upstream::{Upstream, UpstreamError};
