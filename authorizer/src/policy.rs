//! Owns the policy document: from a verified caller and the route table to what API Gateway shall allow. Which
//! HTTP status follows is API Gateway's business.
//!
//! API Gateway keeps the policy for the token and asks it for every route, so it lists all routes that the scopes
//! cover. `*` stands for a path parameter but crosses slashes, so `GET/orders/*` also matches what the router gives
//! to `GET /orders/{id}/lines`, and `GET/orders/` too, which is `GET /orders`. Where such a route is not covered, an
//! explicit Deny names it, with and without a slash at the end. A Deny wins over every Allow, so a table in which
//! one would hit a covered route as well is refused at start: for such a table no policy is exact. The functions
//! look at the scopes again, but what the gateway can stop is not left to them.

use access::{Caller, MethodArn, Route, Scope, ScopeSet};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::refusal::Fault;

mod routing;

use routing::{Overlaps, Shape};

/// A route table made ready for policies, once at start.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// The shape of each row's route, in the same order.
    shapes: Vec<Shape>,
    /// Every scope that a route needs, sorted, each once.
    scopes: Vec<Scope<'static>>,
}

#[derive(Debug)]
struct Row {
    route: &'static Route,
    /// `GET /orders/{id}`, for the log.
    name: String,
    /// `GET/orders/*`: what a policy names behind the stage.
    pattern: String,
    /// Where the table lists the scopes that the route needs.
    needs: Vec<usize>,
    /// The pattern with a slash at its end, unless it ends in `*`, which matches a slash by itself.
    slashed: Option<String>,
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
        match Self::of(routes) {
            (_, Some([first, second, third])) => Err(TableError::Overlap(first, second, third)),
            (table, None) => Ok(table),
        }
    }

    /// The table, and the names of three of its routes that no policy tells apart, if there are such.
    fn of(routes: &'static [Route]) -> (Self, Option<[String; 3]>) {
        let shapes: Vec<Shape> = routes.iter().map(Shape::of).collect();
        let overlaps = Overlaps::of(&shapes);
        let mut scopes: Vec<_> = routes.iter().flat_map(|route| route.scopes).copied().collect();
        scopes.sort_unstable();
        scopes.dedup();
        let rows = routes.iter().zip(&shapes).enumerate().map(|(index, (route, shape))| Row {
            route,
            name: route.to_string(),
            pattern: shape.pattern.clone(),
            slashed: (!shape.pattern.ends_with('*')).then(|| format!("{}/", shape.pattern)),
            // Every scope of a route is listed; one that was not would be one that nobody holds.
            needs: route.scopes.iter().map(|s| scopes.binary_search(s).unwrap_or(usize::MAX)).collect(),
            shadows: (0..routes.len())
                .filter(|other| *other != index && overlaps.allow(index, *other))
                .collect(),
        });
        let rows: Vec<Row> = rows.collect();
        let inexact = inexact(&rows, &overlaps);
        (Self { rows, shapes, scopes }, inexact)
    }

    /// The route that the router gives this call to, and its name.
    pub(crate) fn called(&self, arn: &MethodArn<'_>) -> Option<(&'static Route, &str)> {
        let index = routing::route_of(self.shapes.iter(), arn.method()?, arn.path())?;
        self.rows.get(index).map(|row| (row.route, row.name.as_str()))
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
                statement: written(&self.statements(&caller.scopes), arn)?,
            },
            context: caller,
            usage_identifier_key: caller.client_id.as_str(),
        })
    }

    fn statements(&self, scopes: &ScopeSet<'_>) -> Vec<Statement<'_>> {
        let covered = self.covered(scopes);
        let is_covered = |index: usize| covered.get(index).copied().unwrap_or(false);
        let mut allowed = Vec::with_capacity(self.rows.len());
        let mut shadowed = vec![false; self.rows.len()];
        for (row, _) in self.rows.iter().zip(&covered).filter(|(_, is_covered)| **is_covered) {
            allowed.push(row.pattern.as_str());
            for shadow in row.shadows.iter().filter(|shadow| !is_covered(**shadow)) {
                if let Some(shadowed) = shadowed.get_mut(*shadow) {
                    *shadowed = true;
                }
            }
        }
        if allowed.is_empty() {
            return vec![Statement { effect: "Deny", patterns: vec!["*"] }];
        }
        let mut denied = Vec::new();
        for (row, _) in self.rows.iter().zip(shadowed).filter(|(_, is_shadowed)| *is_shadowed) {
            denied.push(row.pattern.as_str());
            denied.extend(row.slashed.as_deref());
        }
        let mut statements = vec![Statement { effect: "Allow", patterns: allowed }];
        if !denied.is_empty() {
            statements.push(Statement { effect: "Deny", patterns: denied });
        }
        statements
    }

    /// For each row whether all scopes that it needs are held. Each scope of the token is looked up once.
    fn covered(&self, scopes: &ScopeSet<'_>) -> Vec<bool> {
        let mut held = vec![false; self.scopes.len()];
        for scope in scopes.iter() {
            if let Ok(at) = self.scopes.binary_search_by(|needed| needed.as_str().cmp(scope))
                && let Some(held) = held.get_mut(at)
            {
                *held = true;
            }
        }
        let is_covered = |row: &Row| row.needs.iter().all(|at| held.get(*at) == Some(&true));
        self.rows.iter().map(is_covered).collect()
    }
}

/// The names of two routes (or twice of one) that some caller may call, and of a third that it may not, which no
/// policy tells apart. A caller with the scopes of the first two and no others is the one to ask about.
fn inexact(rows: &[Row], overlaps: &Overlaps<'_>) -> Option<[String; 3]> {
    for first in rows {
        for (shadowed, third) in first.shadows.iter().filter_map(|index| Some((*index, rows.get(*index)?))) {
            for (index, second) in rows.iter().enumerate().filter(|(index, _)| *index != shadowed) {
                let holds = |scope| first.route.scopes.contains(scope) || second.route.scopes.contains(scope);
                if !third.route.scopes.iter().all(holds) && overlaps.deny(shadowed, index) {
                    return Some([first, second, third].map(|row| row.name.clone()));
                }
            }
        }
    }
    None
}

/// What a policy says of the requests that some patterns match.
#[derive(Debug)]
struct Statement<'t> {
    effect: &'static str,
    patterns: Vec<&'t str>,
}

/// The statements as JSON, in the stage of `arn`.
// INVARIANT: neither a stage's ARN nor a pattern holds a character that JSON escapes. So resources, which can be
// many, are put together instead of serialized; the text is read once more, as a whole.
fn written(statements: &[Statement<'_>], arn: &MethodArn<'_>) -> Result<Box<RawValue>, Fault> {
    let mut text = String::with_capacity(1024);
    let mut separator = "[";
    for Statement { effect, patterns } in statements {
        text.extend([separator, r#"{"Action":"execute-api:Invoke","Effect":""#, effect, r#"","Resource":"#]);
        separator = "[";
        for pattern in patterns {
            if !arn.has_room_for(pattern) {
                return Err(Fault::ResourceTooLong);
            }
            text.extend([separator, "\"", arn.stage_prefix(), pattern, "\""]);
            separator = ",";
        }
        text.push_str("]}");
    }
    text.push(']');
    RawValue::from_string(text).map_err(Fault::Answer)
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
    statement: Box<RawValue>,
}

#[cfg(test)]
mod tests;
