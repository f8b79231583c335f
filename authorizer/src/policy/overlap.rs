//! Which requests must be denied because a pattern that is allowed matches them, though the router gives them to
//! another route; and which calls of a third route such a Deny closes.

use std::collections::{HashMap, HashSet};

use super::shape::{Instance, Literal, Literals, Matcher, Part, Shape};

/// What finding overlaps may cost in steps, for all routes of a verb. A table that needs more is no real one; where it
/// is used up, whole routes are denied instead of those of their calls that a pattern matches.
const STEPS: usize = 300_000;
/// The most patterns to deny, likewise.
const MOST_DENIALS: usize = 5_000;
/// The most calls that are told at start.
const MOST_CLOSED: usize = 10;
/// How many pairs of a Deny and a route are looked at for them.
const MOST_LOOKS: usize = 200_000;

/// The overlaps of routes with one verb, which are known by their place among these.
#[derive(Debug)]
pub(super) struct Overlaps {
    pub(super) denials: Vec<Denial>,
    /// By route: the denials that its pattern makes necessary.
    by_allowed: Vec<Box<[u32]>>,
}

/// A pattern to deny where a route is not covered.
#[derive(Debug)]
pub(super) struct Denial {
    /// The route whose requests it matches.
    pub(super) route: usize,
    /// `/orders/*/lines`
    pub(super) path: String,
    /// The pattern to match with, unless it has a slash at its end.
    shape: Option<Shape>,
}

/// A call that a policy refuses though the route is covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    /// The route whose pattern is allowed.
    pub(super) allowed: usize,
    /// The route that is not covered and that this pattern matches too.
    pub(super) denied: usize,
    /// The route of the call.
    pub(super) route: usize,
    /// `/c/1/src/tax`
    pub(super) path: String,
}

struct Search<'s> {
    shapes: &'s [&'s Shape],
    literals: &'s Literals<'s>,
    matcher: Matcher,
    steps: usize,
    denials: Vec<Denial>,
    known: HashMap<(usize, String), u32>,
}

impl Overlaps {
    pub(super) fn of(shapes: &[&Shape], literals: &Literals<'_>) -> Self {
        let mut search = Search {
            shapes,
            literals,
            matcher: Matcher::default(),
            steps: STEPS,
            denials: Vec::new(),
            known: HashMap::new(),
        };
        let by_allowed = (0..shapes.len()).map(|allowed| search.denials_for(allowed)).collect();
        Self { denials: search.denials, by_allowed }
    }

    /// The denials that are necessary where `route` is allowed and their own routes are not covered.
    pub(super) fn denials_for(&self, route: usize) -> impl Iterator<Item = (usize, &Denial)> {
        let numbers = self.by_allowed.get(route).into_iter().flatten();
        numbers.filter_map(|number| Some((*number as usize, self.denials.get(*number as usize)?)))
    }

    /// Calls that are closed to somebody who may make them: at most ten. `is_possible` says of the three routes of one
    /// whether anybody may call the first and the last but not the other.
    pub(super) fn closed(
        &self,
        shapes: &[&Shape],
        literals: &Literals<'_>,
        is_possible: impl Fn(usize, usize, usize) -> bool,
    ) -> Vec<Closed> {
        let (mut closed, mut seen, mut matcher) = (Vec::new(), HashSet::new(), Matcher::default());
        let value = literals.fresh();
        for allowed in 0..shapes.len() {
            for (number, denial) in self.denials_for(allowed) {
                let Some(pattern) = &denial.shape else { continue };
                for (other, shape) in shapes.iter().enumerate() {
                    if other == denial.route || !is_possible(allowed, denial.route, other) {
                        continue;
                    }
                    if closed.len() >= MOST_CLOSED || seen.len() >= MOST_LOOKS {
                        return closed;
                    }
                    if !seen.insert((number, other)) || !matcher.meets(pattern, shape, false) {
                        continue;
                    }
                    let mut steps = 1_000;
                    let instances = matcher.instances(pattern, shape, &mut steps).unwrap_or_default();
                    let call = instances.iter().find_map(|instance| example(shapes, other, instance));
                    closed.extend(call.map(|call| Closed {
                        allowed,
                        denied: denial.route,
                        route: other,
                        path: literals.path(&call, &value),
                    }));
                }
            }
        }
        closed
    }
}

impl Search<'_> {
    fn denials_for(&mut self, allowed: usize) -> Box<[u32]> {
        let mut numbers = Vec::new();
        let shapes = self.shapes;
        let Some(pattern) = shapes.get(allowed) else { return Box::default() };
        for (route, shape) in shapes.iter().enumerate().filter(|(route, _)| *route != allowed) {
            // The root is a slash, with or without one at the end.
            let forms = if shape.parts.is_empty() { &[true][..] } else { &[false, true] };
            for with_slash in forms {
                if self.matcher.meets(pattern, shape, *with_slash) {
                    self.deny(pattern, route, *with_slash, &mut numbers);
                }
            }
        }
        numbers.into()
    }

    fn deny(&mut self, pattern: &Shape, route: usize, with_slash: bool, numbers: &mut Vec<u32>) {
        let Some(shape) = self.shapes.get(route) else { return };
        let mut exact = None;
        if self.denials.len() < MOST_DENIALS {
            exact = self.matcher.instances(pattern, shape, &mut self.steps);
        }
        let is_exact = exact.is_some();
        if !is_exact {
            self.steps = 0;
        }
        for instance in exact.unwrap_or_else(|| vec![shape.parts.iter().map(|part| part.literal()).collect()])
        {
            if is_exact && example(self.shapes, route, &instance).is_none() {
                continue;
            }
            let mut path = self.literals.path(&instance, "*");
            if with_slash {
                // A `*` at the end matches a slash by itself.
                let known = self.known.get(&(route, path.clone()));
                if path.ends_with('*') && known.is_some_and(|number| numbers.contains(number)) {
                    continue;
                }
                path.push('/');
            }
            let next = u32::try_from(self.denials.len()).unwrap_or(u32::MAX);
            let number = *self.known.entry((route, path.clone())).or_insert(next);
            if number == next {
                let parts = instance.iter().map(|segment| segment.map_or(Part::One, Part::Literal));
                let shape = (!with_slash).then(|| Shape::new(parts.collect()));
                self.denials.push(Denial { route, path, shape });
            }
            numbers.push(number);
        }
    }
}

/// A request of the instance that the router gives to `route` among these, if there is one. Parameters without a forced
/// value have one that is no literal: then the fewest other routes match.
fn example(shapes: &[&Shape], route: usize, instance: &[Option<Literal>]) -> Option<Instance> {
    let shape = shapes.get(route)?;
    let rest = if shape.parts.last() == Some(&Part::Rest) { shape.parts.len() - 1 } else { instance.len() };
    // A `*` in the rest of a path may be any number of segments, and more specific routes may take only some numbers.
    let runs = instance.iter().skip(rest).filter(|segment| segment.is_none()).count();
    let longest =
        if runs == 0 { 1 } else { shapes.iter().map(|shape| shape.parts.len()).max().unwrap_or(0) + 1 };
    let request = |length: usize| -> Instance {
        let times = |(at, segment): (usize, &Option<Literal>)| {
            std::iter::repeat_n(*segment, if at >= rest && segment.is_none() { length } else { 1 })
        };
        instance.iter().enumerate().flat_map(times).collect()
    };
    let is_its_own = |request: &Instance| {
        !shapes.iter().any(|other| other.is_more_specific_than(shape) && other.matches(request))
    };
    let found = (1..=longest).map(request).find(is_its_own);
    // Two runs have more combinations of lengths than were tried: rather deny a request too many.
    found.or_else(|| (runs > 1).then(|| request(1)))
}
