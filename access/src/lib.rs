#![doc = include_str!("../README.md")]

pub mod arn;
pub mod context;
pub mod log;
pub mod route;
pub mod scope;
pub mod table;
pub mod time;

pub use arn::MethodArn;
pub use context::{Caller, ClientId};
pub use route::{Method, Route};
pub use scope::{Scope, ScopeSet};
pub use table::Table;
pub use time::UnixSeconds;
