//! Which route table the authorizer of a template gets here: the one that the template names, that of a release's layer,
//! or `routes.json` beside the template, which a deployment packages with the function.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use access::{Table, table::TableError};
use gateway::template::{Function, Stack};

use super::differences;

/// The binary whose function needs the table.
const AUTHORIZER: &str = "authorizer";
const FILE: &str = "ROUTES_FILE";
const TEXT: &str = "ROUTES";
const NAME: &str = "routes.json";
/// What the names of a release's files end with, before the suffix.
const ARCHITECTURES: [&str; 2] = ["-arm64", "-x86_64"];

/// Why the route table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// The file is missing or unreadable.
    #[error("the route table `{}` cannot be read; the authorizer needs one beside the template, or in `ROUTES`", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The table cannot be used.
    #[error("the route table of the authorizer")]
    Table(#[from] TableError),
    /// The template serves other routes.
    #[error("the route table and the template differ: {}", .0.join("; "))]
    Differ(Vec<String>),
}

/// Puts the route table into the environment of the stack's authorizers as text, and returns it if there is an
/// authorizer.
///
/// # Errors
/// If there is an authorizer and no usable table for it, or the table has other routes than the template.
pub(crate) fn fill(stack: &mut Stack, template: &Path) -> Result<Option<Table>, RoutesError> {
    for function in stack.functions.values_mut().filter(|function| is_release(function)) {
        AUTHORIZER.clone_into(&mut function.binary);
        let environment = std::mem::take(&mut function.environment).into_iter();
        function.environment = environment.map(|(name, value)| (variable(&name), value)).collect();
    }
    if !stack.functions.values().any(is_authorizer) {
        return Ok(None);
    }
    let table = table(stack, template)?;
    let differences = differences::between(&table, &stack.api);
    if differences.is_empty() { Ok(Some(table)) } else { Err(RoutesError::Differ(differences)) }
}

/// The table of the stack's authorizers, which is put into their environment; without an authorizer it is the one beside
/// the template. A file that `ROUTES_FILE` names is looked for beside the template, since it is packaged from there.
pub(super) fn table(stack: &mut Stack, template: &Path) -> Result<Table, RoutesError> {
    let mut authorizers: Vec<&mut Function> =
        stack.functions.values_mut().filter(|function| is_authorizer(function)).collect();
    let text = text_for(authorizers.first().map(|function| &**function), template)?;
    let table = Table::from_json(&text)?;
    for function in &mut authorizers {
        function.environment.remove(FILE);
        function.environment.insert(TEXT.to_owned(), text.clone());
    }
    Ok(table)
}

fn is_authorizer(function: &Function) -> bool {
    function.binary == AUTHORIZER
}

/// Whether the function is the authorizer of a release, which is not built here: its zip, or its template as a nested
/// application.
pub(crate) fn is_release(function: &Function) -> bool {
    let path = Path::new(function.code.as_deref().unwrap_or_default());
    let part = |part: Option<&OsStr>| part.and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let (stem, extension) = (part(path.file_stem()), part(path.extension()));
    let stem = ARCHITECTURES.iter().find_map(|architecture| stem.strip_suffix(architecture)).unwrap_or(&stem);
    stem == AUTHORIZER && ["zip", "yaml"].contains(&extension.as_str())
}

/// The variable that a parameter of `authorizer.yaml` becomes: `USER_POOL_ID` for `UserPoolId`.
fn variable(name: &str) -> String {
    if !name.contains(|c: char| c.is_ascii_lowercase()) {
        return name.to_owned();
    }
    let mut variable = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !variable.is_empty() {
            variable.push('_');
        }
        variable.push(character.to_ascii_uppercase());
    }
    variable
}

fn text_for(function: Option<&Function>, template: &Path) -> Result<String, RoutesError> {
    let set = |name| function?.environment.get(name).filter(|value| !value.trim().is_empty());
    if let Some(text) = set(TEXT) {
        return Ok(text.clone());
    }
    let name = set(FILE).and_then(|path| Path::new(path).file_name()).unwrap_or_else(|| NAME.as_ref());
    let code = function.filter(|function| is_release(function)).and_then(|function| function.code.as_ref());
    // A release's template makes a layer of this folder.
    let layer = code.map(|code| template.with_file_name(code).with_file_name("layer").join(NAME));
    let path = layer.filter(|layer| layer.is_file()).unwrap_or_else(|| template.with_file_name(name));
    fs::read_to_string(&path).map_err(|error| RoutesError::Read(path, error))
}
