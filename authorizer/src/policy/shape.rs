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
    fn new(parts: Vec<Part>) -> Self {
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

    /// The path that has these segments, `None` being a parameter.
    pub(super) fn of(instance: &[Option<Literal>]) -> Self {
        Self::new(instance.iter().map(|segment| segment.map_or(Part::One, Part::Literal)).collect())
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

    /// Whether this path's pattern matches any request of `path`: without a slash at its end, and with one.
    pub(super) fn meets(&self, path: &Self) -> [bool; 2] {
        self.meets_by(path, |literal| self.places_of(literal))
    }

    fn meets_by(&self, path: &Self, places_of: impl Fn(Literal) -> u128) -> [bool; 2] {
        if let (Some(Part::Literal(a)), Some(Part::Literal(b))) = (self.parts.first(), path.parts.first())
            && a != b
        {
            return [false; 2];
        }
        let mut places = 1_u128;
        for part in &path.parts {
            let step = |places: u128, literals: u128| {
                let stars = places & self.stars;
                ((places & literals) << 1) | stars | (stars << 1)
            };
            places = match part {
                Part::Literal(literal) => step(places, places_of(*literal)),
                Part::One => step(places, self.all_literals()),
                Part::Rest => {
                    // More segments reach every later place.
                    let first = step(places, self.all_literals());
                    first | first.wrapping_neg()
                }
            };
            if places == 0 {
                return [false; 2];
            }
        }
        let end = 1 << self.parts.len();
        [places & end != 0, places & (end >> 1) & self.stars != 0]
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
    fn shape(&mut self, segments: &'t [Segment]) -> Shape {
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

/// Every path of a table once, and which of their patterns match requests of which others.
#[derive(Debug)]
pub(super) struct Paths<'t> {
    pub(super) shapes: Vec<Shape>,
    pub(super) literals: Literals<'t>,
    meets: Vec<Vec<[bool; 2]>>,
}

impl<'t> Paths<'t> {
    pub(super) fn new(paths: impl Iterator<Item = &'t [Segment]>) -> Self {
        let mut literals = Literals::default();
        let shapes: Vec<Shape> = paths.map(|segments| literals.shape(segments)).collect();
        // Where the pattern in question has each literal: for so many pairs, looking it up takes most of the time.
        let mut places = vec![0; literals.texts.len()];
        let mut meets = Vec::new();
        for pattern in &shapes {
            let mark = |places: &mut [u128], is_own| {
                for (literal, own) in &pattern.literals {
                    if let Some(places) = places.get_mut(*literal as usize) {
                        *places = if is_own { *own } else { 0 };
                    }
                }
            };
            mark(&mut places, true);
            let places_of = |literal| places.get(literal as usize).copied().unwrap_or(0);
            meets.push(shapes.iter().map(|path| pattern.meets_by(path, places_of)).collect());
            mark(&mut places, false);
        }
        Self { shapes, literals, meets }
    }

    /// [`Shape::meets`] for two paths by number.
    pub(super) fn meet(&self, pattern: usize, path: usize) -> [bool; 2] {
        self.meets.get(pattern).and_then(|row| row.get(path)).copied().unwrap_or_default()
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
    fn prepare(&mut self, pattern: &Shape, path: &Shape, has_slash: bool) {
        let end = 1_u128 << pattern.parts.len();
        let mut viable = if has_slash { (end >> 1) & pattern.stars } else { end };
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
                    // More segments reach the end from every earlier place.
                    let last = step(viable, pattern.all_literals());
                    u128::MAX.checked_shr(last.leading_zeros()).unwrap_or(0)
                }
            };
            self.viable.push(viable);
        }
    }

    /// Which requests of `path` the pattern of `pattern` matches, with a slash at their end or without: each as few forced
    /// values of parameters as will do. `None` where finding them takes more steps than are left.
    pub(super) fn instances(
        &mut self,
        pattern: &Shape,
        path: &Shape,
        has_slash: bool,
        steps: &mut usize,
    ) -> Option<Vec<Instance>> {
        spend(steps, path.parts.len())?;
        self.prepare(pattern, path, has_slash);
        self.found.clear();
        self.walk((pattern, path), 0, 1, &mut Vec::new(), steps)?;
        let mut instances = std::mem::take(&mut self.found);
        // The most general first, so that what one contains is left out.
        instances.sort_unstable_by_key(|instance| instance.iter().flatten().count());
        let mut kept: Vec<Instance> = Vec::new();
        for instance in instances {
            spend(steps, kept.len() + 1)?;
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
        steps: &mut usize,
    ) -> Option<()> {
        let (pattern, path) = shapes;
        let places = places & self.viable.get(path.parts.len() - at).copied().unwrap_or(0);
        if places == 0 {
            return Some(());
        }
        spend(steps, 1 + pattern.literals.len() / 4)?;
        let Some(part) = path.parts.get(at) else {
            spend(steps, instance.len())?;
            self.found.push(instance.clone());
            return Some(());
        };
        let stars = places & pattern.stars;
        let mut go = |segment, next: u128, longer: u128| {
            instance.push(segment);
            // Of the rest, one segment more or none.
            let more =
                if *part == Part::Rest { self.walk(shapes, at, longer, instance, steps) } else { Some(()) };
            let walked = more.and_then(|()| self.walk(shapes, at + 1, next, instance, steps));
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

/// Takes steps from what is left; `None`, and nothing left, where there are not so many.
pub(super) fn spend(left: &mut usize, steps: usize) -> Option<()> {
    let rest = left.checked_sub(steps);
    *left = rest.unwrap_or(0);
    rest.map(|_| ())
}

/// Whether an instance has all requests of the other, of the same number of segments.
fn contains(general: &[Option<Literal>], special: &[Option<Literal>]) -> bool {
    general.len() == special.len() && general.iter().zip(special).all(|(g, s)| g.is_none() || g == s)
}

#[cfg(test)]
mod tests;
