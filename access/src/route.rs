//! `Route`: the method, the path and the scopes of one route.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use crate::scope::{Scope, ScopeSet};

/// The most segments that a path may have.
const MOST_SEGMENTS: usize = 64;

/// One route of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    method: Method,
    /// `GET /orders/{id}`
    name: String,
    /// Shared by the verbs of `ANY`, as the scopes are.
    segments: Arc<[Segment]>,
    scopes: Arc<[Scope<'static>]>,
}

impl Route {
    pub(crate) fn new(method: Method, path: &Path, scopes: Arc<[Scope<'static>]>) -> Self {
        let name = format!("{method} {}", path.text);
        Self { method, name, segments: Arc::clone(&path.segments), scopes }
    }

    /// The HTTP method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The method and the path separated by one space, as in `routes.json`: `GET /orders/{id}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path as API Gateway writes a resource: `/orders/{id}`.
    pub fn path(&self) -> &str {
        self.name.split_once(' ').map_or("", |(_, path)| path)
    }

    /// The segments of the path in order; none for `/`.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The scopes that a caller must hold, all of them. Without any, every valid token is enough.
    pub fn scopes(&self) -> &[Scope<'static>] {
        &self.scopes
    }

    /// Whether a caller that holds `scopes` may call this route.
    pub fn is_covered_by(&self, scopes: &ScopeSet<'_>) -> bool {
        scopes.covers(&self.scopes)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A parsed path of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    segments: Arc<[Segment]>,
}

/// One part of a path between two slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Matches itself.
    Literal(String),
    /// `{name}`: matches any one segment.
    Parameter(String),
    /// `{name+}`: matches one segment or more, at the end of a path only.
    Greedy(String),
}

/// Why a path is not a resource of API Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No slash at the beginning.
    #[error("the path must begin with `/`")]
    Slash,
    /// A doubled slash, or one at the end.
    #[error("the path has an empty segment")]
    Empty,
    /// A character that a segment cannot have; braces around only a part of a segment are such characters.
    #[error("a segment must be `{{name}}`, or letters, digits, `.`, `_`, `-` and `:`")]
    Segment,
    /// `.` or `..`
    #[error("a segment is `.` or `..`")]
    Dots,
    /// A parameter without a name, or with other characters in it.
    #[error("the name of a parameter must be letters, digits, `.`, `_`, `$` and `-`")]
    Name,
    /// A parameter name that the path has already.
    #[error("two parameters of the path have the same name")]
    NameTwice,
    /// A greedy parameter that is followed by more segments.
    #[error("a greedy parameter `{{name+}}` must be the last segment")]
    Greedy,
    /// More than 64 segments.
    #[error("the path has more than 64 segments")]
    Long,
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let rest = text.strip_prefix('/').ok_or(PathError::Slash)?;
        let mut segments = Vec::new();
        let mut names = BTreeSet::new();
        for part in rest.split('/').filter(|_| !rest.is_empty()) {
            if matches!(segments.last(), Some(Segment::Greedy(_))) {
                return Err(PathError::Greedy);
            }
            let segment = Segment::from_str(part)?;
            if let Segment::Parameter(name) | Segment::Greedy(name) = &segment
                && !names.insert(name.clone())
            {
                return Err(PathError::NameTwice);
            }
            segments.push(segment);
        }
        if segments.len() > MOST_SEGMENTS {
            return Err(PathError::Long);
        }
        Ok(Self { text: text.to_owned(), segments: segments.into() })
    }
}

impl FromStr for Segment {
    type Err = PathError;

    // SPEC: Amazon API Gateway, CreateResource: the characters of a path part
    fn from_str(text: &str) -> Result<Self, PathError> {
        let is_all = |text: &str, extra: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
        };
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let bare = name.strip_suffix('+').unwrap_or(name);
            return match is_all(bare, b"._$-") {
                true if bare == name => Ok(Self::Parameter(bare.to_owned())),
                true => Ok(Self::Greedy(bare.to_owned())),
                false => Err(PathError::Name),
            };
        }
        match text {
            "" => Err(PathError::Empty),
            "." | ".." => Err(PathError::Dots),
            _ if is_all(text, b"._-:") => Ok(Self::Literal(text.to_owned())),
            _ => Err(PathError::Segment),
        }
    }
}

/// An HTTP method that a route can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// Every method, in alphabetical order: what `ANY` stands for.
    pub const ALL: [Self; 7] =
        [Self::Delete, Self::Get, Self::Head, Self::Options, Self::Patch, Self::Post, Self::Put];

    /// The method as HTTP and a method ARN write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A string that is not a method of a route. Methods are case-sensitive.
// SPEC: RFC 9110 section 9.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a method that a route can have")]
pub struct UnknownMethod;

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(UnknownMethod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_print_as_they_parse() {
        for method in Method::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        for text in ["get", "ANY", "TRACE", ""] {
            assert_eq!(text.parse::<Method>(), Err(UnknownMethod), "{text}");
        }
    }

    #[test]
    fn paths_are_written_as_api_gateway_writes_resources() {
        let long = "/a".repeat(65);
        let cases = [
            ("root", "/", Ok(0)),
            ("literals", "/v1/a.b_c-d:e", Ok(2)),
            ("parameters", "/o/{id}/{line-id}", Ok(3)),
            ("greedy", "/{proxy+}", Ok(1)),
            ("64 segments", long.strip_prefix("/a").unwrap(), Ok(64)),
            ("no slash", "o", Err(PathError::Slash)),
            ("nothing", "", Err(PathError::Slash)),
            ("doubled slash", "/o//x", Err(PathError::Empty)),
            ("two slashes", "//", Err(PathError::Empty)),
            ("slash at the end", "/o/", Err(PathError::Empty)),
            ("star", "/o/*", Err(PathError::Segment)),
            ("question mark", "/o/a?b", Err(PathError::Segment)),
            ("percent", "/o/%41", Err(PathError::Segment)),
            ("space", "/o/a b", Err(PathError::Segment)),
            ("not ASCII", "/o/é", Err(PathError::Segment)),
            ("half a brace", "/o/{id", Err(PathError::Segment)),
            ("prefixed parameter", "/o/x{id}", Err(PathError::Segment)),
            ("suffixed parameter", "/o/{id}.json", Err(PathError::Segment)),
            ("dot", "/o/.", Err(PathError::Dots)),
            ("two dots", "/../o", Err(PathError::Dots)),
            ("nameless parameter", "/o/{}", Err(PathError::Name)),
            ("nameless greedy parameter", "/o/{+}", Err(PathError::Name)),
            ("star in a name", "/o/{a*}", Err(PathError::Name)),
            ("name twice", "/{id}/{id}", Err(PathError::NameTwice)),
            ("greedy name twice", "/{id}/{id+}", Err(PathError::NameTwice)),
            ("greedy in the middle", "/{proxy+}/x", Err(PathError::Greedy)),
            ("65 segments", &long, Err(PathError::Long)),
        ];
        for (name, text, expected) in cases {
            assert_eq!(Path::from_str(text).map(|path| path.segments.len()), expected, "{name}");
        }
    }
}
