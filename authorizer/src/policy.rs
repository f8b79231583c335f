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

mod cache;
mod overlap;
mod shape;

use cache::Cache;
use overlap::{Budget, Overlaps};
use shape::{Paths, spend};

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
    /// `/orders/*`: each path of the table once, as a policy names it.
    patterns: Vec<String>,
    groups: Vec<Group>,
    /// Every scope that a route needs, sorted, each once.
    scopes: Vec<Scope<'static>>,
    ambiguities: Vec<Ambiguity>,
    cache: Cache,
}

#[derive(Debug)]
struct Row {
    method: Method,
    /// Which of the patterns is its path.
    path: usize,
    /// Which of the table's scopes it needs, sorted.
    needs: Arc<[u32]>,
}

/// The routes of one verb: no pattern matches a call of another.
#[derive(Debug)]
struct Group {
    /// Where the table has these routes.
    routes: Vec<usize>,
    overlaps: Arc<Overlaps>,
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
        Self::within(table, coverage, Budget::default())
    }

    fn within(table: Table, coverage: Coverage, budget: Budget) -> Self {
        let routes = table.routes();
        // The routes that `ANY` stands for share their scopes.
        let alike = || routes.chunk_by(|a, b| std::ptr::eq(a.scopes(), b.scopes()));
        let mut scopes: Vec<_> = alike().filter_map(<[Route]>::first).flat_map(Route::scopes).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let mut paths: Vec<&str> = routes.iter().map(Route::path).collect();
        paths.sort_unstable();
        paths.dedup();
        // Every scope and path is listed; one that was not would be one that nobody holds, and no pattern.
        let number = |scope: &Scope<'_>| {
            let at = scopes.binary_search_by(|own| own.as_str().cmp(scope.as_str()));
            at.ok().and_then(|at| u32::try_from(at).ok())
        };
        let rows_of = |routes: &[Route]| {
            let needed = routes.first().map_or(&[][..], Route::scopes).iter();
            let mut needs: Vec<u32> = needed.map(|scope| number(scope).unwrap_or(u32::MAX)).collect();
            needs.sort_unstable();
            needs.dedup();
            let needs: Arc<[u32]> = needs.into();
            let path = |route: &Route| paths.binary_search(&route.path()).unwrap_or(usize::MAX);
            let row =
                |route: &Route| Row { method: route.method(), path: path(route), needs: Arc::clone(&needs) };
            routes.iter().map(row).collect::<Vec<_>>()
        };
        let rows: Vec<Row> = alike().flat_map(rows_of).collect();
        let scopes = scopes.into_iter().cloned().collect();
        let mut patterns = vec![String::new(); paths.len()];
        for (route, row) in routes.iter().zip(&rows) {
            if let Some(pattern) = patterns.get_mut(row.path).filter(|pattern| pattern.is_empty()) {
                let whole = access::arn::pattern(route);
                whole.strip_prefix(row.method.as_str()).unwrap_or(&whole).clone_into(pattern);
            }
        }
        let (groups, ambiguities) = match coverage {
            Coverage::Token => groups(routes, &rows, paths.len(), budget),
            Coverage::Call => (Vec::new(), Vec::new()),
        };
        Self { table, coverage, rows, patterns, groups, scopes, ambiguities, cache: Cache::default() }
    }

    /// Calls that a policy may refuse though they are covered, at most ten for each verb.
    pub(crate) fn ambiguities(&self) -> &[Ambiguity] {
        &self.ambiguities
    }

    /// Every route of the table.
    pub(crate) fn routes(&self) -> &[Route] {
        self.table.routes()
    }

    /// Whether a policy covers only the call that was asked about.
    pub(crate) const fn is_per_call(&self) -> bool {
        matches!(self.coverage, Coverage::Call)
    }

    /// The route that the router gives this call to.
    pub(crate) fn called(&self, arn: &MethodArn<'_>) -> Option<&Route> {
        self.table.route_of(arn.method()?, arn.path())
    }

    /// What the function answers for this caller to the call of `arn`, which belongs to `route`, and whether a Deny of the
    /// token's policy matches the call. The policy of a call is exact: none does.
    pub(crate) fn answer<'a>(
        &self,
        caller: &'a Caller<'a>,
        arn: &MethodArn<'_>,
        route: Option<&Route>,
    ) -> Result<(Answer<'a>, bool), Fault> {
        let (policy_document, is_closed) = match self.coverage {
            Coverage::Token => {
                let make = |held: &[u32]| Policy::new(&self.statements(held), arn);
                let policy = self.cache.policy(arn.stage_prefix(), self.held(&caller.scopes), make)?;
                let is_closed = policy.closes(arn);
                (policy, is_closed)
            }
            Coverage::Call => {
                let is_covered = route.is_some_and(|route| route.is_covered_by(&caller.scopes));
                let path = format!("/{}", escaped(arn.path())?);
                let allow = Statement { effect: "Allow", patterns: vec![[arn.verb(), &path, ""]] };
                let statement = if is_covered { allow } else { Statement::deny_all() };
                (Arc::new(Policy::new(&[statement], arn)?), false)
            }
        };
        let answer = Answer {
            principal_id: caller.client_id.as_str(),
            policy_document,
            context: caller,
            usage_identifier_key: caller.client_id.as_str(),
        };
        Ok((answer, is_closed))
    }

    /// What the policy says for these of the table's scopes.
    fn statements(&self, held: &[u32]) -> Vec<Statement<'_>> {
        let has_all = |row: &Row| row.needs.iter().all(|scope| held.binary_search(scope).is_ok());
        let covered: Vec<bool> = self.rows.iter().map(has_all).collect();
        let is_covered = |index: usize| covered.get(index).copied().unwrap_or(false);
        let pattern = |index: usize| {
            let row = self.rows.get(index)?;
            Some([row.method.as_str(), self.patterns.get(row.path)?, ""])
        };
        let allowed: Vec<_> =
            (0..self.rows.len()).filter(|index| is_covered(*index)).filter_map(pattern).collect();
        if allowed.is_empty() {
            return vec![Statement::deny_all()];
        }
        let mut denied = Vec::new();
        for Group { routes, overlaps } in &self.groups {
            let places = routes.iter().enumerate().filter(|(_, index)| is_covered(**index));
            let needed = overlaps.denials_for(places.map(|(place, _)| place));
            for (number, denial) in overlaps.denials.iter().enumerate() {
                let route = routes.get(denial.route).filter(|index| !is_covered(**index));
                let Some([method, whole, _]) =
                    route.filter(|_| needed.contains(number)).and_then(|index| pattern(*index))
                else {
                    continue;
                };
                let path = denial.path.as_deref().unwrap_or(whole);
                denied.push([method, path, if denial.has_slash { "/" } else { "" }]);
            }
        }
        let mut statements = vec![Statement { effect: "Allow", patterns: allowed }];
        if !denied.is_empty() {
            statements.push(Statement { effect: "Deny", patterns: denied });
        }
        statements
    }

    /// Which of the table's scopes are held, sorted, each once.
    fn held(&self, scopes: &ScopeSet<'_>) -> Vec<u32> {
        let number = |scope: &str| {
            let at = self.scopes.binary_search_by(|needed| needed.as_str().cmp(scope));
            at.ok().and_then(|at| u32::try_from(at).ok())
        };
        let mut held: Vec<u32> = scopes.iter().filter_map(number).collect();
        held.sort_unstable();
        held.dedup();
        held
    }
}

/// The routes by verb with their overlaps, and what they close; of a table with so many paths.
fn groups(routes: &[Route], rows: &[Row], paths: usize, mut budget: Budget) -> (Vec<Group>, Vec<Ambiguity>) {
    let mut segments = vec![&[][..]; paths];
    for (route, row) in routes.iter().zip(rows) {
        if let Some(segments) = segments.get_mut(row.path) {
            *segments = route.segments();
        }
    }
    let paths = Paths::new(segments.into_iter());
    let (mut groups, mut ambiguities) = (Vec::new(), Vec::new());
    // `ANY` makes the same routes of several verbs: their overlaps are found once.
    let mut known = HashMap::new();
    for method in Method::ALL {
        let own = rows.iter().enumerate().filter(|(_, row)| row.method == method);
        let (own, its): (Vec<usize>, Vec<usize>) = own.map(|(index, row)| (index, row.path)).unzip();
        let overlaps =
            known.entry(its.clone()).or_insert_with(|| Arc::new(Overlaps::of(&its, &paths, &mut budget)));
        let needs = |place: usize| {
            own.get(place).and_then(|index| rows.get(*index)).map_or(&[][..], |row| row.needs.as_ref())
        };
        let is_possible = |allowed, denied, closed, steps: &mut usize| {
            let (allowed, denied, closed) = (needs(allowed), needs(denied), needs(closed));
            let lacks = |scopes: &[u32], scope| scopes.binary_search(scope).is_err();
            spend(steps, 1 + denied.len() * 4).is_some()
                && denied.iter().any(|scope| lacks(allowed, scope) && lacks(closed, scope))
        };
        let name = |place: usize| {
            let route = own.get(place).and_then(|index| routes.get(*index));
            route.map_or("", Route::name).to_owned()
        };
        let closed = overlaps.closed(&its, &paths, &mut budget, is_possible);
        ambiguities.extend(closed.into_iter().map(|closed| Ambiguity {
            allowed: name(closed.allowed),
            denied: name(closed.denied),
            closed: name(closed.route),
            example: format!("{method} {}", closed.path),
        }));
        groups.push(Group { routes: own, overlaps: Arc::clone(overlaps) });
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

/// The policy of one stage.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Policy {
    document: Box<RawValue>,
    /// The patterns of its Deny, as they follow the stage.
    #[serde(skip)]
    denied: Vec<String>,
}

impl Policy {
    /// The policy of these statements in the stage of `arn`.
    fn new(statements: &[Statement<'_>], arn: &MethodArn<'_>) -> Result<Self, Fault> {
        let denied = statements.iter().filter(|it| it.effect == "Deny").flat_map(|it| &it.patterns);
        let denied = denied.map(|pattern| pattern.concat()).collect();
        Ok(Self { document: written(statements, arn)?, denied })
    }

    /// Whether a Deny matches the call of `arn`.
    fn closes(&self, arn: &MethodArn<'_>) -> bool {
        if self.denied.is_empty() {
            return false;
        }
        let call = format!("{}/{}", arn.verb(), arn.path());
        self.denied.iter().any(|pattern| matches(pattern, &call))
    }
}

/// Whether a pattern, whose stars are any characters, matches the whole of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for piece in pieces {
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    true
}

/// What a policy says of the requests that some patterns match.
#[derive(Debug)]
struct Statement<'t> {
    effect: &'static str,
    /// Verb, path, and perhaps a slash, as they follow the stage.
    patterns: Vec<[&'t str; 3]>,
}

impl Statement<'_> {
    fn deny_all() -> Self {
        Self { effect: "Deny", patterns: vec![["*", "", ""]] }
    }
}

/// The policy document, in the stage of `arn`.
// INVARIANT: neither a stage's ARN nor a pattern holds a character that JSON escapes. So resources, which can be
// many, are put together instead of serialized; the text is read once more, as a whole.
fn written(statements: &[Statement<'_>], arn: &MethodArn<'_>) -> Result<Box<RawValue>, Fault> {
    let mut text = String::with_capacity(1024);
    text.push_str(r#"{"Version":"2012-10-17","Statement":"#);
    let mut separator = "[";
    for Statement { effect, patterns } in statements {
        text.extend([separator, r#"{"Action":"execute-api:Invoke","Effect":""#, effect, r#"","Resource":"#]);
        separator = "[";
        for pattern in patterns {
            if !arn.has_room_for(pattern) {
                return Err(Fault::ResourceTooLong);
            }
            let [verb, path, slash] = *pattern;
            text.extend([separator, "\"", arn.stage_prefix(), verb, path, slash, "\""]);
            separator = ",";
        }
        text.push_str("]}");
    }
    text.push_str("]}");
    RawValue::from_string(text).map_err(Fault::Answer)
}

/// The function's answer.
// SPEC: Amazon API Gateway, "Output from an API Gateway Lambda authorizer"
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer<'a> {
    principal_id: &'a str,
    policy_document: Arc<Policy>,
    context: &'a Caller<'a>,
    usage_identifier_key: &'a str,
}

#[cfg(test)]
mod tests;
