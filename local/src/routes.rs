//! Route tables: the one that the authorizer of a template gets here, and `local routes`, which makes one from what
//! people have and compares one with a template.

mod command;
mod differences;
mod document;
mod openapi;
mod stack;
#[cfg(test)]
mod tests;

pub(crate) use self::stack::{fill, is_release};
pub use self::{
    command::{Check, Routes, RoutesCommand, RoutesCommandError},
    stack::RoutesError,
};

use access::{Table, table::TableError};
use serde_json::{Map, Value};

/// A route with the names that another has for the parameters at the same places.
fn with_parameters_of(other: &str, route: &str) -> String {
    let is_parameter = |part: &str| part.starts_with('{') && part.ends_with('}');
    let mut is_same = true;
    let mut others = other.split('/');
    let parts = route.split('/').enumerate().map(|(index, part)| {
        let other = others.next().unwrap_or_default();
        // The first is the verb.
        is_same &= index == 0 || part == other || (is_parameter(part) && is_parameter(other));
        let is_greedy = |part: &str| part.ends_with("+}");
        if is_same && index > 0 && is_greedy(part) == is_greedy(other) { other } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// A table in the making, and what could not be put into it.
#[derive(Debug, Default)]
struct Draft {
    routes: Map<String, Value>,
    /// One line for each route that needs a look.
    notes: Vec<String>,
}

impl Draft {
    /// Adds a route, unless the table would not be usable with it: then a note says why it is left out.
    fn add(&mut self, route: &str, scopes: Vec<String>) {
        let left_out = |why: &dyn std::fmt::Display| format!("left out: {why}");
        if self.routes.contains_key(route) {
            self.notes.push(left_out(&TableError::Twice(route.to_owned())));
            return;
        }
        self.routes.insert(route.to_owned(), scopes.clone().into());
        let Err(error) = Table::from_json(&self.text()) else { return };
        self.routes.remove(route);
        if let TableError::Parameters(other, _) = &error
            && let renamed = with_parameters_of(other, route)
            && renamed != route
            && !self.routes.contains_key(&renamed)
        {
            self.notes
                .push(format!("renamed: `{route}` is written as `{renamed}`, since `{other}` is there too"));
            self.add(&renamed, scopes);
        } else {
            self.notes.push(left_out(&error));
        }
    }

    /// The table as `routes.json` has it, one route a line.
    fn text(&self) -> String {
        let lines: Vec<String> = self
            .routes
            .iter()
            .map(|(route, scopes)| {
                let scopes = scopes.to_string().replace("\",\"", "\", \"");
                format!("  {}: {scopes}", Value::from(route.as_str()))
            })
            .collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }
}
