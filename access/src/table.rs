//! `Table`: the routes of an API, read from `routes.json`, checked, and looked up as API Gateway's router does it.

mod json;
mod tree;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    route::{Method, Path, PathError, Route},
    scope::{Scope, ScopeError},
};
use tree::Tree;

/// The most routes that a table may have, `ANY` being one.
const MOST_ROUTES: usize = 500;
/// The largest table that is read, in bytes.
const LARGEST: usize = 512 * 1024;

/// The routes of an API.
#[derive(Clone, Debug)]
pub struct Table {
    routes: Vec<Route>,
    tree: Tree,
}

/// Why a table cannot be used. Names the routes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Over 512 KiB.
    #[error("the table is larger than 512 KiB")]
    Large,
    /// Not one JSON object.
    #[error("the table is not a JSON object of routes: {0}")]
    Json(String),
    /// No routes at all.
    #[error("the table has no routes")]
    Empty,
    /// Over 500 routes.
    #[error("the table has {0} routes, and at most 500 are possible")]
    Many(usize),
    /// Not a verb, one space and a path.
    #[error("`{0}`: a route is written `VERB /path`")]
    Form(String),
    /// A verb that no route can have.
    #[error("`{0}`: the verb must be GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or ANY")]
    Verb(String),
    /// A malformed path.
    #[error("`{0}`: {1}")]
    Path(String, #[source] PathError),
    /// Not a list of strings.
    #[error("`{0}`: the scopes must be a list of strings, `[]` for a route that asks for none")]
    Scopes(String),
    /// A malformed scope.
    #[error("`{0}`: the scope `{1}`: {2}")]
    Scope(String, String, #[source] ScopeError),
    /// The same route twice.
    #[error("`{0}` is in the table twice")]
    Twice(String),
    /// API Gateway has one parameter at each place of its tree of resources: it cannot tell apart two of different names,
    /// or one that is greedy and one that is not.
    #[error("`{0}` and `{1}` have different parameters at the same place")]
    Parameters(String, String),
}

impl Table {
    /// Reads a table: a JSON object of `"VERB /path": ["scope", …]`. `ANY` stands for each verb that the table does not
    /// list with the same path.
    ///
    /// # Errors
    /// The first problem found, with the routes.
    pub fn from_json(text: &str) -> Result<Self, TableError> {
        if text.len() > LARGEST {
            return Err(TableError::Large);
        }
        let entries = json::entries(text).map_err(|error| TableError::Json(error.to_string()))?;
        match entries.len() {
            0 => return Err(TableError::Empty),
            1..=MOST_ROUTES => {}
            many => return Err(TableError::Many(many)),
        }
        let names: HashSet<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        let mut seen = BTreeSet::new();
        let mut routes = Vec::new();
        for (name, scopes) in &entries {
            if !seen.insert(name) {
                return Err(TableError::Twice(name.clone()));
            }
            let (verb, path) = name.split_once(' ').ok_or_else(|| TableError::Form(name.clone()))?;
            let of_any = |method: &Method| !names.contains(format!("{method} {path}").as_str());
            let methods: Vec<Method> = match verb {
                "ANY" => Method::ALL.into_iter().filter(of_any).collect(),
                _ => vec![verb.parse().map_err(|_| TableError::Verb(name.clone()))?],
            };
            let path: Path = path.parse().map_err(|error| TableError::Path(name.clone(), error))?;
            let scopes = read_scopes(name, scopes)?;
            routes.extend(methods.into_iter().map(|method| Route::new(method, &path, Arc::clone(&scopes))));
        }
        let mut tree = Tree::default();
        for (index, route) in routes.iter().enumerate() {
            if let Err(other) = tree.insert(route, index) {
                let name = |index: usize| routes.get(index).map_or("", Route::name).to_owned();
                return Err(TableError::Parameters(name(other), name(index)));
            }
        }
        Ok(Self { routes, tree })
    }

    /// Every route, in the order of the file, `ANY` expanded into verbs.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route with this method and this resource, the path as the table writes it.
    pub fn by_resource(&self, method: &str, resource: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.method().as_str() == method && route.path() == resource)
    }

    /// The route that API Gateway's router chooses for `path`, a real path without its leading slash: that of the most
    /// specific resource, where at each segment a literal comes before a parameter and that before a greedy one. A
    /// resource without the method hides less specific ones that have it. One slash at the end reaches the same
    /// resource; an empty segment reaches none.
    pub fn route_of(&self, method: Method, path: &str) -> Option<&Route> {
        self.routes.get(self.index_of(method, path)?)
    }

    /// The index in [`Table::routes`] of the route that [`Table::route_of`] finds.
    pub fn index_of(&self, method: Method, path: &str) -> Option<usize> {
        self.tree.find(method, path)
    }
}

fn read_scopes(name: &str, scopes: &Value) -> Result<Arc<[Scope<'static>]>, TableError> {
    let malformed = || TableError::Scopes(name.to_owned());
    let scope = |scope: &Value| {
        let text = scope.as_str().ok_or_else(malformed)?.to_owned();
        Scope::parse(text.clone()).map_err(|error| TableError::Scope(name.to_owned(), text, error))
    };
    scopes.as_array().ok_or_else(malformed)?.iter().map(scope).collect()
}

#[cfg(test)]
mod tests;
