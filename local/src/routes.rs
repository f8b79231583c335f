//! Which route table the authorizer of a template gets here: the one that the template names, or `routes.json` beside
//! the template, which a deployment packages with the function.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use access::{Table, table::TableError};

use gateway::template::{Function, Stack};

/// The binary whose function needs the table.
const AUTHORIZER: &str = "authorizer";
const FILE: &str = "ROUTES_FILE";
const TEXT: &str = "ROUTES";
const NAME: &str = "routes.json";

/// Why there is no route table.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// The file is missing or unreadable.
    #[error("the route table `{}` cannot be read; the authorizer needs one beside the template, or in `ROUTES`", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The table is not a usable one.
    #[error("the route table of the authorizer")]
    Table(#[from] TableError),
}

/// Puts the route table into the environment of the stack's authorizers as text, and returns it. A file that
/// `ROUTES_FILE` names is looked for beside the template, since it is packaged from there.
///
/// # Errors
/// If there is an authorizer, and no usable table for it.
pub(crate) fn fill(stack: &mut Stack, template: &Path) -> Result<Option<Table>, RoutesError> {
    let mut table = None;
    let is_authorizer = |function: &&mut Function| function.binary == AUTHORIZER;
    for function in stack.functions.values_mut().filter(is_authorizer) {
        let text = text_for(function, template)?;
        table = Some(Table::from_json(&text)?);
        function.environment.remove(FILE);
        function.environment.insert(TEXT.to_owned(), text);
    }
    Ok(table)
}

fn text_for(function: &Function, template: &Path) -> Result<String, RoutesError> {
    let set = |name| function.environment.get(name).filter(|value| !value.trim().is_empty());
    if let Some(text) = set(TEXT) {
        return Ok(text.clone());
    }
    let name = set(FILE).and_then(|path| Path::new(path).file_name()).unwrap_or_else(|| NAME.as_ref());
    let path = template.with_file_name(name);
    fs::read_to_string(&path).map_err(|error| RoutesError::Read(path, error))
}
