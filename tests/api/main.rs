//! The whole system over HTTP, and the real binaries over the Lambda Runtime API.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code"
)]

mod bad_input;
mod cache;
mod concurrency;
mod console;
mod elsewhere;
mod events;
mod issuer;
mod journey;
mod killed;
mod lists;
mod outcomes;
mod privileges;
mod readme;
mod remote;
mod rotation;
mod runtime;
mod schedule;
mod template;
mod token_endpoint;
mod tokens;
