//! `Shape`: a path as a run of segments, and which requests of one path the pattern of another matches.
//!
//! A pattern is matched segment by segment: its `*` stands between slashes, and crosses them, so it takes one segment or
//! more. A slash at the end of a call is an empty last segment, which only a `*` takes.

use std::collections::HashMap;

use access::route::Segment;

/// A literal of the table, by number.
pub(super) type Literal = u32;

/// One segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Literal(Literal),
    /// Any one segment.
    One,
    /// One segment or more, at the end.
    Rest,
}

impl Part {
    pub(super) const fn literal(self) -> Option<Literal> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::One | Self::Rest => None,
        }
    }
}

/// A path, ready to be matched. A set of places in it is a number of 128 bits; the place behind the last segment counts.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) parts: Vec<Part>,
    /// Where its pattern has a `*`.
    stars: u128,
    /// Where its pattern has each literal, by literal.
    literals: Vec<(Literal, u128)>,
}

/// What the requests in question look like: a `*` in it is any value of a parameter.
pub(super) type Instance = Vec<Option<Literal>>;

impl Shape {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let mut stars = 0;
        let mut literals = HashMap::<_, u128>::new();
        for (at, part) in parts.iter().enumerate() {
            match part {
                Part::Literal(literal) => *literals.entry(*literal).or_default() |= 1 << at,
                Part::One | Part::Rest => stars |= 1 << at,
            }
        }
        let mut literals: Vec<_> = literals.into_iter().collect();
        literals.sort_unstable();
        Self { parts, stars, literals }
    }

    fn places_of(&self, literal: Literal) -> u128 {
        let at = self.literals.binary_search_by_key(&literal, |(literal, _)| *literal);
        at.ok().and_then(|at| self.literals.get(at)).map_or(0, |(_, places)| *places)
    }

    fn all_literals(&self) -> u128 {
        !self.stars
    }

    /// Whether the parameters of the path can have values that make it these segments, `None` being a segment that no
    /// literal of the table matches.
    pub(super) fn matches(&self, segments: &[Option<Literal>]) -> bool {
        let is_long_enough = match self.parts.last() {
            Some(Part::Rest) => self.parts.len() <= segments.len(),
            _ => self.parts.len() == segments.len(),
        };
        is_long_enough
            && self.parts.iter().zip(segments).all(|(part, segment)| match part {
                Part::Literal(literal) => *segment == Some(*literal),
                Part::One | Part::Rest => true,
            })
    }

    /// Whether the router takes this path rather than the other for a request that both match.
    pub(super) fn is_more_specific_than(&self, other: &Self) -> bool {
        let rank = |part: &Part| match part {
            Part::Literal(_) => 0,
            Part::One => 1,
            Part::Rest => 2,
        };
        self.parts.iter().map(rank).lt(other.parts.iter().map(rank))
    }
}

/// The table's literals by number.
#[derive(Debug, Default)]
pub(super) struct Literals<'t> {
    numbers: HashMap<&'t str, Literal>,
    texts: Vec<&'t str>,
}

impl<'t> Literals<'t> {
    pub(super) fn shape(&mut self, segments: &'t [Segment]) -> Shape {
        let part = |segment: &'t Segment| match segment {
            Segment::Literal(text) => {
                let next = self.numbers.len();
                let number = *self.numbers.entry(text).or_insert(u32::try_from(next).unwrap_or(u32::MAX));
                if self.texts.len() < self.numbers.len() {
                    self.texts.push(text);
                }
                Part::Literal(number)
            }
            Segment::Parameter(_) => Part::One,
            Segment::Greedy(_) => Part::Rest,
        };
        Shape::new(segments.iter().map(part).collect())
    }

    /// The path of these segments, with `value` for each that is none of the literals.
    pub(super) fn path(&self, segments: &[Option<Literal>], value: &str) -> String {
        let text = |segment: &Option<Literal>| {
            let literal = segment.and_then(|literal| self.texts.get(literal as usize));
            format!("/{}", literal.copied().unwrap_or(value))
        };
        segments.iter().map(text).collect()
    }

    /// A segment that is none of the literals.
    pub(super) fn fresh(&self) -> String {
        let mut value = "1".to_owned();
        while self.numbers.contains_key(value.as_str()) {
            value.push('1');
        }
        value
    }
}

/// Finds which requests of one path the pattern of another matches.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    /// From which places of the pattern the path can be matched to its end, by place in the path.
    viable: Vec<u128>,
    found: Vec<Instance>,
}

impl Matcher {
    /// Whether the pattern of `pattern` matches any request of `path`, with a slash at its end or without.
    pub(super) fn meets(&mut self, pattern: &Shape, path: &Shape, with_slash: bool) -> bool {
        if let (Some(Part::Literal(a)), Some(Part::Literal(b))) = (pattern.parts.first(), path.parts.first())
            && a != b
        {
            return false;
        }
        let end = 1_u128 << pattern.parts.len();
        let mut viable = if with_slash { (end >> 1) & pattern.stars } else { end };
        self.viable.clear();
        self.viable.push(viable);
        for part in path.parts.iter().rev() {
            let step = |viable: u128, literals: u128| {
                ((viable >> 1) & literals) | ((viable | (viable >> 1)) & pattern.stars)
            };
            viable = match part {
                Part::Literal(literal) => step(viable, pattern.places_of(*literal)),
                Part::One => step(viable, pattern.all_literals()),
                Part::Rest => {
                    let (mut all, mut last) = (step(viable, pattern.all_literals()), 0);
                    while all != last {
                        last = all;
                        all |= step(all, pattern.all_literals());
                    }
                    all
                }
            };
            if viable == 0 {
                return false;
            }
            self.viable.push(viable);
        }
        viable & 1 != 0
    }

    /// Those requests, after [`Matcher::meets`] has found some: each as few forced values of parameters as will do.
    /// `None` where finding them takes more steps than are left of `budget`.
    pub(super) fn instances(
        &mut self,
        pattern: &Shape,
        path: &Shape,
        budget: &mut usize,
    ) -> Option<Vec<Instance>> {
        self.found.clear();
        self.walk((pattern, path), 0, 1, &mut Vec::new(), budget)?;
        let mut instances = std::mem::take(&mut self.found);
        // The most general first, so that what one contains is left out.
        instances.sort_unstable_by_key(|instance| instance.iter().flatten().count());
        let mut kept: Vec<Instance> = Vec::new();
        for instance in instances {
            *budget = budget.checked_sub(kept.len())?;
            if !kept.iter().any(|general| contains(general, &instance)) {
                kept.push(instance);
            }
        }
        Some(kept)
    }

    /// Goes on from place `at` of the path, where the pattern may be at any of `places`.
    fn walk(
        &mut self,
        shapes: (&Shape, &Shape),
        at: usize,
        places: u128,
        instance: &mut Instance,
        budget: &mut usize,
    ) -> Option<()> {
        let (pattern, path) = shapes;
        let places = places & self.viable.get(path.parts.len() - at).copied().unwrap_or(0);
        if places == 0 {
            return Some(());
        }
        *budget = budget.checked_sub(1)?;
        let Some(part) = path.parts.get(at) else {
            self.found.push(instance.clone());
            return Some(());
        };
        let stars = places & pattern.stars;
        let mut go = |segment, next: u128, longer: u128| {
            instance.push(segment);
            // Of the rest, one segment more or none.
            let more =
                if *part == Part::Rest { self.walk(shapes, at, longer, instance, budget) } else { Some(()) };
            let walked = more.and_then(|()| self.walk(shapes, at + 1, next, instance, budget));
            instance.pop();
            walked
        };
        if let Part::Literal(literal) = part {
            let next = ((places & pattern.places_of(*literal)) << 1) | stars | (stars << 1);
            return go(Some(*literal), next, 0);
        }
        if stars != 0 {
            // A `*` that takes more of the rest is that same `*`.
            go(None, stars | (stars << 1), stars << 1)?;
        }
        for (literal, its) in &pattern.literals {
            let next = (places & its) << 1;
            if next != 0 {
                go(Some(*literal), next, next)?;
            }
        }
        Some(())
    }
}

/// Whether an instance has all requests of the other, of the same number of segments.
fn contains(general: &[Option<Literal>], special: &[Option<Literal>]) -> bool {
    general.len() == special.len() && general.iter().zip(special).all(|(g, s)| g.is_none() || g == s)
}
