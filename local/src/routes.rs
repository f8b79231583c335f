//! Route tables: the one that the authorizer of a template gets here, and `local routes`, which makes one from what
//! people have and compares one with a template.

mod command;
mod differences;
mod document;
mod openapi;
mod stack;
#[cfg(test)]
mod tests;

pub(crate) use self::stack::fill;
pub use self::{
    command::{Check, Routes, RoutesCommand, RoutesCommandError},
    stack::RoutesError,
};

use access::{Table, table::TableError};
use serde_json::{Map, Value};

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
        self.routes.insert(route.to_owned(), scopes.into());
        if let Err(error) = Table::from_json(&self.text()) {
            self.routes.remove(route);
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
