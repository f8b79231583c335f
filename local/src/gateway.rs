//! Owns API Gateway REST on loopback: HTTP to event, the authorizer and its cache, policy evaluation, throttling,
//! gateway responses. Knows nothing of our functions: it gets an [`api::Api`] and a way to invoke a function by name.

pub mod api;
pub mod http;
pub mod invoke;
pub mod server;
