//! The tree of API Gateway's resources: finds the most specific one for a path.

use std::collections::BTreeMap;

use crate::route::{Method, Route, Segment};

/// The resources of a table, the root first. A node is named by its index.
#[derive(Clone, Debug)]
pub(super) struct Tree(Vec<Node>);

#[derive(Clone, Debug, Default)]
struct Node {
    literals: BTreeMap<String, usize>,
    variable: Option<Variable>,
    /// The routes of exactly this resource.
    routes: Vec<(Method, usize)>,
}

/// The one parameter below a node.
#[derive(Clone, Debug)]
struct Variable {
    segment: Segment,
    node: usize,
    /// The route that added it.
    route: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self(vec![Node::default()])
    }
}

impl Tree {
    /// Adds a route.
    ///
    /// # Errors
    /// The route that has a different parameter at the same place.
    pub(super) fn insert(&mut self, route: &Route, index: usize) -> Result<(), usize> {
        let mut at = 0;
        for segment in route.segments() {
            let next = self.0.len();
            let Some(node) = self.0.get_mut(at) else { break };
            at = match segment {
                Segment::Literal(text) => *node.literals.entry(text.clone()).or_insert(next),
                Segment::Parameter(_) | Segment::Greedy(_) => {
                    let variable = || Variable { segment: segment.clone(), node: next, route: index };
                    let variable = node.variable.get_or_insert_with(variable);
                    if variable.segment != *segment {
                        return Err(variable.route);
                    }
                    variable.node
                }
            };
            if at == next {
                self.0.push(Node::default());
            }
        }
        if let Some(node) = self.0.get_mut(at) {
            node.routes.push((route.method(), index));
        }
        Ok(())
    }

    /// The route of this method at the most specific resource for a path without its leading slash.
    pub(super) fn find(&self, method: Method, path: &str) -> Option<usize> {
        let parts: Vec<&str> = match path {
            "" => Vec::new(),
            _ => path.strip_suffix('/').unwrap_or(path).split('/').collect(),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let resource = self.resource(0, &parts)?;
        resource.routes.iter().find(|(other, _)| *other == method).map(|(_, index)| *index)
    }

    /// The most specific resource below `node` for the rest of a path. Each node is reached in one way, so none is visited
    /// twice.
    fn resource(&self, node: usize, parts: &[&str]) -> Option<&Node> {
        let node = self.0.get(node)?;
        let [part, rest @ ..] = parts else { return (!node.routes.is_empty()).then_some(node) };
        let literal = node.literals.get(*part).and_then(|child| self.resource(*child, rest));
        literal.or_else(|| {
            let variable = node.variable.as_ref()?;
            match variable.segment {
                Segment::Greedy(_) => self.0.get(variable.node),
                Segment::Parameter(_) | Segment::Literal(_) => self.resource(variable.node, rest),
            }
        })
    }
}
