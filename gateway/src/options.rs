//! The command line.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use reqwest::Url;

const EXAMPLES: &str = "\
Examples:
  gateway --template template.yaml --functions http://127.0.0.1:9000
                                               `cargo lambda watch` serves the functions
  gateway --template template.yaml --functions http://127.0.0.1:3001 --port 3000
                                               `sam local start-lambda` does
  gateway --template template.yaml --functions http://127.0.0.1:9000 --parameter Stage=dev --api AdminApi
  gateway policy < questions.jsonl             what policies say, for scripts";

const POLICY_EXAMPLES: &str = r#"Example:
  echo '{"policy":{"Version":"2012-10-17","Statement":[]},"action":"execute-api:Invoke","resource":"arn:…"}' | gateway policy

A policy may be the document or the authorizer's whole answer. One word a line: allow, deny (explicitly), neutral (nothing
matches, so API Gateway denies), error (malformed; the lines behind it are read all the same).

Exit code: 0 once every line is answered."#;

/// API Gateway REST on a laptop, for the template of any SAM project.
///
/// Serves the template's REST API on 127.0.0.1 and invokes its functions, the authorizers too, at a Lambda Invoke endpoint.
#[derive(Debug, Parser)]
#[command(
    name = "gateway",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct CommandLine {
    /// What to serve.
    #[command(flatten)]
    pub serve: Option<Serve>,
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to serve, and how.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The SAM template whose API is served
    #[arg(long, value_name = "PATH")]
    pub template: PathBuf,
    /// The Lambda Invoke endpoint on loopback that runs the functions
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub functions: Url,
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// The value of a parameter of the template, as often as needed
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = pair)]
    pub parameters: Vec<(String, String)>,
    /// What the endpoint calls a function; without it the logical id, or the binary that cargo-lambda builds
    #[arg(long = "function", value_name = "LOGICAL_ID=NAME", value_parser = pair)]
    pub names: Vec<(String, String)>,
    /// Which API to serve, where the template has several
    #[arg(long, value_name = "LOGICAL_ID")]
    pub api: Option<String>,
    /// Log JSON lines
    #[arg(long)]
    pub json: bool,
}

/// What can be done without serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate policies: JSON lines {"policy","action","resource"} on standard input
    #[command(after_help = POLICY_EXAMPLES)]
    Policy,
}

/// A name and a value with `=` between them.
///
/// # Errors
/// A message for the person who typed it.
pub fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected a name, an equals sign and a value"),
    }
}

/// An `http` address on loopback without path or query.
///
/// # Errors
/// A message for the person who typed it.
pub fn endpoint(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expected an address on loopback such as http://127.0.0.1:9000";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_loopback = url.host_str().is_some_and(|host| {
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    });
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    if url.scheme() == "http" && is_loopback && is_bare && is_anonymous { Ok(url) } else { Err(EXPECTED) }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, error::ErrorKind};

    use super::*;

    #[test]
    fn the_command_line_is_what_is_documented() {
        CommandLine::command().debug_assert();
        let line = "gateway --template t.yaml --functions http://127.0.0.1:9000 --parameter A=b=c --parameter B= \
            --function F=f --api Api --json";
        let serve = CommandLine::parse_from(line.split(' ').filter(|word| !word.is_empty())).serve.unwrap();
        assert_eq!(serve.template.to_str(), Some("t.yaml"));
        assert_eq!(serve.parameters, [("A".into(), "b=c".into()), ("B".into(), String::new())]);
        assert_eq!(serve.names, [("F".into(), "f".into())]);
        assert_eq!((serve.port, serve.api.as_deref(), serve.json), (3000, Some("Api"), true));
        let policy = CommandLine::parse_from(["gateway", "policy"]);
        assert!(matches!((policy.command, policy.serve), (Some(Command::Policy), None)));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let cases: &[(&str, ErrorKind)] = &[
            ("--template t.yaml", ErrorKind::MissingRequiredArgument),
            ("--functions http://127.0.0.1:9000", ErrorKind::MissingRequiredArgument),
            ("--template t --functions https://127.0.0.1:9000", ErrorKind::ValueValidation),
            ("--template t --functions http://10.0.0.1:9000", ErrorKind::ValueValidation),
            ("--template t --functions http://localhost.example.com", ErrorKind::ValueValidation),
            ("--template t --functions http://localhost/path", ErrorKind::ValueValidation),
            ("--template t --functions http://localhost --parameter A", ErrorKind::ValueValidation),
            ("--template t --functions http://localhost --parameter =A", ErrorKind::ValueValidation),
            ("policy --port 1", ErrorKind::UnknownArgument),
        ];
        for (arguments, expected) in cases {
            let line = ["gateway"].into_iter().chain(arguments.split(' '));
            let error = CommandLine::try_parse_from(line).expect_err("is refused");
            assert_eq!(error.kind(), *expected, "{arguments}");
        }
    }
}
