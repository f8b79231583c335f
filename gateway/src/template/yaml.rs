//! Parses YAML into [`Node`]s: the YAML that CloudFormation supports, with its tags, within limits of size and
//! depth. JSON is YAML too.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{
    error::{Located, Problem},
    node::{Kind, Node},
};

/// What CloudFormation takes of a template.
// SPEC: AWS CloudFormation, "Understand CloudFormation quotas": template body in an S3 object, 1 MB
const BYTES: usize = 1_048_576;
/// Far deeper than any template nests, and far from the end of the stack.
const DEPTH: usize = 64;

/// Reads the one document of `text`.
pub(super) fn read(text: &str) -> Result<Node, Located> {
    if text.len() > BYTES {
        return Err(Located { line: None, path: String::new(), problem: Problem::TooLong(BYTES) });
    }
    read_long(text)
}

/// Reads the one document of `text`, however long it is.
pub(super) fn read_long(text: &str) -> Result<Node, Located> {
    // The events are taken one by one: the parser's own loader recurses, and has no limit to how deep.
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => {
                let problem = Problem::Syntax(error.info().to_owned());
                return Err(builder.failure(error.marker().line(), problem));
            }
        }
    }
    builder.root.take().ok_or_else(|| builder.failure(1, Problem::Shape("a mapping")))
}

/// The document as far as it is read.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

/// A list or a mapping that is not closed yet.
struct Open {
    line: usize,
    tag: Option<String>,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    /// The entries, and the key that waits for its value.
    Map(BTreeMap<String, Node>, Option<(String, usize)>),
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Located> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.failure(line, Problem::YamlFeature("a second document")))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            // SPEC: AWS CloudFormation, "CloudFormation template format": aliases and hash merges are not supported
            Event::Alias(_) => Err(self.failure(line, Problem::YamlFeature("aliases"))),
            Event::SequenceStart(_, tag) => self.open(line, tag.as_deref(), Items::List(Vec::new())),
            Event::MappingStart(_, tag) => self.open(line, tag.as_deref(), Items::Map(BTreeMap::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let kind = match open.items {
                    Items::List(items) => Kind::List(items),
                    Items::Map(entries, _) => long_form(entries),
                };
                self.add(tagged(open.tag, Node { line: open.line, kind }))
            }
            Event::Scalar(text, style, _, tag) => {
                let tag = self.tag(line, tag.as_deref())?;
                let is_null = style == ScalarStyle::Plain
                    && tag.is_none()
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let kind = if is_null { Kind::Null } else { Kind::Text(text.into_owned()) };
                self.add(tagged(tag, Node { line, kind }))
            }
        }
    }

    fn open(&mut self, line: usize, tag: Option<&Tag>, items: Items) -> Result<(), Located> {
        if self.open.len() >= DEPTH {
            return Err(self.failure(line, Problem::TooDeep(DEPTH)));
        }
        if matches!(self.open.last(), Some(Open { items: Items::Map(_, None), .. })) {
            return Err(self.failure(line, Problem::YamlFeature("a key that is not a string")));
        }
        let tag = self.tag(line, tag)?;
        self.open.push(Open { line, tag, items });
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node) -> Result<(), Located> {
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.root = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map(entries, waiting)) => {
                if let Some((key, line)) = waiting.take() {
                    entries.insert(key, Node { line, ..node });
                    return Ok(());
                }
                let Kind::Text(key) = node.kind else {
                    return Err(self.failure(node.line, Problem::YamlFeature("a key that is not a string")));
                };
                let problem = match key.as_str() {
                    "<<" => Some(Problem::YamlFeature("merge keys")),
                    key => entries.contains_key(key).then_some(Problem::DuplicateKey),
                };
                *waiting = Some((key, node.line));
                if let Some(problem) = problem {
                    return Err(self.failure(node.line, problem));
                }
            }
        }
        Ok(())
    }

    /// The long name of the function that a tag stands for; a tag of YAML's own schema says nothing new.
    fn tag(&self, line: usize, tag: Option<&Tag>) -> Result<Option<String>, Located> {
        match tag {
            None => Ok(None),
            Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
                "str" | "int" | "float" | "bool" | "seq" | "map" => Ok(None),
                _ => Err(self.failure(line, Problem::YamlFeature("a tag of this type"))),
            },
            Some(tag) if tag.handle == "!" && matches!(tag.suffix.as_str(), "Ref" | "Condition") => {
                Ok(Some(tag.suffix.clone()))
            }
            Some(tag) if tag.handle == "!" => Ok(Some(format!("Fn::{}", tag.suffix))),
            Some(_) => Err(self.failure(line, Problem::YamlFeature("a tag of this type"))),
        }
    }

    fn failure(&self, line: usize, problem: Problem) -> Located {
        let keys = self.open.iter().filter_map(|open| match &open.items {
            Items::Map(_, Some((key, _))) => Some(key.clone()),
            Items::List(items) => Some(items.len().to_string()),
            Items::Map(_, None) => None,
        });
        Located { line: Some(line), path: keys.collect::<Vec<_>>().join("."), problem }
    }
}

fn tagged(tag: Option<String>, node: Node) -> Node {
    match tag {
        Some(name) => Node { line: node.line, kind: Kind::Call(name, Box::new(node)) },
        None => node,
    }
}

/// A mapping, or the call that it spells out: `{"Fn::Sub": …}`.
fn long_form(mut entries: BTreeMap<String, Node>) -> Kind {
    if entries.len() == 1
        && let Some(entry) = entries.first_entry()
        && (entry.key() == "Ref" || entry.key().starts_with("Fn::"))
    {
        let (name, argument) = entry.remove_entry();
        return Kind::Call(name, Box::new(argument));
    }
    Kind::Map(entries)
}
