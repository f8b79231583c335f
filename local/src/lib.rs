//! local

pub mod gateway;
