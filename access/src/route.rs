//! Owns the route table: which method and path need which scopes, and which function answers. The only place
//! where a route meets its scope. ARNs, policies and HTTP types are left to others.
//!
//! To add a route, add a row to [`ROUTES`] and the same route to `template.yaml`; a test compares the two.

use std::{fmt, str::FromStr};

use crate::scope::{Scope, ScopeSet};

/// Every route of the API.
pub const ROUTES: &[Route] = &[
    Route::new(Method::Get, "/inventory", &[INVENTORY_READ], Function::Inventory),
    Route::new(Method::Get, "/inventory/{sku}", &[INVENTORY_READ], Function::Inventory),
    Route::new(Method::Post, "/inventory", &[INVENTORY_WRITE], Function::Inventory),
    Route::new(Method::Post, "/orders", &[ORDERS_WRITE], Function::Order),
    Route::new(Method::Get, "/orders", &[ORDERS_READ], Function::Order),
    Route::new(Method::Get, "/orders/{id}", &[ORDERS_READ], Function::Order),
    Route::new(Method::Patch, "/orders/{id}", &[ORDERS_STATUS], Function::Order),
    Route::new(Method::Post, "/payments", &[PAYMENTS_WRITE], Function::Payment),
    Route::new(Method::Get, "/payments", &[PAYMENTS_READ], Function::Payment),
    Route::new(Method::Get, "/payments/{id}", &[PAYMENTS_READ], Function::Payment),
    Route::new(Method::Post, "/reports", &[REPORTS_WRITE], Function::Report),
    Route::new(Method::Get, "/reports/{date}", &[REPORTS_READ], Function::Report),
];

const INVENTORY_READ: Scope<'static> = Scope::of_table("inventory/read");
const INVENTORY_WRITE: Scope<'static> = Scope::of_table("inventory/write");
const ORDERS_READ: Scope<'static> = Scope::of_table("orders/read");
const ORDERS_WRITE: Scope<'static> = Scope::of_table("orders/write");
const ORDERS_STATUS: Scope<'static> = Scope::of_table("orders/status");
const PAYMENTS_READ: Scope<'static> = Scope::of_table("payments/read");
const PAYMENTS_WRITE: Scope<'static> = Scope::of_table("payments/write");
const REPORTS_READ: Scope<'static> = Scope::of_table("reports/read");
const REPORTS_WRITE: Scope<'static> = Scope::of_table("reports/write");

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path as API Gateway writes a resource: `/orders/{id}`, a parameter being one whole segment.
    pub path: &'static str,
    /// The scopes that a caller must hold, all of them.
    pub scopes: &'static [Scope<'static>],
    /// The function that answers.
    pub function: Function,
}

impl Route {
    /// A row of a table.
    pub const fn new(
        method: Method,
        path: &'static str,
        scopes: &'static [Scope<'static>],
        function: Function,
    ) -> Self {
        Self { method, path, scopes, function }
    }

    /// The route of `table` with this method and this resource, the path as the table writes it.
    pub fn by_resource<'t>(table: &'t [Self], method: &str, resource: &str) -> Option<&'t Self> {
        table.iter().find(|route| route.method.as_str() == method && route.path == resource)
    }

    /// Whether a caller that holds `scopes` may call this route.
    pub fn is_covered_by(&self, scopes: &ScopeSet<'_>) -> bool {
        scopes.covers(self.scopes)
    }

    /// The segments of the path in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'static>> {
        self.path.split('/').skip(1).map(Segment::of)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// One part of a path between two slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Matches itself.
    Literal(&'a str),
    /// `{name}`: matches any one segment.
    Parameter(&'a str),
}

impl<'a> Segment<'a> {
    fn of(text: &'a str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => Self::Parameter(name),
            None => Self::Literal(text),
        }
    }
}

/// An HTTP method that a route can have. `ANY` is left out on purpose: it would cover verbs nobody thought of.
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
    /// Every method, in alphabetical order.
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

/// A text that is no method of ours. Methods are case-sensitive.
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

/// The functions behind the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Stock and prices.
    Inventory,
    /// Orders and their status.
    Order,
    /// Payments of orders.
    Payment,
    /// Figures of a day.
    Report,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 4] = [Self::Inventory, Self::Order, Self::Payment, Self::Report];

    /// The name of the function's binary.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Report => "report",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes a table ambiguous or malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The path is not `/a/{b}/…`: a slash is missing or doubled, braces stand alone, a character is out of place.
    #[error("`{0}`: the path is not made of plain segments and `{{parameters}}`")]
    Path(String),
    /// A route that needs no scope would let in every token of the pool.
    #[error("`{0}`: the route names no scope")]
    NoScope(String),
    /// Two rows that answer the same requests.
    #[error("`{0}` and `{1}` are the same route")]
    Clash(String, String),
    /// API Gateway wants one name for the parameter at one place of the resource tree.
    #[error("`{0}` and `{1}` name the parameter at the same place differently")]
    ParameterNames(String, String),
}

/// Checks a table by itself: well-formed paths, a scope on every route, no two rows that clash.
///
/// Literal segments come before parameters in API Gateway, so `/orders/latest` beside `/orders/{id}` is no clash.
///
/// # Errors
/// The first fault found, naming the rows.
pub fn check(table: &[Route]) -> Result<(), TableError> {
    // Every pair is compared, so each path is taken apart once.
    let paths: Vec<Vec<Segment<'_>>> = table.iter().map(|route| route.segments().collect()).collect();
    let rows = || table.iter().zip(&paths);
    for (at, (route, path)) in rows().enumerate() {
        if !is_well_formed(route.path) {
            return Err(TableError::Path(route.to_string()));
        }
        if route.scopes.is_empty() {
            return Err(TableError::NoScope(route.to_string()));
        }
        for (other, other_path) in rows().skip(at + 1) {
            if route.method == other.method && is_same_shape(path, other_path) {
                return Err(TableError::Clash(route.to_string(), other.to_string()));
            }
            if names_differ(path, other_path) {
                return Err(TableError::ParameterNames(route.to_string(), other.to_string()));
            }
        }
    }
    Ok(())
}

/// Whether the two paths differ in nothing but the names of parameters.
fn is_same_shape(one: &[Segment<'_>], other: &[Segment<'_>]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|pair| match pair {
            (Segment::Literal(a), Segment::Literal(b)) => a == b,
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            (Segment::Literal(_), Segment::Parameter(_)) | (Segment::Parameter(_), Segment::Literal(_)) => {
                false
            }
        })
}

/// Whether the two paths run the same way up to a parameter that they name differently.
fn names_differ(one: &[Segment<'_>], other: &[Segment<'_>]) -> bool {
    for pair in one.iter().zip(other) {
        match pair {
            (Segment::Literal(a), Segment::Literal(b)) if a == b => {}
            (Segment::Parameter(a), Segment::Parameter(b)) if a == b => {}
            (Segment::Parameter(_), Segment::Parameter(_)) => return true,
            _ => return false,
        }
    }
    false
}

fn is_well_formed(path: &str) -> bool {
    let is_plain = |text: &str, extra: &[u8]| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|text| match Segment::of(text) {
            Segment::Literal(text) => is_plain(text, b"-_.~") && text != "." && text != "..",
            Segment::Parameter(name) => is_plain(name, b"_"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &[Scope<'static>] = &[Scope::of_table("a/a")];

    const fn get(path: &'static str) -> Route {
        Route::new(Method::Get, path, A, Function::Order)
    }

    #[test]
    fn our_table_is_sound() {
        check(ROUTES).unwrap();
    }

    #[test]
    fn a_route_is_covered_by_whoever_holds_all_of_its_scopes() {
        const BOTH: &[Scope<'static>] = &[Scope::of_table("a/a"), Scope::of_table("b/b")];
        let route = Route { scopes: BOTH, ..get("/o") };
        for (held, expected) in
            [("", false), ("a/a", false), ("b/b c/c", false), ("a/a b/bb", false), ("b/b x/x a/a", true)]
        {
            assert_eq!(route.is_covered_by(&ScopeSet::parse(held).unwrap()), expected, "{held}");
        }
    }

    #[test]
    fn unsound_tables_are_refused() {
        let clash = |a: &str, b: &str| Err(TableError::Clash(a.into(), b.into()));
        let names = |a: &str, b: &str| Err(TableError::ParameterNames(a.into(), b.into()));
        let path = |a: &str| Err(TableError::Path(a.into()));
        let cases = [
            ("literal beside parameter", vec![get("/o/latest"), get("/o/{id}")], Ok(())),
            ("same path, other method", vec![get("/o"), Route { method: Method::Post, ..get("/o") }], Ok(())),
            ("twice", vec![get("/o"), get("/o")], clash("GET /o", "GET /o")),
            ("only the name differs", vec![get("/o/{a}"), get("/o/{b}")], clash("GET /o/{a}", "GET /o/{b}")),
            ("names at one place", vec![get("/o/{a}"), get("/o/{b}/x")], names("GET /o/{a}", "GET /o/{b}/x")),
            ("same name at one place", vec![get("/o/{a}"), get("/o/{a}/x")], Ok(())),
            ("no scope", vec![Route { scopes: &[], ..get("/o") }], Err(TableError::NoScope("GET /o".into()))),
            ("no slash", vec![get("o")], path("GET o")),
            ("empty segment", vec![get("/o//x")], path("GET /o//x")),
            ("trailing slash", vec![get("/o/")], path("GET /o/")),
            ("wildcard", vec![get("/o/*")], path("GET /o/*")),
            ("half a brace", vec![get("/o/{id")], path("GET /o/{id")),
            ("prefixed parameter", vec![get("/o/x{id}")], path("GET /o/x{id}")),
            ("nameless parameter", vec![get("/o/{}")], path("GET /o/{}")),
            ("greedy parameter", vec![get("/o/{proxy+}")], path("GET /o/{proxy+}")),
            ("dot segment", vec![get("/o/..")], path("GET /o/..")),
        ];
        for (name, table, expected) in cases {
            assert_eq!(check(&table), expected, "{name}");
        }
    }

    #[test]
    fn lookup_takes_method_and_resource_to_the_letter() {
        let found = |method, resource| Route::by_resource(ROUTES, method, resource).map(ToString::to_string);
        assert_eq!(found("GET", "/orders/{id}").as_deref(), Some("GET /orders/{id}"));
        for (method, resource) in
            [("get", "/orders/{id}"), ("GET", "/orders/7"), ("DELETE", "/orders/{id}"), ("GET", "/orders/")]
        {
            assert_eq!(found(method, resource), None, "{method} {resource}");
        }
    }

    #[test]
    fn methods_and_functions_print_as_they_parse() {
        for method in Method::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        assert_eq!("get".parse::<Method>(), Err(UnknownMethod));
        let names = Function::ALL.map(Function::as_str);
        assert_eq!(names, ["inventory", "order", "payment", "report"]);
        assert_eq!(Function::ALL.map(|function| function.to_string()), names);
    }
}
