//! A JSON or YAML document of any kind as JSON, every scalar of YAML a string: what is looked at here are names.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// Larger than any API description that is known.
const LARGEST: u64 = 64 * 1024 * 1024;
const DEPTH: usize = 128;

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be read.
    #[error("`{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// Over 64 MiB.
    #[error("`{}` is larger than 64 MiB", .0.display())]
    Large(PathBuf),
    /// Not JSON and not YAML either.
    #[error("`{}`, line {line}: not valid JSON or YAML: {problem}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from one.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Value, DocumentError> {
    let unreadable = |error| DocumentError::Read(path.to_owned(), error);
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(DocumentError::Large(path.to_owned()));
    }
    let syntax = |line, problem| DocumentError::Syntax { path: path.to_owned(), line, problem };
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| syntax(error.line(), error.to_string()));
    }
    yaml(&text).map_err(|(line, problem)| syntax(line, problem))
}

/// A list or a mapping that is not closed yet.
enum Open {
    List(Vec<Value>),
    /// The entries, and the key that waits for its value.
    Map(Map<String, Value>, Option<String>),
}

fn yaml(text: &str) -> Result<Value, (usize, String)> {
    let mut open: Vec<Open> = Vec::new();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| (error.marker().line(), error.info().to_owned()))?;
        let refused = |problem: &str| Err((span.start.line(), problem.to_owned()));
        let value = match event {
            Event::Scalar(text, ScalarStyle::Plain, _, _) if matches!(&*text, "" | "~" | "null") => {
                Value::Null
            }
            Event::Scalar(text, ..) => text.into_owned().into(),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH => {
                return refused("nested too deep");
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => items.into(),
                Some(Open::Map(entries, _)) => entries.into(),
                None => continue,
            },
            // One alias in another makes a small text a huge document.
            Event::Alias(_) => return refused("aliases are not read here: write the value out"),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => continue,
        };
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(entries, waiting)) => match waiting.take() {
                Some(key) => {
                    if entries.insert(key, value).is_some() {
                        return refused("a key is there twice");
                    }
                }
                None => match value {
                    Value::String(key) => *waiting = Some(key),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        return refused("a key is not a string");
                    }
                },
            },
        }
    }
    Err((1, "the document is empty".to_owned()))
}
