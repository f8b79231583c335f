//! Finds the requests that must be denied because an allowed pattern matches them although the router gives them to
//! another route, and the calls of a third route that such a Deny closes.

use std::collections::HashMap;

use super::shape::{Instance, Literal, Matcher, Part, Paths, Shape, spend};

/// The work that finding overlaps may take for a whole table, in steps of about ten nanoseconds. No real table needs
/// more; beyond it, whole routes are denied instead of only the calls that a pattern matches.
const STEPS: usize = 2_000_000;
/// The same for one pattern and one route, so one pair cannot use up all steps.
const STEPS_OF_A_PAIR: usize = 30_000;
/// The most patterns to deny in a whole table, likewise.
const MOST_DENIALS: usize = 5_000;
/// The same for finding the calls that are reported at start.
const STEPS_FOR_CLOSED: usize = 500_000;
/// The most calls that are reported at start, for each verb.
const MOST_CLOSED: usize = 10;

/// What is left of the work for one table.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) steps: usize,
    pub(super) denials: usize,
    pub(super) steps_for_closed: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: STEPS, denials: MOST_DENIALS, steps_for_closed: STEPS_FOR_CLOSED }
    }
}

/// The overlaps of the routes of one verb, each named by its index among them.
#[derive(Debug)]
pub(super) struct Overlaps {
    pub(super) denials: Vec<Denial>,
    by_allowed: Vec<Bits>,
}

/// A pattern to deny if a route is not covered.
#[derive(Debug)]
pub(super) struct Denial {
    /// The route whose requests it matches.
    pub(super) route: usize,
    /// `/orders/*/lines`; `None` for all requests of the route.
    pub(super) path: Option<String>,
    /// Whether a slash follows.
    pub(super) has_slash: bool,
    /// What it matches, slash apart.
    instance: Instance,
}

/// The denials, by number, that the pattern of a route makes necessary.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (number % 64);
        }
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    fn extend(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }
}

/// A call that a policy refuses although its route is covered.
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
    paths: &'s Paths<'s>,
    /// The paths of the routes by number, and their shapes.
    own: &'s [usize],
    shapes: Vec<&'s Shape>,
    budget: &'s mut Budget,
    matcher: Matcher,
    denials: Vec<Denial>,
    known: HashMap<(usize, bool, String), usize>,
    /// The number of the denial of a whole route, without a slash and with one.
    whole: Vec<[Option<usize>; 2]>,
}

impl Overlaps {
    /// Of routes with these paths.
    pub(super) fn of(own: &[usize], paths: &Paths<'_>, budget: &mut Budget) -> Self {
        let mut search = Search {
            paths,
            own,
            shapes: shapes(own, paths),
            budget,
            matcher: Matcher::default(),
            denials: Vec::new(),
            known: HashMap::new(),
            whole: vec![[None; 2]; own.len()],
        };
        let by_allowed = (0..own.len()).map(|allowed| search.denials_for(allowed)).collect();
        Self { denials: search.denials, by_allowed }
    }

    /// The denials that are necessary if these routes are allowed and those of the denials are not covered.
    pub(super) fn denials_for(&self, routes: impl Iterator<Item = usize>) -> Bits {
        let mut all = Bits::default();
        routes.filter_map(|route| self.by_allowed.get(route)).for_each(|bits| all.extend(bits));
        all
    }

    /// At most ten calls that a policy closes although they are covered. `is_possible` says of three routes whether a token
    /// can cover the first and the last but not the other.
    pub(super) fn closed(
        &self,
        own: &[usize],
        paths: &Paths<'_>,
        budget: &mut Budget,
        is_possible: impl Fn(usize, usize, usize, &mut usize) -> bool,
    ) -> Vec<Closed> {
        let (mut closed, mut matcher, value) = (Vec::new(), Matcher::default(), paths.literals.fresh());
        let shapes = shapes(own, paths);
        let steps = &mut budget.steps_for_closed;
        for (number, denial) in self.denials.iter().enumerate().filter(|(_, denial)| !denial.has_slash) {
            let pattern = Shape::of(&denial.instance);
            for (route, shape) in shapes.iter().enumerate().filter(|(route, _)| *route != denial.route) {
                if spend(steps, 1 + shape.parts.len() / 8).is_none() || closed.len() >= MOST_CLOSED {
                    return closed;
                }
                let [meets, _] = pattern.meets(shape);
                if !meets || spend(steps, shapes.len()).is_none() {
                    continue;
                }
                let is_denied =
                    |allowed: &usize| self.by_allowed.get(*allowed).is_some_and(|bits| bits.contains(number));
                let mut allowed = (0..shapes.len()).filter(is_denied);
                let Some(allowed) = allowed.find(|allowed| is_possible(*allowed, denial.route, route, steps))
                else {
                    continue;
                };
                let call = within(steps, STEPS_OF_A_PAIR, |steps| {
                    let instances = matcher.instances(&pattern, shape, false, steps)?;
                    instances.iter().find_map(|instance| example(&shapes, route, instance, steps))
                });
                closed.extend(call.map(|call| Closed {
                    allowed,
                    denied: denial.route,
                    route,
                    path: paths.literals.path(&call, &value),
                }));
            }
        }
        closed
    }
}

impl Search<'_> {
    fn denials_for(&mut self, allowed: usize) -> Bits {
        let mut needed = Bits::default();
        let Some(pattern) = self.own.get(allowed) else { return needed };
        for (route, path) in self.own.iter().enumerate().filter(|(route, _)| *route != allowed) {
            let [plain, slashed] = self.paths.meet(*pattern, *path);
            // The root is one slash in any case.
            let is_root = self.shapes.get(route).is_some_and(|shape| shape.parts.is_empty());
            if plain && !is_root {
                self.deny(allowed, route, false, &mut needed);
            }
            if slashed {
                self.deny(allowed, route, true, &mut needed);
            }
        }
        needed
    }

    fn deny(&mut self, allowed: usize, route: usize, has_slash: bool, needed: &mut Bits) {
        let (Some(pattern), Some(shape)) = (self.shapes.get(allowed), self.shapes.get(route)) else { return };
        let exact = within(&mut self.budget.steps, STEPS_OF_A_PAIR, |steps| {
            let mut instances = self.matcher.instances(pattern, shape, has_slash, steps)?;
            instances.retain(|instance| example(&self.shapes, route, instance, steps).is_some());
            (*steps > 0).then_some(instances)
        });
        let Some(instances) = exact.filter(|instances| instances.len() <= self.budget.denials) else {
            needed.insert(self.whole(route, has_slash));
            return;
        };
        for instance in instances {
            let path = self.paths.literals.path(&instance, "*");
            // A `*` at the end matches a slash by itself.
            let known = self.known.get(&(route, false, path.clone()));
            if has_slash && path.ends_with('*') && known.is_some_and(|number| needed.contains(*number)) {
                continue;
            }
            let next = self.denials.len();
            let number = *self.known.entry((route, has_slash, path.clone())).or_insert(next);
            if number == next {
                self.budget.denials = self.budget.denials.saturating_sub(1);
                // Bounds memory, too.
                let _ = spend(&mut self.budget.steps, path.len() + 8 * instance.len());
                self.denials.push(Denial { route, path: Some(path), has_slash, instance });
            }
            needed.insert(number);
        }
    }

    /// The number of the denial of all requests of a route.
    fn whole(&mut self, route: usize, has_slash: bool) -> usize {
        let known = self.whole.get_mut(route).and_then(|forms| forms.get_mut(usize::from(has_slash)));
        let number = known.map_or(self.denials.len(), |known| *known.get_or_insert(self.denials.len()));
        if number == self.denials.len() {
            let parts = self.shapes.get(route).map_or(&[][..], |shape| &shape.parts);
            let instance = parts.iter().map(|part| part.literal()).collect();
            // The pattern of the root is the slash itself.
            let path = parts.is_empty().then(String::new);
            self.denials.push(Denial { route, path, has_slash, instance });
        }
        number
    }
}

fn shapes<'s>(own: &[usize], paths: &'s Paths<'_>) -> Vec<&'s Shape> {
    own.iter().filter_map(|path| paths.shapes.get(*path)).collect()
}

/// Does something with at most `most` of the remaining steps.
fn within<T>(left: &mut usize, most: usize, work: impl FnOnce(&mut usize) -> Option<T>) -> Option<T> {
    let before = most.min(*left);
    let mut own = before;
    let done = work(&mut own);
    *left -= before - own;
    done
}

/// A request of the instance that the router gives to `route`, if there is one. A parameter without a forced value gets
/// one that is not a literal, so that the fewest other routes match. `None` if the steps are used up.
fn example(
    shapes: &[&Shape],
    route: usize,
    instance: &[Option<Literal>],
    steps: &mut usize,
) -> Option<Instance> {
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
    for length in 1..=longest {
        spend(steps, shapes.len() + instance.len() * length)?;
        let request = request(length);
        let is_another = |other: &&Shape| other.is_more_specific_than(shape) && other.matches(&request);
        if !shapes.iter().any(is_another) {
            return Some(request);
        }
    }
    // Two runs have more combinations of lengths than were tried: deny one request too many rather than too few.
    (runs > 1).then(|| request(1))
}

#[cfg(test)]
mod tests;
