//! Owns which requests the router gives to which route, and which of them a pattern of a policy matches besides.
//! Writing policies is left to `policy.rs`.

use std::collections::BTreeSet;

use access::{Method, Route, route::Segment};

/// Stands for every segment that no literal of the table matches. A table's literals cannot hold a blank.
const FRESH: &str = " ";

/// Method and path of a route, taken apart once.
#[derive(Debug)]
pub(super) struct Shape {
    method: Method,
    segments: Vec<Segment<'static>>,
    /// `GET/orders/*`: what a policy names behind the stage.
    pub(super) pattern: String,
}

impl Shape {
    pub(super) fn of(route: &Route) -> Self {
        Self {
            method: route.method,
            segments: route.segments().collect(),
            pattern: access::arn::pattern(route),
        }
    }

    fn matches(&self, parts: &[&str]) -> bool {
        self.segments.len() == parts.len()
            && self.segments.iter().zip(parts).all(|(segment, part)| match segment {
                Segment::Literal(literal) => literal == part,
                Segment::Parameter(_) => !part.is_empty(),
            })
    }

    fn literals(&self) -> impl Iterator<Item = bool> {
        self.segments.iter().map(|segment| matches!(segment, Segment::Literal(_)))
    }
}

/// The route that API Gateway gives a call to: segment by segment, a literal comes before a parameter. One slash
/// at the end reaches the same resource; an empty segment reaches none.
pub(super) fn route_of<'s>(
    shapes: impl Iterator<Item = &'s Shape>,
    method: Method,
    path: &str,
) -> Option<usize> {
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    best(shapes, method, &parts)
}

fn best<'s>(shapes: impl Iterator<Item = &'s Shape>, method: Method, parts: &[&str]) -> Option<usize> {
    let matching = shapes.enumerate().filter(|(_, shape)| shape.method == method && shape.matches(parts));
    let best = matching.max_by(|(_, a), (_, b)| a.literals().cmp(b.literals()));
    best.map(|(index, _)| index)
}

/// Which patterns match requests of which routes.
///
/// Decided by witnesses: for each route, every request that the router gives to it, its parameters being each
/// literal of the table and one segment that is none. That is enough, since a pattern's `*` stands between slashes:
/// whether it matches depends on where the table's literals stand in a path, and on nothing else.
pub(super) struct Overlaps<'s> {
    shapes: &'s [Shape],
    /// For each route what stands between the stars of its pattern.
    pieces: Vec<Vec<&'s str>>,
    /// For each route `VERB/path/`, with the slash at the end that a call may have.
    witnesses: Vec<Vec<String>>,
}

impl<'s> Overlaps<'s> {
    pub(super) fn of(shapes: &'s [Shape]) -> Self {
        let witnesses = shapes.iter().enumerate().map(|(index, shape)| {
            let mine = paths(shape, shapes).into_iter();
            let mine = mine.filter(|parts| best(shapes.iter(), shape.method, parts) == Some(index));
            mine.map(|parts| [shape.method.as_str(), "/", &parts.join("/"), "/"].concat()).collect()
        });
        let pieces = shapes.iter().map(|shape| shape.pattern.split('*').collect());
        Self { shapes, pieces: pieces.collect(), witnesses: witnesses.collect() }
    }

    /// Whether an Allow for one route also matches requests for the other.
    pub(super) fn allow(&self, route: usize, other: usize) -> bool {
        self.is_match(route, other, true)
    }

    /// Whether a Deny for one route also matches requests for the other. With a slash at the end those may be
    /// denied: no policy promises them. So the pattern with such a slash, which a Deny names too, hits nothing more.
    pub(super) fn deny(&self, route: usize, other: usize) -> bool {
        self.is_match(route, other, false)
    }

    fn is_match(&self, route: usize, other: usize, with_slash: bool) -> bool {
        let method = |index: usize| self.shapes.get(index).map(|shape| shape.method);
        // Most pairs end here: no pattern matches another verb.
        if method(route) != method(other) {
            return false;
        }
        let (Some(pieces), Some(witnesses)) = (self.pieces.get(route), self.witnesses.get(other)) else {
            return false;
        };
        witnesses.iter().any(|witness| {
            let without_slash = witness.strip_suffix('/').unwrap_or(witness);
            glob(pieces, without_slash) || (with_slash && glob(pieces, witness))
        })
    }
}

/// Every path of the route's form over the literals of the routes with its verb and one fresh segment.
fn paths<'s>(shape: &Shape, shapes: &'s [Shape]) -> Vec<Vec<&'s str>> {
    let mut values: BTreeSet<&str> = BTreeSet::from([FRESH]);
    for segment in
        shapes.iter().filter(|other| other.method == shape.method).flat_map(|other| &other.segments)
    {
        if let Segment::Literal(literal) = segment {
            values.insert(literal);
        }
    }
    let mut paths = vec![Vec::new()];
    for segment in &shape.segments {
        let extended = |path: &Vec<&'s str>, part| path.iter().copied().chain([part]).collect();
        paths = match segment {
            Segment::Literal(literal) => paths.iter().map(|path| extended(path, *literal)).collect(),
            Segment::Parameter(_) => {
                paths.iter().flat_map(|path| values.iter().map(move |value| extended(path, value))).collect()
            }
        };
    }
    paths
}

/// Whether a pattern in which `*` stands for any run of characters matches all of `text`. `pieces` is what stands
/// between its stars.
fn glob(pieces: &[&str], text: &str) -> bool {
    let [first, rest @ ..] = pieces else { return false };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let [middle @ .., last] = rest else { return text.is_empty() };
    for piece in middle {
        // The earliest place leaves the most to the pieces behind it.
        let Some((_, behind)) = text.split_once(piece) else { return false };
        text = behind;
    }
    text.ends_with(last)
}
