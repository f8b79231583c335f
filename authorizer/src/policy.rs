//! Owns the policy document: from a verified caller and the route table to what API Gateway shall allow. Which
//! HTTP status follows is API Gateway's business.
//!
//! API Gateway keeps the policy for the token and asks it for every route, so it lists all routes that the scopes
//! cover. `*` stands for a path parameter but crosses slashes, so `GET/orders/*` also matches what the router gives
//! to `GET /orders/{id}/lines`, and `GET/orders/` too, which is `GET /orders`. Where such a route is not covered, an
//! explicit Deny names it, with and without a slash at the end. A Deny wins over every Allow, so a table in which
//! one would hit a covered route as well is refused at start: for such a table no policy is exact. The functions
//! look at the scopes again, but what the gateway can stop is not left to them.

use access::{Caller, MethodArn, Route, ScopeSet};
use serde::Serialize;

use crate::refusal::Fault;

mod routing;

use routing::Overlaps;

/// A route table made ready for policies, once at start.
#[derive(Debug)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    route: &'static Route,
    /// `GET /orders/{id}`, for the log.
    name: String,
    /// `GET/orders/*`: what a policy names behind the stage.
    pattern: String,
    /// The rows whose requests the pattern matches too.
    shadows: Vec<usize>,
}

/// Why no exact policy can be written for a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The table is not sound by itself.
    #[error(transparent)]
    Unsound(#[from] access::route::TableError),
    /// A caller that may call the first two routes but not the third cannot be told apart: the pattern of the
    /// first matches requests for the third, and the Deny for those would hit the second as well.
    #[error("no policy can allow `{0}` and `{1}` but deny `{2}`: change a path, or the scopes")]
    Overlap(String, String, String),
}

impl Table {
    /// Makes a table ready. The cost grows with the routes and, steeply, with the parameters of one path.
    pub(crate) fn new(routes: &'static [Route]) -> Result<Self, TableError> {
        access::route::check(routes)?;
        let overlaps = Overlaps::of(routes);
        let table = Self::of(routes, &overlaps);
        match table.inexact(&overlaps) {
            Some([first, second, third]) => Err(TableError::Overlap(first, second, third)),
            None => Ok(table),
        }
    }

    fn of(routes: &'static [Route], overlaps: &Overlaps) -> Self {
        let rows = routes.iter().enumerate().map(|(index, route)| Row {
            route,
            name: route.to_string(),
            pattern: access::arn::pattern(route),
            shadows: (0..routes.len())
                .filter(|other| *other != index && overlaps.allow(index, *other))
                .collect(),
        });
        Self(rows.collect())
    }

    /// The names of two routes (or twice of one) that some caller may call, and of a third that it may not, which no
    /// policy tells apart. A caller with the scopes of the first two and no others is the one to ask about.
    fn inexact(&self, overlaps: &Overlaps) -> Option<[String; 3]> {
        for first in &self.0 {
            for (shadowed, third) in
                first.shadows.iter().filter_map(|index| Some((*index, self.0.get(*index)?)))
            {
                for (index, second) in self.0.iter().enumerate().filter(|(index, _)| *index != shadowed) {
                    let holds =
                        |scope| first.route.scopes.contains(scope) || second.route.scopes.contains(scope);
                    if overlaps.deny(shadowed, index) && !third.route.scopes.iter().all(holds) {
                        return Some([first, second, third].map(|row| row.name.clone()));
                    }
                }
            }
        }
        None
    }

    /// The route that the router gives this call to, and its name.
    pub(crate) fn called(&self, arn: &MethodArn<'_>) -> Option<(&'static Route, &str)> {
        let routes = self.0.iter().map(|row| row.route);
        let index = routing::route_of(routes, arn.verb(), arn.path())?;
        self.0.get(index).map(|row| (row.route, row.name.as_str()))
    }

    /// What the function answers for this caller, in the stage of `arn`.
    pub(crate) fn answer<'a>(
        &self,
        caller: &'a Caller<'a>,
        arn: &MethodArn<'_>,
    ) -> Result<Answer<'a>, Fault> {
        Ok(Answer {
            principal_id: caller.client_id.as_str(),
            policy_document: Document {
                version: "2012-10-17",
                statement: self.statements(&caller.scopes, arn)?,
            },
            context: caller,
            usage_identifier_key: caller.client_id.as_str(),
        })
    }

    fn statements(&self, scopes: &ScopeSet<'_>, arn: &MethodArn<'_>) -> Result<Vec<Statement>, Fault> {
        let covered: Vec<bool> = self.0.iter().map(|row| row.route.is_covered_by(scopes)).collect();
        let is_covered = |index: usize| covered.get(index).copied().unwrap_or(false);
        let mut allowed = Vec::new();
        let mut shadowed = vec![false; self.0.len()];
        for (row, _) in self.0.iter().zip(&covered).filter(|(_, is_covered)| **is_covered) {
            allowed.push(resource(arn, &row.pattern)?);
            for shadow in row.shadows.iter().filter(|shadow| !is_covered(**shadow)) {
                if let Some(shadowed) = shadowed.get_mut(*shadow) {
                    *shadowed = true;
                }
            }
        }
        if allowed.is_empty() {
            return Ok(vec![Statement::new("Deny", vec![resource(arn, "*")?])]);
        }
        let mut denied = Vec::new();
        for (row, _) in self.0.iter().zip(shadowed).filter(|(_, is_shadowed)| *is_shadowed) {
            denied.push(resource(arn, &row.pattern)?);
            // `*` at the end matches a slash by itself.
            if !row.pattern.ends_with('*') {
                denied.push(resource(arn, &format!("{}/", row.pattern))?);
            }
        }
        let mut statements = vec![Statement::new("Allow", allowed)];
        if !denied.is_empty() {
            statements.push(Statement::new("Deny", denied));
        }
        Ok(statements)
    }
}

fn resource(arn: &MethodArn<'_>, pattern: &str) -> Result<String, Fault> {
    arn.resource(pattern).ok_or(Fault::ResourceTooLong)
}

/// The function's answer.
// SPEC: Amazon API Gateway, "Output from an API Gateway Lambda authorizer"
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer<'a> {
    principal_id: &'a str,
    policy_document: Document,
    context: &'a Caller<'a>,
    usage_identifier_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: Vec<String>,
}

impl Statement {
    const fn new(effect: &'static str, resource: Vec<String>) -> Self {
        Self { action: "execute-api:Invoke", effect, resource }
    }
}

#[cfg(test)]
mod tests;
