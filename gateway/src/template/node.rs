//! The template as it is written: scalars, lists, mappings and calls of intrinsic functions, each with its line.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// One value of the document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The line of the value or, in a mapping, of its key.
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// The kinds of values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    /// Any scalar: CloudFormation converts strings to numbers and back where a property needs it.
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
    /// An intrinsic function by its long name, `Ref` or `Fn::Sub`, however it was written.
    Call(String, Box<Node>),
}

impl Node {
    /// An empty mapping.
    pub(super) fn empty(line: usize) -> Self {
        Self { line, kind: Kind::Map(BTreeMap::new()) }
    }

    /// The value of `key`, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value of `key`, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Kind::Map(entries) = &mut self.kind else { return None };
        entries.get_mut(key)
    }

    /// The text, if this is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        let Kind::Text(text) = &self.kind else { return None };
        Some(text)
    }

    /// The items, if this is a list.
    pub(super) fn as_list(&self) -> Option<&[Self]> {
        let Kind::List(items) = &self.kind else { return None };
        Some(items)
    }

    /// The entries, if this is a mapping.
    pub(super) fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        let Kind::Map(entries) = &self.kind else { return None };
        Some(entries)
    }

    /// The value as JSON, in which every scalar is a string.
    pub(super) fn into_json(self) -> Value {
        match self.kind {
            Kind::Null => Value::Null,
            Kind::Text(text) => text.into(),
            Kind::List(items) => items.into_iter().map(Self::into_json).collect(),
            Kind::Map(entries) => entries.into_iter().map(|(key, node)| (key, node.into_json())).collect(),
            Kind::Call(name, argument) => json!({ name: argument.into_json() }),
        }
    }

    /// This value with what `Globals` says beneath it.
    // SPEC: AWS SAM, "Globals section": mappings are merged, lists are added behind the global ones, all else is replaced
    pub(super) fn over(&self, global: &Self) -> Self {
        let kind = match (&global.kind, &self.kind) {
            (Kind::Map(global), Kind::Map(own)) => {
                let mut merged = global.clone();
                for (key, node) in own {
                    let node = merged.get(key).map_or_else(|| node.clone(), |global| node.over(global));
                    merged.insert(key.clone(), node);
                }
                Kind::Map(merged)
            }
            (Kind::List(global), Kind::List(own)) => Kind::List(global.iter().chain(own).cloned().collect()),
            (_, own) => own.clone(),
        };
        Self { line: self.line, kind }
    }
}
