//! The one log line that a function writes for each invocation: its format, level, time stamp and outcome.

use std::{fmt, sync::Arc, time::SystemTime};

use serde::Serialize;
use serde_json::Value;

/// How an invocation ended. The metrics of `template.yaml` count these, so a released name never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The token is valid and covers the route called.
    Allowed,
    /// The call was refused: the token is not valid, or does not cover the route called.
    Refused,
    /// A function answered, with a 2xx or a 4xx.
    Answered,
    /// The invocation failed for a reason of our own.
    Fault,
}

/// The level of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// For development.
    Debug,
    /// The one line of an invocation.
    Info,
    /// A problem that resolved itself.
    Warn,
    /// A problem that a person has to look at.
    Error,
}

/// Lambda's two log formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `LEVEL key=value …`
    Text,
    /// One JSON object per line.
    Json,
}

/// A function's log: the format of its lines, the lowest level, and where they go.
#[derive(Clone)]
pub struct Log {
    format: Format,
    least: Level,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// A log with Lambda's settings, which `vars` looks up: `AWS_LAMBDA_LOG_FORMAT` (`JSON`, otherwise text) and
    /// `AWS_LAMBDA_LOG_LEVEL` (`TRACE` to `FATAL`, otherwise `INFO`). `write` gets whole lines, line feed included.
    pub fn from_vars(
        vars: impl Fn(&str) -> Option<String>,
        write: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let is = |name: &str, value: &str| vars(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        let format = if is("AWS_LAMBDA_LOG_FORMAT", "json") { Format::Json } else { Format::Text };
        let level = |value| is("AWS_LAMBDA_LOG_LEVEL", value);
        let least = if level("trace") || level("debug") {
            Level::Debug
        } else if level("warn") {
            Level::Warn
        } else if level("error") || level("fatal") {
            Level::Error
        } else {
            Level::Info
        };
        Self { format, least, write: Arc::new(write) }
    }

    /// Writes one line with `fields`, a flat struct, unless `level` is below the log's.
    pub fn record(&self, level: Level, at: SystemTime, fields: &impl Serialize) {
        if level < self.least {
            return;
        }
        let timestamp = Timestamp(at);
        let line = Line { timestamp, level, fields };
        let text = match self.format {
            Format::Json => as_json(&line),
            Format::Text => serde_json::to_value(fields).ok().map(|fields| as_text(level, &fields)),
        };
        // Only fields that are not a flat struct fail to serialize; the outcome must be logged even then.
        let mut text =
            text.unwrap_or_else(|| r#"{"level":"ERROR","outcome":"fault","reason":"log_line"}"#.to_owned());
        text.push('\n');
        (self.write)(&text);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("format", &self.format)
            .field("least", &self.least)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Line<'a, F> {
    timestamp: Timestamp,
    level: Level,
    #[serde(flatten)]
    fields: &'a F,
}

/// RFC 3339 with milliseconds. Lambda treats a line without a time stamp as INFO, whatever its level.
// SPEC: AWS Lambda, "Log-level filtering": `level` and `timestamp` of a JSON line
struct Timestamp(SystemTime);

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match jiff::Timestamp::try_from(self.0) {
            Ok(time) => serializer.collect_str(&format_args!("{time:.3}")),
            Err(_) => serializer.serialize_none(),
        }
    }
}

/// As `serde_json::to_string`, in a buffer that seldom has to grow.
fn as_json(line: &impl Serialize) -> Option<String> {
    let mut text = Vec::with_capacity(512);
    serde_json::to_writer(&mut text, line).ok()?;
    String::from_utf8(text).ok()
}

/// Formats an object's members as `LEVEL key=value …`. A value that is not one plain word is quoted and escaped, so no
/// string from outside can begin a new line.
pub fn as_text(level: Level, fields: &Value) -> String {
    let mut text = format!("{level:?}").to_uppercase();
    for (key, value) in fields.as_object().into_iter().flatten() {
        let is_plain = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'=')
        };
        let value = match value {
            Value::Null => continue,
            Value::String(word) if is_plain(word) => word.clone(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        };
        text.push(' ');
        text.push_str(key);
        text.push('=');
        text.push_str(&value);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Mutex,
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    #[derive(Serialize)]
    struct Fields {
        outcome: Outcome,
        reason: Option<&'static str>,
        route: &'static str,
        latency_ms: f64,
    }

    fn lines(vars: &[(&str, &str)], level: Level, fields: &impl Serialize) -> String {
        let written = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&written);
        let vars: Vec<(String, String)> = vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let look_up = |name: &str| vars.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
        let log = Log::from_vars(look_up, move |line| sink.lock().unwrap().push_str(line));
        log.record(level, UNIX_EPOCH + Duration::from_millis(1_700_000_000_123), fields);
        written.lock().unwrap().clone()
    }

    const FIELDS: Fields =
        Fields { outcome: Outcome::Refused, reason: None, route: "GET /a\nERROR x=1", latency_ms: 0.25 };

    #[test]
    fn json_lines_carry_time_level_and_fields_flat() {
        let line = lines(&[("AWS_LAMBDA_LOG_FORMAT", "JSON")], Level::Info, &FIELDS);
        insta::assert_snapshot!(line, @r#"{"timestamp":"2023-11-14T22:13:20.123Z","level":"INFO","outcome":"refused","reason":null,"route":"GET /a\nERROR x=1","latency_ms":0.25}"#);
    }

    #[test]
    fn text_lines_stay_one_line() {
        let line = lines(&[], Level::Info, &FIELDS);
        insta::assert_snapshot!(line, @r#"INFO latency_ms=0.25 outcome=refused route="GET /a\nERROR x=1""#);
    }

    #[test]
    fn only_one_plain_word_stands_without_quotes() {
        for word in ["/a", "orders:read", "a'b", "é"] {
            let quoted = as_text(Level::Info, &serde_json::json!({ "a": word }));
            assert_eq!(quoted == format!("INFO a={word}"), word.is_ascii(), "{word}");
        }
        for value in ["", " ", "a b", "a\nERROR", "a\u{7f}b", "a=b", "a\"b"] {
            let quoted = Value::from(value);
            assert_eq!(
                as_text(Level::Info, &serde_json::json!({ "a": value })),
                format!("INFO a={quoted}"),
                "{value:?}"
            );
        }
    }

    #[test]
    fn debug_shows_the_settings() {
        let log = Log::from_vars(|name| (name == "AWS_LAMBDA_LOG_FORMAT").then(|| "json".into()), |_| {});
        assert_eq!(format!("{log:?}"), "Log { format: Json, least: Info, .. }");
    }

    #[test]
    fn the_level_set_for_the_function_is_honoured() {
        let cases = [
            ("", Level::Debug, false),
            ("", Level::Info, true),
            ("nonsense", Level::Info, true),
            ("TRACE", Level::Debug, true),
            ("debug", Level::Debug, true),
            ("WARN", Level::Info, false),
            ("WARN", Level::Warn, true),
            ("ERROR", Level::Warn, false),
            ("FATAL", Level::Error, true),
        ];
        for (set, level, expected) in cases {
            let line = lines(&[("AWS_LAMBDA_LOG_LEVEL", set)], level, &FIELDS);
            assert_eq!(!line.is_empty(), expected, "{set} {level:?}");
        }
    }
}
