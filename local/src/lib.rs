//! local

pub mod clients;
pub mod database;
pub mod gateway;
pub mod issuer;
pub mod options;
pub mod template;
