#![doc = include_str!("../README.md")]

mod clock;
pub mod config;
pub mod form;
pub mod log;
pub mod rotate;
pub mod token;
#[cfg(feature = "aws")]
pub mod wiring;

#[cfg(test)]
mod testing;
