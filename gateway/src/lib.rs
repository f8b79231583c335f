#![doc = include_str!("../README.md")]

pub mod http;
pub mod invoke;
mod log;
pub mod loopback;
pub mod options;
pub mod policy_command;
pub mod rest;
pub mod run;
pub mod template;
