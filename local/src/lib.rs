#![doc = include_str!("../README.md")]

mod access_log;
pub mod clients;
mod console;
mod data;
mod database;
mod demo;
pub mod event;
mod exchange;
pub mod explain;
mod front;
mod functions;
pub mod issuer;
pub mod options;
mod port;
mod rotation;
pub mod routes;
pub mod run;
mod running;
mod schedule;
mod secrets;
mod system;
mod template_file;
mod terminal;
mod try_it;

pub use data::DataError;
pub use database::DatabaseError;
pub use demo::DemoError;
pub use functions::FunctionsError;
pub use port::PortError;
pub use rotation::RotatorError;
pub use running::RunningError;
pub use schedule::ScheduleError;
pub use secrets::SecretsError;
pub use system::{Local, StartError};
pub use template_file::TemplateFileError;
