//! `local routes`: a table from an API description or a template, and the comparison of a table with a template.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use access::{Table, table::TableError};
use clap::{Args, Subcommand};
use gateway::{
    rest::api::{Api, Integration},
    template::Stack,
};

use super::{
    Draft, RoutesError, differences,
    document::{self, DocumentError},
    openapi, stack,
};
use crate::template_file::{self, TemplateFileError};

/// Where a route table comes from, and where it goes.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Routes {
    /// Make the table from an OpenAPI 3 or Swagger 2 description, JSON or YAML: the OAuth 2 scopes of each operation
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "from_template",
        conflicts_with = "from_template"
    )]
    pub from_openapi: Option<PathBuf>,
    /// Write a description's scopes that have no slash as NAME/scope: Cognito's scopes name a resource server
    #[arg(long, value_name = "NAME", requires = "from_openapi")]
    pub resource_server: Option<String>,
    /// Make the table from a SAM template: its routes behind an authorizer, or all if it has none yet, each with `[]`,
    /// the scopes left for you to fill in
    #[arg(long, value_name = "FILE")]
    pub from_template: Option<PathBuf>,
    /// The value of a parameter of the template, as often as needed
    #[arg(long = "parameter", value_name = "NAME=VALUE", requires = "from_template", value_parser = gateway::options::pair)]
    pub parameters: Vec<(String, String)>,
    /// Write the table to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What else to do with a table.
    #[command(subcommand)]
    pub command: Option<RoutesCommand>,
}

/// What else can be done with a table.
#[derive(Clone, Debug, Subcommand)]
pub enum RoutesCommand {
    /// Compare a table with a template, one line for each difference; exit code 1 if there are any
    Check(Check),
}

/// What to compare.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The SAM template
    #[arg(long, value_name = "PATH", default_value = "template.yaml")]
    pub template: PathBuf,
    /// The table [default: that of the template's authorizer, or `routes.json` beside the template]
    #[arg(long, value_name = "PATH")]
    pub routes: Option<PathBuf>,
    /// The value of a parameter of the template, as often as needed
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = gateway::options::pair)]
    pub parameters: Vec<(String, String)>,
}

/// What a command prints.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    /// For standard output.
    pub(crate) text: String,
    /// Whether the answer is no.
    pub(crate) is_no: bool,
}

/// Why a command has nothing to print.
#[derive(Debug, thiserror::Error)]
pub enum RoutesCommandError {
    /// The description cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The file describes something else.
    #[error("`{}` is not an OpenAPI 3 or Swagger 2 description with `paths`", .0.display())]
    NotOpenapi(PathBuf),
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateFileError),
    /// Nothing is left to write.
    #[error("no route of `{}` can be written: see above", .0.display())]
    Empty(PathBuf),
    /// The table cannot be read.
    #[error("the route table `{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The table cannot be used.
    #[error("the route table `{}`", .0.display())]
    Table(PathBuf, #[source] TableError),
    /// The template's own table.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// The file to write.
    #[error("`{}` cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

impl Routes {
    /// Runs the command. Notes go to `note` as they come, so that they are printed even if there is no table.
    ///
    /// # Errors
    /// If a file cannot be read or written, or there is no table.
    pub(crate) fn run(&self, note: impl FnMut(&str)) -> Result<Printed, RoutesCommandError> {
        match (&self.command, &self.from_openapi, &self.from_template) {
            (Some(RoutesCommand::Check(check)), _, _) => check.run(),
            (None, Some(path), _) => {
                let draft = openapi::draft(&document::read(path)?, self.resource_server.as_deref());
                let draft = draft.ok_or_else(|| RoutesCommandError::NotOpenapi(path.clone()))?;
                self.written(&draft, path, note)
            }
            (None, None, Some(path)) => {
                let (template, facts) = template_file::without_secrets(path, &self.parameters)?;
                let service = template.service(&facts, None).map_err(TemplateFileError::from)?;
                self.written(&from_template(&service.api), path, note)
            }
            (None, None, None) => Ok(Printed::default()),
        }
    }

    fn written(
        &self,
        draft: &Draft,
        source: &Path,
        note: impl FnMut(&str),
    ) -> Result<Printed, RoutesCommandError> {
        draft.notes.iter().map(String::as_str).for_each(note);
        if draft.routes.is_empty() {
            return Err(RoutesCommandError::Empty(source.to_owned()));
        }
        let text = draft.text();
        match &self.output {
            None => Ok(Printed { text, ..Printed::default() }),
            Some(path) => {
                fs::write(path, text).map_err(|error| RoutesCommandError::Write(path.clone(), error))?;
                Ok(Printed::default())
            }
        }
    }
}

fn from_template(api: &Api) -> Draft {
    let mut draft = Draft::default();
    // An API that has no authorizer yet is about to get one, for everything but the preflights that the gateway answers itself.
    let is_guarded = api.methods.iter().any(|method| method.authorizer().is_some());
    for method in &api.methods {
        let route = format!("{} {}", method.verb, method.resource);
        let is_mock = matches!(method.integration, Integration::Mock(_));
        if method.authorizer().is_some() || !(is_guarded || is_mock) {
            draft.notes.push(format!("to fill in: `{route}` has no scopes yet, so any valid token will do"));
            draft.add(&route, Vec::new());
        } else {
            draft.notes.push(format!("left out: `{route}`: the template asks no authorizer about it"));
        }
    }
    draft
}

impl Check {
    fn run(&self) -> Result<Printed, RoutesCommandError> {
        let (template, facts) = template_file::without_secrets(&self.template, &self.parameters)?;
        let (table, api): (Table, Api) = if let Some(path) = &self.routes {
            let text = fs::read_to_string(path);
            let text = text.map_err(|error| RoutesCommandError::Read(path.clone(), error))?;
            let table = Table::from_json(&text);
            let table = table.map_err(|error| RoutesCommandError::Table(path.clone(), error))?;
            (table, template.service(&facts, None).map_err(TemplateFileError::from)?.api)
        } else {
            let mut stack: Stack = template.stack(&facts).map_err(TemplateFileError::from)?;
            (stack::table(&mut stack, &self.template)?, stack.api)
        };
        let notes = differences::between(&table, &api);
        Ok(Printed { is_no: !notes.is_empty(), text: notes.join("\n") })
    }
}
