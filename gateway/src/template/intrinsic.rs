//! The intrinsic functions that give a value: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If`, `Fn::Join`, `Fn::Split`,
//! `Fn::Select` and `Fn::FindInMap`.

use std::collections::BTreeMap;

use super::{
    error::Problem,
    node::{Kind, Node},
    scope::{Scope, Trail},
    value::{Content, Value},
};

impl Scope<'_> {
    /// What the function `name` gives for `argument`.
    pub(super) fn call(&self, name: &str, argument: &Node, trail: &Trail<'_>) -> Result<Content, Problem> {
        let operands = argument.as_list().unwrap_or_default();
        match name {
            "Ref" => self.reference(name_of(argument).ok_or(Problem::Arguments("Ref", "a name"))?, trail),
            "Fn::GetAtt" => self.get_attribute(argument, trail).map(Content::Text),
            "Fn::Sub" => self.substitute(argument, trail).map(Content::Text),
            "Fn::If" => {
                let [condition, then, otherwise] = operands else {
                    return Err(Problem::Arguments("Fn::If", "a condition's name and two values"));
                };
                let condition = condition.as_text().ok_or(Problem::Shape("a condition's name"))?;
                let chosen = if self.named_condition(condition, trail)? { then } else { otherwise };
                Ok(self.value(chosen, trail).content)
            }
            "Fn::Join" => self.join(operands, trail).map(Content::Text),
            "Fn::Split" => {
                let [delimiter, source] = operands else {
                    return Err(Problem::Arguments("Fn::Split", "a delimiter and a string"));
                };
                let (delimiter, source) = (self.text(delimiter, trail)?, self.text(source, trail)?);
                if delimiter.is_empty() {
                    return Err(Problem::Arguments("Fn::Split", "a delimiter and a string"));
                }
                let value =
                    |part: &str| Value { line: argument.line, content: Content::Text(part.to_owned()) };
                Ok(Content::List(source.split(delimiter.as_str()).map(value).collect()))
            }
            "Fn::Select" => self.select(operands, trail),
            "Fn::FindInMap" => self.find_in_map(operands, trail),
            "Fn::Base64" | "Fn::Cidr" | "Fn::GetAZs" | "Fn::ImportValue" | "Fn::Length"
            | "Fn::ToJsonString" | "Fn::Transform" => {
                Err(Problem::NotPlayed("an intrinsic function that is not evaluated"))
            }
            _ => Err(Problem::Intrinsic(name.to_owned())),
        }
    }

    fn get_attribute(&self, argument: &Node, trail: &Trail<'_>) -> Result<String, Problem> {
        const ARGUMENTS: Problem = Problem::Arguments("Fn::GetAtt", "a logical id and an attribute");
        match &argument.kind {
            Kind::Text(text) => {
                let (logical_id, attribute) = text.split_once('.').ok_or(ARGUMENTS)?;
                self.attribute(logical_id, attribute, trail)
            }
            Kind::List(items) => {
                let [logical_id, attribute] = items.as_slice() else { return Err(ARGUMENTS) };
                let logical_id = name_of(logical_id).ok_or(ARGUMENTS)?;
                self.attribute(logical_id, name_of(attribute).ok_or(ARGUMENTS)?, trail)
            }
            Kind::Null | Kind::Map(_) | Kind::Call(..) => Err(ARGUMENTS),
        }
    }

    fn substitute(&self, argument: &Node, trail: &Trail<'_>) -> Result<String, Problem> {
        const ARGUMENTS: Problem =
            Problem::Arguments("Fn::Sub", "a string, or a string and a mapping of strings");
        let none = BTreeMap::new();
        let (mut rest, variables) = match &argument.kind {
            Kind::Text(text) => (text.as_str(), &none),
            Kind::List(items) => match items.as_slice() {
                [text, variables] => (text.as_text().ok_or(ARGUMENTS)?, variables.as_map().ok_or(ARGUMENTS)?),
                _ => return Err(ARGUMENTS),
            },
            Kind::Null | Kind::Map(_) | Kind::Call(..) => return Err(ARGUMENTS),
        };
        let mut result = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, after) = after.split_once('}').ok_or(ARGUMENTS)?;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str("${");
                result.push_str(literal);
                result.push('}');
            } else if let Some(variable) = variables.get(name) {
                result.push_str(&self.text(variable, trail)?);
            } else if let Some((logical_id, attribute)) = name.split_once('.') {
                result.push_str(&self.attribute(logical_id, attribute, trail)?);
            } else {
                result.push_str(&self.reference(name, trail)?.into_text("a string")?);
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn join(&self, operands: &[Node], trail: &Trail<'_>) -> Result<String, Problem> {
        let [delimiter, list] = operands else {
            return Err(Problem::Arguments("Fn::Join", "a delimiter and a list of strings"));
        };
        let delimiter = delimiter.as_text().ok_or(Problem::Shape("a string"))?;
        let items = self.value(list, trail).content.into_list()?.into_iter();
        let texts = items.map(|item| item.content.into_text("a list of strings"));
        Ok(texts.collect::<Result<Vec<_>, _>>()?.join(delimiter))
    }

    fn select(&self, operands: &[Node], trail: &Trail<'_>) -> Result<Content, Problem> {
        const ARGUMENTS: Problem = Problem::Arguments("Fn::Select", "an index and a list that has it");
        let [index, list] = operands else { return Err(ARGUMENTS) };
        let index: usize = self.text(index, trail)?.parse().map_err(|_| ARGUMENTS)?;
        let item = self.value(list, trail).content.into_list()?.into_iter().nth(index).ok_or(ARGUMENTS)?;
        Ok(item.content)
    }

    fn find_in_map(&self, operands: &[Node], trail: &Trail<'_>) -> Result<Content, Problem> {
        // Says no name that was computed: a secret may be in it.
        const ARGUMENTS: Problem =
            Problem::Arguments("Fn::FindInMap", "the name of a mapping and two keys that it has");
        let [map, first, second] = operands else { return Err(ARGUMENTS) };
        let mut found = self.document.get("Mappings");
        for key in [map, first, second] {
            let key = self.text(key, trail)?;
            found = Some(found.and_then(|node| node.get(&key)).ok_or(ARGUMENTS)?);
        }
        Ok(found.map_or(Content::Null, |node| self.value(node, trail).content))
    }
}

/// The name of a parameter, a resource or an attribute: written there, or an `Fn::Sub` of which a loop has left no variable.
/// Nothing is computed: an error names it, and a secret could be in it.
// SPEC: AWS CloudFormation, "AWS::LanguageExtensions": intrinsic functions in Ref and Fn::GetAtt
fn name_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Text(name) => Some(name),
        Kind::Call(function, name) if function == "Fn::Sub" => {
            name.as_text().filter(|name| !name.contains("${"))
        }
        Kind::Null | Kind::List(_) | Kind::Map(_) | Kind::Call(..) => None,
    }
}
