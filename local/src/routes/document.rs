//! A JSON or YAML document of any kind as JSON, every scalar of YAML a string: what is looked at here are names.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use gateway::template::{self, TemplateError};
use serde_json::Value;

/// Larger than any API description that is known.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be read.
    #[error("`{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// Over 64 MiB.
    #[error("`{}` is larger than 64 MiB", .0.display())]
    Large(PathBuf),
    /// Not JSON, although it begins with a brace.
    #[error("`{}` is not valid JSON", .0.display())]
    Json(PathBuf, #[source] serde_json::Error),
    /// Not YAML either.
    #[error(transparent)]
    Yaml(#[from] TemplateError),
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Value, DocumentError> {
    let unreadable = |error| DocumentError::Read(path.to_owned(), error);
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(DocumentError::Large(path.to_owned()));
    }
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| DocumentError::Json(path.to_owned(), error));
    }
    Ok(template::yaml_as_json(&path.display().to_string(), &text)?)
}
