//! `Call`: the method and path that an explanation is asked for.

use std::{fmt, str::FromStr};

/// `POST /orders`: a method and a path, the path as a caller sends it or as the route table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub(super) verb: String,
    pub(super) path: String,
}

/// Not a method and a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a method and a path such as `POST /orders`")]
pub struct CallError;

impl Call {
    /// What a method ARN says of it, behind the stage.
    pub(super) fn resource(&self) -> String {
        format!("{}{}", self.verb, self.path)
    }
}

impl FromStr for Call {
    type Err = CallError;

    fn from_str(text: &str) -> Result<Self, CallError> {
        let (verb, path) = text.trim().split_once(' ').ok_or(CallError)?;
        let path = path.trim_start();
        let is_path = path.starts_with('/')
            && path.len() <= 1024
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#*".contains(&byte));
        let is_verb = (1..=16).contains(&verb.len()) && verb.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_verb && is_path {
            Ok(Self { verb: verb.to_ascii_uppercase(), path: path.to_owned() })
        } else {
            Err(CallError)
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.path)
    }
}
