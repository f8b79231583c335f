//! The resource and the method that a path belongs to, and the values of its parameters.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{
    api::{Api, ApiMethod},
    error::GatewayError,
};

const VERBS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The resources of an API, the most specific first.
#[derive(Debug)]
pub(super) struct Router {
    resources: Vec<Resource>,
}

/// What a request was found to be.
pub(super) struct Matched {
    /// The method that answers.
    pub(super) method: ApiMethod,
    /// Path parameters by name, as they were sent: still encoded.
    pub(super) parameters: Vec<(String, String)>,
}

#[derive(Debug)]
struct Resource {
    segments: Vec<Segment>,
    methods: Vec<ApiMethod>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// `{name+}`: one segment or more, at the end only.
    Greedy(String),
}

impl Router {
    /// Reads the resources of `api`.
    ///
    /// # Errors
    /// A verb or a path that API Gateway would not take, a method that appears twice, and parameters of
    /// different names in one place.
    pub(super) fn new(api: &Api) -> Result<Self, GatewayError> {
        let mut resources: Vec<Resource> = Vec::new();
        for method in &api.methods {
            let name = || format!("{} {}", method.verb, method.resource);
            if method.verb != "ANY" && !VERBS.contains(&method.verb.as_str()) {
                return Err(GatewayError::Verb(name()));
            }
            let segments = parse(&method.resource).ok_or_else(|| GatewayError::Path(name()))?;
            if let Some(resource) = resources.iter_mut().find(|r| r.segments == segments) {
                if resource.methods.iter().any(|other| other.verb == method.verb) {
                    return Err(GatewayError::Twice(name()));
                }
                resource.methods.push(method.clone());
            } else {
                if resources.iter().any(|other| compare(&other.segments, &segments).is_eq()) {
                    return Err(GatewayError::Siblings(method.resource.clone()));
                }
                resources.push(Resource { segments, methods: vec![method.clone()] });
            }
        }
        resources.sort_by(|a, b| compare(&a.segments, &b.segments));
        Ok(Self { resources })
    }

    /// The method for `verb` on `path`, still encoded. A path belongs to its most specific resource, whether or
    /// not that one has the verb.
    pub(super) fn find(&self, verb: &str, path: &str) -> Option<Matched> {
        let (resource, parameters) = self.resource(path)?;
        let of = |name: &str| resource.methods.iter().find(|method| method.verb == name);
        let any = || if VERBS.contains(&verb) { of("ANY") } else { None };
        let method = of(verb).filter(|method| method.verb != "ANY").or_else(any)?.clone();
        Some(Matched { method, parameters })
    }

    /// The path of the resource that `path` belongs to.
    pub(super) fn resource_path(&self, path: &str) -> Option<&str> {
        self.resource(path)?.0.methods.first().map(|method| method.resource.as_str())
    }

    fn resource(&self, path: &str) -> Option<(&Resource, Vec<(String, String)>)> {
        let parts = split(path)?;
        self.resources.iter().find_map(|resource| Some((resource, bind(&resource.segments, &parts)?)))
    }
}

/// The segments of a path, one trailing slash left out; `None` where it has an empty one, which only a doubled
/// slash makes, or one that a client or a proxy might have resolved: `.` and `..`, encoded or not.
fn split(path: &str) -> Option<Vec<&str>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    let is_odd = |part: &&str| {
        let plain = part.replace("%2e", ".").replace("%2E", ".");
        plain.is_empty() || plain == "." || plain == ".."
    };
    if parts.iter().any(is_odd) { None } else { Some(parts) }
}

/// The parameters that make `segments` fit `parts`.
fn bind(segments: &[Segment], parts: &[&str]) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut parts = parts.iter();
    for segment in segments {
        let part = parts.next()?;
        match segment {
            Segment::Literal(literal) if literal == part => {}
            Segment::Literal(_) => return None,
            Segment::Parameter(name) => parameters.push((name.clone(), (*part).to_owned())),
            Segment::Greedy(name) => {
                let all: Vec<&str> = std::iter::once(part).chain(parts.by_ref()).copied().collect();
                parameters.push((name.clone(), all.join("/")));
            }
        }
    }
    if parts.next().is_none() { Some(parameters) } else { None }
}

fn parse(template: &str) -> Option<Vec<Segment>> {
    let path = template.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let mut names = BTreeSet::new();
    let mut segments = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let is_word = |text: &str, extra: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        };
        let parameter = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let segment = match parameter {
            Some(inner) => {
                let name = inner.strip_suffix('+').unwrap_or(inner);
                let is_greedy = name != inner;
                if !is_word(name, "._$-") || !names.insert(name) || (is_greedy && index + 1 != parts.len()) {
                    return None;
                }
                if is_greedy { Segment::Greedy(name.to_owned()) } else { Segment::Parameter(name.to_owned()) }
            }
            // SPEC: Amazon API Gateway, CreateResource: what a path part may hold
            None if is_word(part, "._-:") => Segment::Literal((*part).to_owned()),
            None => return None,
        };
        segments.push(segment);
    }
    Some(segments)
}

/// Literals before parameters before greedy ones; equal where the same paths fit both.
fn compare(a: &[Segment], b: &[Segment]) -> Ordering {
    let key = |segments: &[Segment]| {
        segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => (0, text.clone()),
                Segment::Parameter(_) => (1, String::new()),
                Segment::Greedy(_) => (2, String::new()),
            })
            .collect::<Vec<_>>()
    };
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests;
