//! What is done to a template before it is evaluated: loops are written out, files are included, and the API of events
//! that name none is added.

use std::collections::BTreeMap;

use super::{
    error::{Located, Problem},
    facts::Facts,
    identity::kind_of,
    node::{Kind, Node},
    resource::{API, FUNCTION},
    scope::IMPLICIT_API,
};

const LOOP: &str = "Fn::ForEach::";
const TRANSFORM: &str = "Fn::Transform";
/// Far more than a template of 1 MB holds without a loop.
const NODES: usize = 500_000;

/// Reads a file beside the template; `None` if there is none.
pub(super) type Files<'a> = dyn Fn(&str) -> Result<Option<Node>, Located> + 'a;

/// `node` with the contents of files in place of each `AWS::Include`. Other includes stay as they are.
// SPEC: AWS CloudFormation, "AWS::Include transform"
pub(super) fn include(node: Node, files: &Files<'_>) -> Result<Node, Located> {
    let Node { line, kind } = node;
    let kind = match kind {
        Kind::Call(name, argument) => {
            if name == TRANSFORM
                && let Some(node) = included(&argument, files)?
            {
                return Ok(Node { line, ..node });
            }
            Kind::Call(name, Box::new(include(*argument, files)?))
        }
        Kind::List(items) => {
            Kind::List(items.into_iter().map(|item| include(item, files)).collect::<Result<_, _>>()?)
        }
        Kind::Map(entries) => {
            let mut all = BTreeMap::new();
            for (key, node) in entries {
                match if key == TRANSFORM { included(&node, files)? } else { None } {
                    Some(Node { kind: Kind::Map(entries), .. }) => all.extend(entries),
                    Some(_) | None => {
                        all.insert(key, include(node, files)?);
                    }
                }
            }
            Kind::Map(all)
        }
        kind @ (Kind::Null | Kind::Text(_)) => kind,
    };
    Ok(Node { line, kind })
}

fn included(argument: &Node, files: &Files<'_>) -> Result<Option<Node>, Located> {
    if argument.get("Name").and_then(Node::as_text) != Some("AWS::Include") {
        return Ok(None);
    }
    let location = argument.get("Parameters").and_then(|parameters| parameters.get("Location"));
    location.and_then(Node::as_text).map_or(Ok(None), files)
}

/// `document` with its loops written out.
// SPEC: AWS CloudFormation, "AWS::LanguageExtensions": Fn::ForEach
pub(super) fn loops(document: &Node, facts: &Facts) -> Result<Node, Located> {
    let mut expansion = Expansion { document, facts, nodes: 0 };
    expansion.node(document, &[])
}

struct Expansion<'t> {
    document: &'t Node,
    facts: &'t Facts,
    nodes: usize,
}

/// What a loop's identifier stands for, the innermost loop last.
type Bindings<'a> = [(&'a str, String)];

impl Expansion<'_> {
    fn node(&mut self, node: &Node, bindings: &Bindings<'_>) -> Result<Node, Located> {
        self.nodes += 1;
        if self.nodes > NODES {
            return Err(failure(node, "Fn::ForEach", Problem::TooMuchWork));
        }
        let kind = match &node.kind {
            Kind::Null => Kind::Null,
            Kind::Text(text) => Kind::Text(substitute(text, bindings)),
            Kind::List(items) => {
                Kind::List(items.iter().map(|item| self.node(item, bindings)).collect::<Result<_, _>>()?)
            }
            Kind::Map(entries) => {
                let mut all = BTreeMap::new();
                for (key, value) in entries {
                    if key.starts_with(LOOP) {
                        self.repeat(key, value, bindings, &mut all)?;
                    } else {
                        add(&mut all, substitute(key, bindings), self.node(value, bindings)?)?;
                    }
                }
                Kind::Map(all)
            }
            Kind::Call(name, argument) if name.starts_with(LOOP) => {
                let mut all = BTreeMap::new();
                self.repeat(name, argument, bindings, &mut all)?;
                Kind::Map(all)
            }
            Kind::Call(name, argument) => {
                let bound = argument.as_text().filter(|_| name == "Ref");
                match bound.and_then(|bound| bindings.iter().rev().find(|(name, _)| *name == bound)) {
                    Some((_, value)) => Kind::Text(value.clone()),
                    None => Kind::Call(name.clone(), Box::new(self.node(argument, bindings)?)),
                }
            }
        };
        Ok(Node { line: node.line, kind })
    }

    fn repeat(
        &mut self,
        name: &str,
        argument: &Node,
        bindings: &Bindings<'_>,
        to: &mut BTreeMap<String, Node>,
    ) -> Result<(), Located> {
        let malformed = || {
            let arguments = "an identifier, a list of strings, and what to repeat";
            failure(argument, name, Problem::Arguments("Fn::ForEach", arguments))
        };
        let Some([identifier, collection, Node { kind: Kind::Map(body), .. }]) = argument.as_list() else {
            return Err(malformed());
        };
        let identifier = identifier.as_text().ok_or_else(malformed)?;
        let items = self.items(collection, bindings).ok_or_else(malformed)?;
        for item in items {
            let mut bindings = bindings.to_vec();
            bindings.push((identifier, item));
            for (key, value) in body {
                if key.starts_with(LOOP) {
                    self.repeat(key, value, &bindings, to)?;
                } else {
                    add(to, substitute(key, &bindings), self.node(value, &bindings)?)?;
                }
            }
        }
        Ok(())
    }

    /// The strings of a collection: written there, those of a mapping, or those of a parameter.
    fn items(&self, collection: &Node, bindings: &Bindings<'_>) -> Option<Vec<String>> {
        match &collection.kind {
            Kind::List(items) => {
                let text = |item: &Node| match &item.kind {
                    Kind::Text(text) => Some(vec![substitute(text, bindings)]),
                    Kind::Call(..) => self.items(item, bindings),
                    Kind::Null | Kind::List(_) | Kind::Map(_) => None,
                };
                items.iter().map(text).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
            }
            Kind::Call(name, argument) if name == "Ref" => {
                let value = self.parameter(argument.as_text()?)?;
                Some(value.split(',').map(|item| item.trim().to_owned()).collect())
            }
            Kind::Call(name, argument) if name == "Fn::FindInMap" => {
                let keys @ [_, _, _] = argument.as_list()? else { return None };
                let mappings = self.document.get("Mappings")?;
                let found = keys.iter().try_fold(mappings, |at, key| at.get(&self.key(key, bindings)?))?;
                found.as_list()?.iter().map(|item| item.as_text().map(str::to_owned)).collect()
            }
            Kind::Null | Kind::Text(_) | Kind::Map(_) | Kind::Call(..) => None,
        }
    }

    /// A key of a mapping: written there, what a loop stands at, or the value of a parameter.
    fn key(&self, node: &Node, bindings: &Bindings<'_>) -> Option<String> {
        match &node.kind {
            Kind::Text(text) => Some(substitute(text, bindings)),
            Kind::Call(name, argument) if name == "Ref" => {
                let name = argument.as_text()?;
                let bound = bindings.iter().rev().find(|(bound, _)| *bound == name);
                bound.map(|(_, value)| value.clone()).or_else(|| self.parameter(name).map(str::to_owned))
            }
            Kind::Null | Kind::List(_) | Kind::Map(_) | Kind::Call(..) => None,
        }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let declared = self.document.get("Parameters").and_then(|parameters| parameters.get(name));
        let default = declared.and_then(|declared| declared.get("Default")).and_then(Node::as_text);
        self.facts.parameters.get(name).map(String::as_str).or(default)
    }
}

fn add(to: &mut BTreeMap<String, Node>, key: String, node: Node) -> Result<(), Located> {
    let line = node.line;
    match to.insert(key.clone(), node) {
        None => Ok(()),
        Some(_) => Err(Located { line: Some(line), path: key, problem: Problem::DuplicateKey }),
    }
}

/// `${Identifier}` is its value, `&{Identifier}` its letters and digits alone.
fn substitute(text: &str, bindings: &Bindings<'_>) -> String {
    bindings.iter().rev().fold(text.to_owned(), |text, (name, value)| {
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text.replace(&format!("${{{name}}}"), value).replace(&format!("&{{{name}}}"), &plain)
    })
}

fn failure(node: &Node, path: &str, problem: Problem) -> Located {
    Located { line: Some(node.line), path: path.to_owned(), problem }
}

/// Adds the API of events that name none.
pub(super) fn implicit_api(document: &mut Node) {
    let Some(Kind::Map(resources)) = document.get_mut("Resources").map(|node| &mut node.kind) else { return };
    let names_none = |event: &Node| {
        event.get("Type").and_then(Node::as_text) == Some("Api")
            && event.get("Properties").is_some_and(|properties| properties.get("RestApiId").is_none())
    };
    let has_one = |resource: &Node| {
        let events = resource.get("Properties").and_then(|properties| properties.get("Events"));
        kind_of(resource) == FUNCTION
            && events.and_then(Node::as_map).is_some_and(|events| events.values().any(names_none))
    };
    let Some(line) = resources.values().find(|resource| has_one(resource)).map(|resource| resource.line)
    else {
        return;
    };
    let text = |text: &str| Node { line, kind: Kind::Text(text.to_owned()) };
    let map = |entries: Vec<(&str, Node)>| Node {
        line,
        kind: Kind::Map(entries.into_iter().map(|(key, node)| (key.to_owned(), node)).collect()),
    };
    let properties = map(vec![("StageName", text("Prod"))]);
    let api = map(vec![("Type", text(API)), ("Properties", properties)]);
    resources.entry(IMPLICIT_API.to_owned()).or_insert(api);
}
