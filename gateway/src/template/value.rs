//! Values after evaluation, and `Field`, the way to read them: every reader goes from the top by keys, so that
//! what it refuses names its place. A value that could not be evaluated is an error only for who reads it.

use std::collections::BTreeMap;

use super::error::{Located, Notices, Problem};

/// One evaluated value. It has no `Debug`: a secret may be in it.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) line: usize,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Clone)]
pub(super) enum Content {
    Null,
    /// `AWS::NoValue`: the property, or the item, is not there.
    Nothing,
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    /// Why there is no value.
    Fault(Problem),
}

impl Content {
    /// The string, where `wanted` names what was expected.
    pub(super) fn into_text(self, wanted: &'static str) -> Result<String, Problem> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Fault(problem) => Err(problem),
            Self::Null | Self::Nothing | Self::List(_) | Self::Map(_) => Err(Problem::Shape(wanted)),
        }
    }

    /// The items of a list.
    pub(super) fn into_list(self) -> Result<Vec<Value>, Problem> {
        match self {
            Self::List(items) => Ok(items),
            Self::Fault(problem) => Err(problem),
            Self::Null | Self::Nothing | Self::Text(_) | Self::Map(_) => Err(Problem::Shape("a list")),
        }
    }
}

/// A value and the path to it.
#[derive(Clone)]
pub(super) struct Field<'v> {
    path: String,
    value: &'v Value,
}

impl<'v> Field<'v> {
    /// The value that all others are reached from.
    pub(super) fn root(path: impl Into<String>, value: &'v Value) -> Self {
        Self { path: path.into(), value }
    }

    /// `problem`, at this place.
    pub(super) fn failure(&self, problem: Problem) -> Located {
        Located { line: Some(self.value.line), path: self.path.clone(), problem }
    }

    /// The same place with another value.
    pub(super) fn with<'w>(&self, value: &'w Value) -> Field<'w> {
        Field { path: self.path.clone(), value }
    }

    /// The value itself.
    pub(super) fn value(&self) -> Value {
        self.value.clone()
    }

    /// Whether this is a string.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self.value.content, Content::Text(_))
    }

    /// Another value in this one's place.
    pub(super) fn value_of(&self, content: Content) -> Value {
        Value { line: self.value.line, content }
    }

    /// The member `key`, where there is one.
    pub(super) fn get(&self, key: &str) -> Result<Option<Self>, Located> {
        Ok(self.map()?.get(key).map(|value| self.child(key, value)))
    }

    /// The member `key`.
    pub(super) fn need(&self, key: &str) -> Result<Self, Located> {
        self.get(key)?.ok_or_else(|| Located {
            line: Some(self.value.line),
            path: format!("{}.{key}", self.path),
            problem: Problem::Missing,
        })
    }

    /// The members, by name.
    pub(super) fn entries(&self) -> Result<impl Iterator<Item = (&'v str, Self)>, Located> {
        Ok(self.map()?.iter().map(|(key, value)| (key.as_str(), self.child(key, value))))
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>, Located> {
        let Content::List(items) = &self.value.content else { return Err(self.mismatch("a list")) };
        Ok(items.iter().enumerate().map(|(index, value)| self.child(&index.to_string(), value)))
    }

    /// The strings of a list.
    pub(super) fn texts(&self) -> Result<Vec<String>, Located> {
        self.items()?.map(|item| item.text().map(str::to_owned)).collect()
    }

    /// The text.
    pub(super) fn text(&self) -> Result<&'v str, Located> {
        match &self.value.content {
            // SPEC: AWS CloudFormation, "Get values stored in other services using dynamic references"
            Content::Text(text) if text.contains("{{resolve:") => Err(self.failure(Problem::NotHonoured(
                "dynamic references cannot be resolved without an AWS account",
            ))),
            Content::Text(text) => Ok(text),
            Content::Null | Content::Nothing | Content::List(_) | Content::Map(_) | Content::Fault(_) => {
                Err(self.mismatch("a string"))
            }
        }
    }

    /// The value as JSON, in which every scalar is a string.
    pub(super) fn json(&self) -> Result<serde_json::Value, Located> {
        match &self.value.content {
            Content::Map(_) => {
                self.entries()?.map(|(key, field)| Ok((key.to_owned(), field.json()?))).collect()
            }
            Content::List(_) => self.items()?.map(|item| item.json()).collect(),
            Content::Null | Content::Nothing | Content::Text(_) | Content::Fault(_) => {
                self.text().map(serde_json::Value::from)
            }
        }
    }

    /// True or false.
    pub(super) fn flag(&self) -> Result<bool, Located> {
        match self.text()? {
            text if text.eq_ignore_ascii_case("true") => Ok(true),
            text if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(self.failure(Problem::Shape("true or false"))),
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(&self, least: u64, most: u64) -> Result<u64, Located> {
        let number = self.text()?.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.failure(Problem::Range(least, most)))
    }

    /// A number.
    pub(super) fn number(&self) -> Result<f64, Located> {
        let number = self.text()?.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.failure(Problem::Shape("a number")))
    }

    /// Refuses the first member that is in none of `known`.
    pub(super) fn only(&self, known: &[&[&str]]) -> Result<(), Located> {
        let unknown = self.entries()?.find(|(key, _)| !known.iter().any(|names| names.contains(key)));
        unknown.map_or(Ok(()), |(_, field)| Err(field.failure(Problem::Property)))
    }

    /// Reports each member in `known` as not played, except a switch that is off.
    pub(super) fn tell(&self, known: &[&str], notices: &Notices) -> Result<(), Located> {
        for (_, field) in self.entries()?.filter(|(key, _)| known.contains(key)) {
            let is_off =
                matches!(&field.value.content, Content::Text(text) if text.eq_ignore_ascii_case("false"));
            if !is_off {
                notices.add(field.failure(Problem::NotPlayed("")))?;
            }
        }
        Ok(())
    }

    fn map(&self) -> Result<&'v BTreeMap<String, Value>, Located> {
        let Content::Map(entries) = &self.value.content else { return Err(self.mismatch("a mapping")) };
        Ok(entries)
    }

    /// Why this value is not `wanted`: the reason that it could not be evaluated, or its kind.
    fn mismatch(&self, wanted: &'static str) -> Located {
        match &self.value.content {
            Content::Fault(problem) => self.failure(problem.clone()),
            Content::Null | Content::Nothing | Content::Text(_) | Content::List(_) | Content::Map(_) => {
                self.failure(Problem::Shape(wanted))
            }
        }
    }

    fn child(&self, key: &str, value: &'v Value) -> Self {
        Self { path: format!("{}.{key}", self.path), value }
    }
}
