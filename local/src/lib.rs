//! local

pub mod gateway;
pub mod template;
