//! The two small languages of gateway responses: header mappings and body templates.

use serde_json::Value;

use super::super::{exchange::Exchange, refusal::Refusal};

/// A literal or a variable: the value of a header, or a part of a body.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Variable(Variable),
}

impl Piece {
    /// Reads the mapping of a header: `'literal'`, `context.…` or `method.request.…`; `None` for any other form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(literal) => Some(Self::Text(literal.to_owned())),
            None => match Variable::read(text) {
                Some((variable, "")) => Some(Self::Variable(variable)),
                Some(_) | None => None,
            },
        }
    }

    /// The value, where there is one.
    pub(super) fn value(&self, refusal: &Refusal, exchange: &Exchange<'_>) -> Option<String> {
        match self {
            Self::Text(literal) => Some(literal.clone()),
            Self::Variable(variable) => variable.value(refusal, exchange),
        }
    }
}

/// A body with variables in it: `$context.…`, `$method.request.…`, `$stageVariables.…`.
#[derive(Debug)]
pub(super) struct Body {
    pieces: Vec<Piece>,
    is_json: bool,
}

impl Body {
    /// Reads a template; `None` for one that asks for what gateway responses do not have.
    pub(super) fn parse(media_type: &str, text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            pieces.push(Piece::Text(before.to_owned()));
            let braced = behind.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let read = match braced {
                Some((inner, behind)) => {
                    Variable::read(inner).filter(|(_, left)| left.is_empty()).map(|(v, _)| (v, behind))
                }
                None => Variable::read(behind),
            };
            match read {
                Some((variable, behind)) => {
                    pieces.push(Piece::Variable(variable));
                    rest = behind;
                }
                None if ["input", "util", "{input", "{util"].iter().any(|name| behind.starts_with(name)) => {
                    return None;
                }
                None => {
                    pieces.push(Piece::Text("$".to_owned()));
                    rest = behind;
                }
            }
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Some(Self { pieces, is_json: media_type.contains("json") })
    }

    /// The body. A variable without a value is empty. API Gateway inserts values as they are; into JSON they go
    /// escaped here, so that no value ends the string it stands in.
    pub(super) fn render(&self, refusal: &Refusal, exchange: &Exchange<'_>) -> String {
        let mut body = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => body.push_str(text),
                Piece::Variable(Variable::MessageString) => body.push_str(&message_string(refusal)),
                Piece::Variable(variable) => {
                    let value = variable.value(refusal, exchange).unwrap_or_default();
                    let quoted = Value::String(value.clone()).to_string();
                    let escaped = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                    body.push_str(if self.is_json { escaped.unwrap_or_default() } else { &value });
                }
            }
        }
        body
    }
}

/// A variable of a mapping or a template.
#[derive(Debug)]
pub(super) enum Variable {
    Message,
    /// The message in quotes.
    MessageString,
    ResponseType,
    Context(String),
    Parameter(String),
    Stage(String),
}

impl Variable {
    /// Reads a variable without its `$`; also returns what follows it.
    fn read(text: &str) -> Option<(Self, &str)> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let length = text.find(|c| !is_name(c)).unwrap_or(text.len());
        // A full stop behind a variable ends a sentence.
        let name = text.split_at(length).0.trim_end_matches('.');
        let behind = text.strip_prefix(name)?;
        let variable = if let Some(name) = name.strip_prefix("context.") {
            match name {
                "error.message" => Self::Message,
                "error.messageString" => Self::MessageString,
                "error.responseType" => Self::ResponseType,
                name => Self::Context(name.to_owned()),
            }
        } else if let Some(name) = name.strip_prefix("method.request.") {
            let (place, _) = name.split_once('.')?;
            if !["header", "path", "querystring"].contains(&place) {
                return None;
            }
            Self::Parameter(name.to_owned())
        } else if let Some(name) = name.strip_prefix("stageVariables.") {
            Self::Stage(name.to_owned())
        } else {
            return None;
        };
        Some((variable, behind))
    }

    fn value(&self, refusal: &Refusal, exchange: &Exchange<'_>) -> Option<String> {
        match self {
            Self::Message => refusal.message.map(str::to_owned),
            Self::MessageString => Some(message_string(refusal)),
            Self::ResponseType => Some(refusal.kind.to_owned()),
            Self::Context(name) => exchange.context(name),
            Self::Parameter(name) => exchange.parameter(name),
            Self::Stage(name) => exchange.api.stage_variables.get(name).cloned(),
        }
    }
}

fn message_string(refusal: &Refusal) -> String {
    Value::from(refusal.message).to_string()
}
