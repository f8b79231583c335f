//! Owns which requests the router gives to which route, and which of them a pattern of a policy matches besides.
//! Writing policies is left to `policy.rs`.

use std::collections::BTreeSet;

use access::{Route, route::Segment};

/// Stands for every segment that no literal of the table matches. A table's literals cannot hold a blank.
const FRESH: &str = " ";

/// The route that API Gateway gives a call to: segment by segment, a literal comes before a parameter. One slash
/// at the end reaches the same resource; an empty segment reaches none.
pub(super) fn route_of<'r>(routes: impl Iterator<Item = &'r Route>, verb: &str, path: &str) -> Option<usize> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let matching =
        routes.enumerate().filter(|(_, route)| route.method.as_str() == verb && matches(route, path));
    let best = matching.max_by(|(_, a), (_, b)| literals(a).cmp(literals(b)));
    best.map(|(index, _)| index)
}

fn matches(route: &Route, path: &str) -> bool {
    let mut parts = path.split('/');
    let is_match = route.segments().all(|segment| match (segment, parts.next()) {
        (Segment::Literal(literal), Some(part)) => literal == part,
        (Segment::Parameter(_), Some(part)) => !part.is_empty(),
        (_, None) => false,
    });
    is_match && parts.next().is_none()
}

fn literals(route: &Route) -> impl Iterator<Item = bool> {
    route.segments().map(|segment| matches!(segment, Segment::Literal(_)))
}

/// Which patterns match requests of which routes.
///
/// Decided by witnesses: for each route, every request that the router gives to it, its parameters being each
/// literal of the table and one segment that is none. That is enough, since a pattern's `*` stands between slashes:
/// whether it matches depends on where the table's literals stand in a path, and on nothing else.
pub(super) struct Overlaps {
    patterns: Vec<String>,
    /// For each route `VERB/path`, without and with a slash at the end.
    witnesses: Vec<Vec<String>>,
}

impl Overlaps {
    pub(super) fn of(routes: &[Route]) -> Self {
        let patterns = routes.iter().map(access::arn::pattern).collect();
        let witnesses = routes.iter().enumerate().map(|(index, route)| {
            let paths = paths(route, routes).into_iter();
            let mine = paths
                .filter(|path| route_of(routes.iter(), route.method.as_str(), path) == Some(index))
                .map(|path| format!("{}/{path}", route.method));
            mine.flat_map(|path| [format!("{path}/"), path]).collect()
        });
        Self { patterns, witnesses: witnesses.collect() }
    }

    /// Whether an Allow for one route also matches requests for the other.
    pub(super) fn allow(&self, route: usize, other: usize) -> bool {
        let witnesses = self.witnesses.get(other);
        self.patterns.get(route).is_some_and(|pattern| {
            witnesses.is_some_and(|all| all.iter().any(|witness| glob(pattern, witness)))
        })
    }

    /// Whether a Deny for one route, which names its pattern with and without a slash at the end, also matches
    /// requests for the other. With a slash at the end those may be denied: no policy promises them.
    pub(super) fn deny(&self, route: usize, other: usize) -> bool {
        let is_matched = |pattern: &str| {
            let witnesses = self.witnesses.get(other).into_iter().flatten();
            witnesses.into_iter().any(|witness| !witness.ends_with('/') && glob(pattern, witness))
        };
        self.patterns
            .get(route)
            .is_some_and(|pattern| is_matched(pattern) || is_matched(&format!("{pattern}/")))
    }
}

/// Every path of the route's form over the literals of the routes with its verb and one fresh segment.
fn paths(route: &Route, routes: &[Route]) -> Vec<String> {
    let mut values: BTreeSet<&str> = BTreeSet::from([FRESH]);
    for segment in routes.iter().filter(|other| other.method == route.method).flat_map(Route::segments) {
        if let Segment::Literal(literal) = segment {
            values.insert(literal);
        }
    }
    let mut paths = vec![String::new()];
    for segment in route.segments() {
        let extended = |path: &String, part: &str| {
            if path.is_empty() { part.to_owned() } else { format!("{path}/{part}") }
        };
        paths = match segment {
            Segment::Literal(literal) => paths.iter().map(|path| extended(path, literal)).collect(),
            Segment::Parameter(_) => {
                paths.iter().flat_map(|path| values.iter().map(move |value| extended(path, value))).collect()
            }
        };
    }
    paths
}

/// Whether `pattern`, in which `*` stands for any run of characters, matches all of `text`.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        // The earliest place leaves the most to the pieces behind it.
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}
