//! The policy document: from a verified caller and the route table to what API Gateway is to allow. Which HTTP status
//! follows is API Gateway's business.
//!
//! API Gateway caches the policy for the token and evaluates it for every call, so it lists all routes that the scopes
//! cover. `*` stands for a parameter but crosses slashes, so `GET/orders/*` also matches what the router gives to
//! `GET /orders/{id}/lines`, and `GET/orders/` too, which is `GET /orders`. Where such a route is not covered, an explicit
//! Deny names those of its calls that an allowed pattern matches. A Deny wins over every Allow, and its own `*` crosses
//! slashes too, so it can close calls of a covered route: a policy may refuse more than the table says, never less. The
//! functions look at the scopes again, but what the gateway can stop is not left to them.

use std::{collections::HashMap, sync::Arc};

use access::{Caller, Method, MethodArn, Route, Scope, ScopeSet, Table};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::refusal::Fault;

mod overlap;
mod shape;

use overlap::Overlaps;
use shape::{Literals, Shape};

/// What a policy covers: the setting `POLICY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Every call that the token may make, so that the answer can be cached for it.
    #[default]
    Token,
    /// Only the call that is asked about.
    Call,
}

/// A route table made ready for policies, once at start.
#[derive(Debug)]
pub(crate) struct Policies {
    table: Table,
    coverage: Coverage,
    /// What a policy says of each route of the table, in the same order.
    rows: Vec<Row>,
    groups: Vec<Group>,
    /// Every scope that a route needs, sorted, each once.
    scopes: Vec<Scope<'static>>,
    ambiguities: Vec<Ambiguity>,
}

#[derive(Debug)]
struct Row {
    /// `GET/orders/*`: what a policy names behind the stage.
    pattern: String,
    /// Where the table lists the scopes that the route needs.
    needs: Vec<usize>,
}

/// The routes of one verb: no pattern matches a call of another.
#[derive(Debug)]
struct Group {
    /// Where the table has these routes.
    routes: Vec<usize>,
    overlaps: Arc<Overlaps>,
    /// `GET/orders/*/lines`: what each of the overlaps' denials names behind the stage.
    denials: Vec<String>,
}

/// A call that the policy of a token may refuse though its route is covered: the pattern of `allowed` matches requests
/// for `denied` too, so that these are denied, and the Deny matches the call as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ambiguity {
    allowed: String,
    denied: String,
    closed: String,
    /// `GET /c/1/src/tax`
    example: String,
}

impl Policies {
    /// Makes a table ready.
    pub(crate) fn new(table: Table, coverage: Coverage) -> Self {
        let routes = table.routes();
        let mut scopes: Vec<_> = routes.iter().flat_map(Route::scopes).cloned().collect();
        scopes.sort_unstable();
        scopes.dedup();
        let row = |route: &Route| Row {
            pattern: access::arn::pattern(route),
            // Every scope of a route is listed; one that was not would be one that nobody holds.
            needs: route.scopes().iter().map(|s| scopes.binary_search(s).unwrap_or(usize::MAX)).collect(),
        };
        let rows: Vec<Row> = routes.iter().map(row).collect();
        let (groups, ambiguities) = match coverage {
            Coverage::Token => groups(routes, &rows),
            Coverage::Call => (Vec::new(), Vec::new()),
        };
        Self { table, coverage, rows, groups, scopes, ambiguities }
    }

    /// Calls that a policy may refuse though they are covered, at most ten for each verb.
    pub(crate) fn ambiguities(&self) -> &[Ambiguity] {
        &self.ambiguities
    }

    /// Every route of the table.
    pub(crate) fn routes(&self) -> &[Route] {
        self.table.routes()
    }

    /// The route that the router gives this call to.
    pub(crate) fn called(&self, arn: &MethodArn<'_>) -> Option<&Route> {
        self.table.route_of(arn.method()?, arn.path())
    }

    /// What the function answers for this caller to the call of `arn`, which belongs to `route`.
    pub(crate) fn answer<'a>(
        &self,
        caller: &'a Caller<'a>,
        arn: &MethodArn<'_>,
        route: Option<&Route>,
    ) -> Result<Answer<'a>, Fault> {
        let statement = match self.coverage {
            Coverage::Token => written(&self.statements(&caller.scopes), arn)?,
            Coverage::Call => {
                let is_covered = route.is_some_and(|route| route.is_covered_by(&caller.scopes));
                let call = format!("{}/{}", arn.verb(), escaped(arn.path())?);
                let allow = Statement { effect: "Allow", patterns: vec![&call] };
                written(&[if is_covered { allow } else { Statement::deny_all() }], arn)?
            }
        };
        Ok(Answer {
            principal_id: caller.client_id.as_str(),
            policy_document: Document { version: "2012-10-17", statement },
            context: caller,
            usage_identifier_key: caller.client_id.as_str(),
        })
    }

    fn statements(&self, scopes: &ScopeSet<'_>) -> Vec<Statement<'_>> {
        let covered = self.covered(scopes);
        let is_covered = |index: &usize| covered.get(*index).copied().unwrap_or(false);
        let rows = self.rows.iter().enumerate().filter(|(index, _)| is_covered(index));
        let allowed: Vec<&str> = rows.map(|(_, row)| row.pattern.as_str()).collect();
        if allowed.is_empty() {
            return vec![Statement::deny_all()];
        }
        let mut denied = Vec::new();
        for Group { routes, overlaps, denials } in &self.groups {
            let mut needed = vec![false; denials.len()];
            for (place, _) in routes.iter().enumerate().filter(|(_, index)| is_covered(index)) {
                for (number, denial) in overlaps.denials_for(place) {
                    let is_open = routes.get(denial.route).is_some_and(is_covered);
                    if let Some(needed) = needed.get_mut(number) {
                        *needed |= !is_open;
                    }
                }
            }
            let needed = denials.iter().zip(needed).filter(|(_, is_needed)| *is_needed);
            denied.extend(needed.map(|(pattern, _)| pattern.as_str()));
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

/// The routes by verb with their overlaps, and what they close.
fn groups(routes: &[Route], rows: &[Row]) -> (Vec<Group>, Vec<Ambiguity>) {
    let mut literals = Literals::default();
    let shapes: Vec<Shape> = routes.iter().map(|route| literals.shape(route.segments())).collect();
    let (mut groups, mut ambiguities) = (Vec::new(), Vec::new());
    // `ANY` makes the same routes of several verbs: their overlaps are found once.
    let mut known = HashMap::new();
    for method in Method::ALL {
        let own = routes.iter().enumerate().filter(|(_, route)| route.method() == method);
        let own: Vec<usize> = own.map(|(index, _)| index).collect();
        let shapes: Vec<&Shape> = own.iter().filter_map(|index| shapes.get(*index)).collect();
        let paths: Vec<&str> = own.iter().filter_map(|index| routes.get(*index)).map(Route::path).collect();
        let overlaps = known.entry(paths).or_insert_with(|| Arc::new(Overlaps::of(&shapes, &literals)));
        let needs = |place: usize| {
            own.get(place).and_then(|index| rows.get(*index)).map_or(&[][..], |row| &row.needs)
        };
        let is_possible = |allowed, denied, closed| {
            let (allowed, closed) = (needs(allowed), needs(closed));
            needs(denied).iter().any(|scope| !allowed.contains(scope) && !closed.contains(scope))
        };
        let name = |place: usize| {
            let route = own.get(place).and_then(|index| routes.get(*index));
            route.map_or("", Route::name).to_owned()
        };
        ambiguities.extend(overlaps.closed(&shapes, &literals, is_possible).into_iter().map(|closed| {
            Ambiguity {
                allowed: name(closed.allowed),
                denied: name(closed.denied),
                closed: name(closed.route),
                example: format!("{method} {}", closed.path),
            }
        }));
        let denials = overlaps.denials.iter().map(|denial| format!("{method}{}", denial.path)).collect();
        groups.push(Group { routes: own, overlaps: Arc::clone(overlaps), denials });
    }
    (groups, ambiguities)
}

/// A real path as a pattern that matches nothing else, as JSON writes it inside quotes.
// SPEC: IAM, "IAM policy elements: Variables and tags": `${*}`, `${?}` and `${$}` are these characters
fn escaped(path: &str) -> Result<String, Fault> {
    let mut text = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '*' | '?' | '$' => text.extend(["${", character.encode_utf8(&mut [0; 4]), "}"]),
            _ => text.push(character),
        }
    }
    let quoted = serde_json::to_string(&text).map_err(Fault::Answer)?;
    Ok(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned())
}

/// What a policy says of the requests that some patterns match.
#[derive(Debug)]
struct Statement<'t> {
    effect: &'static str,
    patterns: Vec<&'t str>,
}

impl Statement<'_> {
    fn deny_all() -> Self {
        Self { effect: "Deny", patterns: vec!["*"] }
    }
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
