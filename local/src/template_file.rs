//! The file with the SAM template: finding and reading it.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use gateway::template::{Facts, Template, TemplateError};

/// Why the template cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TemplateFileError {
    /// There is no such file.
    #[error("no `{path}` here; {hint}name the file with `--template`", path = .0.display(), hint = .1)]
    Missing(PathBuf, String),
    /// The file cannot be read.
    #[error("the template `{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file is not a template.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Reads and parses the template.
///
/// # Errors
/// If there is none, or it cannot be read or parsed.
pub(crate) fn read(path: &Path) -> Result<Template, TemplateFileError> {
    let text = fs::read_to_string(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            TemplateFileError::Missing(path.to_owned(), above(path))
        } else {
            TemplateFileError::Read(path.to_owned(), error)
        }
    })?;
    Ok(Template::parse(&path.display().to_string(), &text)?)
}

/// Reads a template for a command that needs no client's secret, and the facts to evaluate it with.
///
/// # Errors
/// If there is none, or it cannot be read or parsed.
pub(crate) fn without_secrets(
    path: &Path,
    parameters: &[(String, String)],
) -> Result<(Template, Facts), TemplateFileError> {
    let template = read(path)?;
    let clients = template.logical_ids("AWS::Cognito::UserPoolClient");
    let client_secrets = clients.map(|id| (id.to_owned(), String::new().into())).collect();
    let parameters = parameters.iter().cloned().collect();
    Ok((template, Facts { parameters, client_secrets, ..Facts::default() }))
}

/// Where the template is, if it is in a folder above this one.
fn above(path: &Path) -> String {
    let here = Path::new(".").canonicalize().unwrap_or_default();
    let found = here.ancestors().skip(1).find(|folder| path.is_relative() && folder.join(path).is_file());
    found.map(|folder| format!("run this in `{}`, or ", folder.display())).unwrap_or_default()
}
