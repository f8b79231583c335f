#![doc = include_str!("../README.md")]

pub mod config;
pub mod cursor;
pub mod entry;
pub mod error;
pub mod inventory;
pub mod json;
pub mod money;
pub mod store;
pub mod text;
pub mod wiring;

#[cfg(test)]
mod testing;
