#![doc = include_str!("../README.md")]

pub mod config;
pub mod log;
pub mod rotate;
pub mod token;
pub mod wiring;

#[cfg(test)]
mod testing;
