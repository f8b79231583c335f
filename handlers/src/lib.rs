#![doc = include_str!("../README.md")]

mod attempt;
pub mod config;
pub mod cursor;
pub mod day;
pub mod day_list;
pub mod entry;
pub mod error;
pub mod events;
pub mod id;
pub mod inventory;
pub mod json;
pub mod money;
#[cfg(feature = "schema")]
pub mod openapi;
pub mod orders;
pub mod payments;
pub mod reports;
pub mod routes;
#[cfg(feature = "schema")]
mod schema;
pub mod store;
pub mod sweep;
pub mod text;
pub mod upstream;
#[cfg(feature = "aws")]
pub mod wiring;

#[cfg(test)]
mod testing;
