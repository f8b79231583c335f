//! Evaluation: what a node comes to, given the parameters, the conditions and the facts. What each intrinsic
//! function does is in [`super::intrinsic`], what a resource is called in [`super::identity`].

use std::{
    cell::{Cell, OnceCell},
    collections::BTreeMap,
};

use super::{
    error::{Located, Problem},
    facts::Facts,
    node::{Kind, Node},
    parameter::{self, Parameters},
    value::{Content, Value},
};

/// What SAM calls the API of events that name none.
// SPEC: AWS SAM, "Generated CloudFormation resources": ServerlessRestApi
pub(super) const IMPLICIT_API: &str = "ServerlessRestApi";
/// Nodes evaluated and bytes produced, at most: names that use names can grow without bound.
const WORK: usize = 16 * 1024 * 1024;
/// Evaluations within evaluations, at most: far deeper than any template goes, and far from the end of the stack.
const DEPTH: usize = 128;

/// Everything that evaluation looks at.
pub(super) struct Scope<'t> {
    pub(super) document: &'t Node,
    pub(super) facts: &'t Facts,
    pub(super) parameters: Parameters,
    /// The logical id of the API that is served, once it is known.
    pub(super) served_api: OnceCell<String>,
    /// Whether `Fn::GetAtt` of a client's secret has a value just now.
    pub(super) reveals_secrets: Cell<bool>,
    work: Cell<usize>,
    depth: Cell<usize>,
}

/// The names whose values are being worked out, the innermost first.
#[derive(Clone, Copy)]
pub(super) struct Trail<'a> {
    name: &'a str,
    outer: Option<&'a Self>,
}

impl<'a> Trail<'a> {
    /// Nothing is being worked out.
    pub(super) const START: Self = Self { name: "", outer: None };

    /// Goes on to `name`, which must not be on the way already.
    pub(super) fn enter<'b>(&'b self, name: &'b str) -> Result<Trail<'b>, Problem>
    where
        'a: 'b,
    {
        let mut step = self;
        while let Some(outer) = step.outer {
            if step.name == name {
                return Err(Problem::Cycle(name.to_owned()));
            }
            step = outer;
        }
        Ok(Trail { name, outer: Some(self) })
    }
}

impl<'t> Scope<'t> {
    /// Reads the parameters; all else is evaluated when it is asked for.
    pub(super) fn new(document: &'t Node, facts: &'t Facts) -> Result<Self, Located> {
        let mut scope = Self {
            document,
            facts,
            parameters: BTreeMap::new(),
            served_api: OnceCell::new(),
            reveals_secrets: Cell::new(false),
            work: Cell::new(0),
            depth: Cell::new(0),
        };
        scope.parameters =
            parameter::read(document.get("Parameters"), facts, |node| scope.value(node, &Trail::START))?;
        Ok(scope)
    }

    /// The value of `node`; a fault where it has none.
    pub(super) fn value(&self, node: &Node, trail: &Trail<'_>) -> Value {
        let content = self.bounded(|| {
            let content = match &node.kind {
                Kind::Null => Content::Null,
                Kind::Text(text) => Content::Text(text.clone()),
                Kind::List(items) => self.list(items, trail),
                Kind::Map(entries) => self.map(entries, trail),
                Kind::Call(name, argument) => self.call(name, argument, trail)?,
            };
            self.spend(match &content {
                Content::Text(text) => text.len(),
                Content::List(items) => items.len().saturating_mul(size_of::<Value>()),
                Content::Null | Content::Nothing | Content::Map(_) | Content::Fault(_) => 0,
            })?;
            Ok(content)
        });
        Value { line: node.line, content: content.unwrap_or_else(Content::Fault) }
    }

    /// The value of `node`, in which clients' secrets may be.
    pub(super) fn value_with_secrets(&self, node: &Node) -> Value {
        self.reveals_secrets.set(true);
        let value = self.value(node, &Trail::START);
        self.reveals_secrets.set(false);
        value
    }

    /// The string that `node` evaluates to.
    pub(super) fn text(&self, node: &Node, trail: &Trail<'_>) -> Result<String, Problem> {
        self.value(node, trail).content.into_text("a string")
    }

    /// What `Ref` gives.
    pub(super) fn reference(&self, name: &str, trail: &Trail<'_>) -> Result<Content, Problem> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.content.clone());
        }
        Ok(Content::Text(match name {
            "AWS::NoValue" => return Ok(Content::Nothing),
            "AWS::AccountId" => self.facts.account_id.clone(),
            "AWS::Partition" => self.facts.partition.clone(),
            "AWS::Region" => self.facts.region.clone(),
            "AWS::StackName" => self.facts.stack_name.clone(),
            "AWS::StackId" => self.facts.arn("cloudformation", &format!("stack/{}/0", self.facts.stack_name)),
            "AWS::NotificationARNs" => return Ok(Content::List(Vec::new())),
            "AWS::URLSuffix" => self.facts.url_suffix().to_owned(),
            _ => self.identity(name, trail)?,
        }))
    }

    /// The resource `logical_id` as it is written, if its condition holds.
    pub(super) fn resource(&self, logical_id: &str, trail: &Trail<'_>) -> Result<&'t Node, Problem> {
        let resource = self.document.get("Resources").and_then(|resources| resources.get(logical_id));
        let unknown = || Problem::Unknown("parameter or resource", logical_id.to_owned());
        let resource = resource.ok_or_else(unknown)?;
        if self.exists(resource, trail)? {
            Ok(resource)
        } else {
            Err(Problem::LeftOut(logical_id.to_owned()))
        }
    }

    /// Whether the condition of a resource holds, or it has none.
    pub(super) fn exists(&self, resource: &Node, trail: &Trail<'_>) -> Result<bool, Problem> {
        match resource.get("Condition") {
            None => Ok(true),
            Some(name) => {
                let name = name.as_text().ok_or(Problem::Shape("a condition's name"))?;
                self.named_condition(name, trail)
            }
        }
    }

    /// One step of evaluation, which can need further ones.
    pub(super) fn bounded<T>(&self, step: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        self.spend(1)?;
        let depth = self.depth.get();
        if depth >= DEPTH {
            return Err(Problem::TooMuchWork);
        }
        self.depth.set(depth + 1);
        let result = step();
        self.depth.set(depth);
        result
    }

    fn spend(&self, amount: usize) -> Result<(), Problem> {
        let work = self.work.get().saturating_add(amount);
        self.work.set(work);
        if work > WORK { Err(Problem::TooMuchWork) } else { Ok(()) }
    }

    fn list(&self, items: &[Node], trail: &Trail<'_>) -> Content {
        let values = items.iter().map(|item| self.value(item, trail));
        Content::List(values.filter(|value| !matches!(value.content, Content::Nothing)).collect())
    }

    fn map(&self, entries: &BTreeMap<String, Node>, trail: &Trail<'_>) -> Content {
        if let Some(name) = entries.keys().find(|key| key.starts_with("Fn::")) {
            return Content::Fault(Problem::Intrinsic(format!("{name} beside other keys")));
        }
        let values = entries.iter().map(|(key, node)| (key.clone(), self.value(node, trail)));
        Content::Map(values.filter(|(_, value)| !matches!(value.content, Content::Nothing)).collect())
    }
}
