//! Why a template cannot be run here: one line, with the file, the line, the path of the property and the reason. Values of parameters and secrets never appear in it.

use std::{cell::RefCell, fmt};

/// What stops a template from being run: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    /// The template's name, as the caller gave it.
    pub file: String,
    /// The line, from one, where it is known.
    pub line: Option<usize>,
    /// The keys that lead to the value at fault, `Resources.Api.Properties.Auth`; empty for the whole document.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a template, or with what was given to run it with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The template does not parse.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// The template is longer than CloudFormation accepts.
    #[error("longer than {0} bytes, the most that CloudFormation takes")]
    TooLong(usize),
    /// Lists and mappings are nested too deeply.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
    /// A feature of YAML that CloudFormation does not support.
    #[error("not supported in YAML here: {0}")]
    YamlFeature(&'static str),
    /// A key appears twice in a mapping.
    #[error("this key appears twice")]
    DuplicateKey,
    /// A required property is missing.
    #[error("required, but missing")]
    Missing,
    /// The value is of another kind.
    #[error("must be {0}")]
    Shape(&'static str),
    /// Not a number, or out of range.
    #[error("must be a whole number from {0} to {1}")]
    Range(u64, u64),
    /// Not one of the values that this property takes.
    #[error("must be one of {0}")]
    OneOf(&'static str),
    /// An unknown property.
    #[error("unknown property")]
    Property,
    /// Valid on AWS, but not played.
    #[error("valid on AWS, not played here{}", because(.0))]
    NotPlayed(&'static str),
    /// A method that is answered 500.
    #[error("{method}: {reason}: valid on AWS, not played here; it is answered 500", method = quoted(.0), reason = .1)]
    Method(String, &'static str),
    /// An API key without a value in the template.
    #[error("the API key {} has no value in the template: send {value} here", quoted(.0), value = .1)]
    GeneratedKey(String, String),
    /// Several APIs, of which one has to be chosen.
    #[error("choose one of the template's APIs with --api: {}", shown(.0))]
    ChooseApi(String),
    /// A resource type that would change what is served.
    #[error("resources of type {} cannot be served locally", quoted(.0))]
    ResourceType(String),
    /// A value that cannot be honoured.
    #[error("{0}")]
    NotHonoured(&'static str),
    /// A name that does not exist in the template.
    #[error("the template has no {0} called {name}", name = quoted(.1))]
    Unknown(&'static str, String),
    /// A function that CloudFormation does not have.
    #[error("{} is not an intrinsic function", quoted(.0))]
    Intrinsic(String),
    /// An intrinsic function with the wrong arguments.
    #[error("{0} takes {1}")]
    Arguments(&'static str, &'static str),
    /// A resource whose condition is false.
    #[error("{} does not exist: its condition is false", quoted(.0))]
    LeftOut(String),
    /// A value that only a deployment has.
    #[error("the value of {} is known only after a deployment", quoted(.0))]
    DeploymentOnly(String),
    /// A client's secret outside of the `SecretString` of a secret.
    #[error("a client's secret is given out in the SecretString of a secret only")]
    ClientSecret,
    /// A value that depends on itself.
    #[error("the value of {} depends on itself", quoted(.0))]
    Cycle(String),
    /// Evaluation would take too much time or memory.
    #[error("too large to evaluate")]
    TooMuchWork,
    /// A parameter without a default or a given value.
    #[error("the parameter {} has no default and was given no value", quoted(.0))]
    NoValue(String),
    /// A parameter whose value violates its declaration.
    #[error("the value of this parameter {0}")]
    ParameterValue(&'static str),
    /// A regular expression that does not mean the same here as in Java.
    #[error("cannot be honoured as a regular expression: {0}")]
    Pattern(String),
    /// A value that must be unique appears twice.
    #[error("the same {0} as {other}", other = shown(.1))]
    Clash(&'static str, String),
}

/// What is told of a template that is served all the same: a place, and what is not played there. A reader that honours
/// everything or nothing takes the first for an error.
#[derive(Debug)]
pub(super) struct Notices {
    is_strict: bool,
    list: RefCell<Vec<Located>>,
}

impl Notices {
    pub(super) const fn new(is_strict: bool) -> Self {
        Self { is_strict, list: RefCell::new(Vec::new()) }
    }

    /// Whether the first is an error.
    pub(super) const fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Adds one.
    ///
    /// # Errors
    /// The notice itself, to a strict reader.
    pub(super) fn add(&self, notice: Located) -> Result<(), Located> {
        if self.is_strict {
            return Err(notice);
        }
        self.list.borrow_mut().push(notice);
        Ok(())
    }

    pub(super) fn into_errors(self, file: &str) -> Vec<TemplateError> {
        self.list.into_inner().into_iter().map(|notice| notice.in_file(file)).collect()
    }
}

/// A problem and its place within the document.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) line: Option<usize>,
    pub(super) path: String,
    pub(super) problem: Problem,
}

impl Located {
    /// The error that the caller sees.
    pub(super) fn in_file(self, file: &str) -> TemplateError {
        TemplateError { file: file.to_owned(), line: self.line, path: self.path, problem: self.problem }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", shown(&self.path))?;
        }
        write!(f, ": {}", self.problem)
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// A string of the template in backticks, on one line.
fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// A string of the template on one line: escaped, and cut if it is longer than any name.
fn shown(text: &str) -> String {
    const LONGEST: usize = 256;
    let mut escaped = text.escape_debug();
    let mut shown: String = escaped.by_ref().take(LONGEST).collect();
    if escaped.next().is_some() {
        shown.push('\u{2026}');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_of_bounded_length_whatever_the_template_calls_its_keys() {
        let key = "\u{17}\u{202e}\nkey".repeat(10_000);
        for problem in [
            Problem::Intrinsic(key.clone()),
            Problem::LeftOut(key.clone()),
            Problem::NoValue(key.clone()),
            Problem::Clash("name", key.clone()),
        ] {
            let said =
                TemplateError { file: "template.yaml".into(), line: Some(1), path: key.clone(), problem }
                    .to_string();
            assert!(
                said.starts_with(r"template.yaml:1: \u{17}\u{202e}\nkey\u{17}") && said.contains('\u{2026}'),
                "{said}"
            );
            assert!(said.chars().count() < 1_000 && !said.contains(char::is_control), "{said}");
        }
    }
}
