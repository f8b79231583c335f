//! The whole system over HTTP, and the real binaries over the Lambda Runtime API.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "test code")]

mod cache;
mod events;
mod issuer;
mod outcomes;
mod remote;
mod runtime;
mod template;
mod tokens;
