#![doc = include_str!("../README.md")]

pub mod http;
pub mod invoke;
pub mod loopback;
pub mod policy_command;
pub mod rest;
pub mod template;
