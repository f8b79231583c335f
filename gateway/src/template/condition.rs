//! Which conditions hold.

use super::{
    error::Problem,
    node::{Kind, Node},
    scope::{Scope, Trail},
};

impl Scope<'_> {
    /// Whether the condition called `name` holds.
    pub(super) fn named_condition(&self, name: &str, trail: &Trail<'_>) -> Result<bool, Problem> {
        let condition = self.document.get("Conditions").and_then(|conditions| conditions.get(name));
        let condition = condition.ok_or_else(|| Problem::Unknown("condition", name.to_owned()))?;
        self.condition(condition, &trail.enter(name)?)
    }

    fn condition(&self, node: &Node, trail: &Trail<'_>) -> Result<bool, Problem> {
        self.bounded(|| match &node.kind {
            Kind::Call(name, argument) if name == "Condition" => self.named(argument, trail),
            Kind::Call(name, argument) => self.logical(name, argument.as_list().unwrap_or_default(), trail),
            Kind::Map(entries) if entries.len() == 1 => match entries.get("Condition") {
                Some(name) => self.named(name, trail),
                None => Err(Problem::Shape("a condition")),
            },
            Kind::Map(_) | Kind::Null | Kind::Text(_) | Kind::List(_) => Err(Problem::Shape("a condition")),
        })
    }

    fn logical(&self, name: &str, operands: &[Node], trail: &Trail<'_>) -> Result<bool, Problem> {
        match (name, operands) {
            ("Fn::Equals", [left, right]) => Ok(self.text(left, trail)? == self.text(right, trail)?),
            ("Fn::Not", [operand]) => Ok(!self.condition(operand, trail)?),
            ("Fn::And", [_, _, ..]) => Ok(self.all(operands, trail)?.iter().all(|holds| *holds)),
            ("Fn::Or", [_, _, ..]) => Ok(self.all(operands, trail)?.iter().any(|holds| *holds)),
            ("Fn::Equals", _) => Err(Problem::Arguments("Fn::Equals", "two strings")),
            ("Fn::Not", _) => Err(Problem::Arguments("Fn::Not", "one condition")),
            ("Fn::And", _) => Err(Problem::Arguments("Fn::And", "two conditions or more")),
            ("Fn::Or", _) => Err(Problem::Arguments("Fn::Or", "two conditions or more")),
            (name, _) => Err(Problem::Intrinsic(name.to_owned())),
        }
    }

    fn named(&self, name: &Node, trail: &Trail<'_>) -> Result<bool, Problem> {
        self.named_condition(name.as_text().ok_or(Problem::Shape("a condition's name"))?, trail)
    }

    /// All operands are evaluated: one that cannot be is an error wherever it stands.
    fn all(&self, operands: &[Node], trail: &Trail<'_>) -> Result<Vec<bool>, Problem> {
        operands.iter().map(|operand| self.condition(operand, trail)).collect()
    }
}
