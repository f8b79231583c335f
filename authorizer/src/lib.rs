#![doc = include_str!("../README.md")]

mod claims;
mod config;
mod event;
mod handler;
mod json;
mod keys;
pub mod lambda;
mod policy;
mod refusal;
#[cfg(test)]
mod testing;
mod token;
mod verify;

pub use config::{Config, ConfigError, Problem};
pub use handler::{Authorizer, Decided, Explanation, Failure, StartError, Step, Verdict};
pub use keys::{fetch::ClientError, status::KeyStatus};
pub use refusal::{Fault, Refusal};
