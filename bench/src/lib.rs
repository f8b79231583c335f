#![doc = include_str!("../README.md")]
//!
//! This library owns what the program and the benches under `benches/` share: clock, endpoints and tokens.

pub mod clock;
pub mod http;
pub mod issuer;
