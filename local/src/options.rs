//! The command line: its options and commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use client::cli::{CLIENTS_FILE, Call, Caller, PORT};
use reqwest::Url;

use crate::{explain::Explain, routes::Routes};

const EXAMPLES: &str = "\
Examples:
  local                                        serve on http://127.0.0.1:3000, data in memory
  local --port 3001 --data .local/data         serve elsewhere, keep the data in a file
  local --functions http://127.0.0.1:9000      call the functions that `cargo lambda watch` serves
  local token --client storefront              print a token of the storefront
  local call GET /inventory --client storefront
                                               call the API as the storefront
  local event events/authorizer/storefront.json
                                               print a sample event with a fresh token
  local invoke report                          run the report function's schedule at once
  local rotate --client storefront             rotate the secret of the storefront
  local explain --route 'POST /orders' < token  why a token is let in or turned away
  local routes --from-openapi api.yaml         a route table from an API description
  local policy < questions.jsonl               what policies say, for scripts
  local openapi > openapi.json                 the API described, for tools";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  local token --client storefront | local explain --route \"POST /orders\"
  local explain --token-file token --json | jq .reason
  local explain --user-pool-id eu-central-1_Ab12cd34E < token
  local explain --user-pool-id eu-central-1_Ab12cd34E --jwks jwks.json < token

The token is decided about here and goes nowhere; its signature is never shown. The keys are fetched unless they are in a
file.

Exit code: 0 allowed (without --route: at least one route), 1 refused or denied, 2 not decided or not understood.";

const ROUTES_EXAMPLES: &str = "\
Examples:
  local routes --from-openapi openapi.yaml --output routes.json
  local routes --from-openapi openapi.yaml --resource-server shop > routes.json
  local routes --from-template template.yaml > routes.json
  local routes check --template template.yaml

The table holds what a description says and nothing that is guessed: operations without OAuth 2 scopes, and those that no table can
hold, are left out and listed on standard error. A route that is not in the table is closed.

Exit code: 0 a table, or no difference; 1 differences, or no table.";

const POLICY_EXAMPLES: &str = r#"Example:
  echo '{"policy":{"Version":"2012-10-17","Statement":[]},"action":"execute-api:Invoke","resource":"arn:…"}' | local policy

A policy may be the document or the authorizer's whole answer. One word a line: allow, deny (explicitly), neutral (nothing
matches, so API Gateway denies), error (malformed; the lines behind it are read all the same).

Exit code: 0 once every line is answered."#;

/// The whole of Scopegate on a laptop: API Gateway, issuer, functions and tables in one process.
///
/// Without a command it reads template.yaml, and serves what the template describes on loopback until it is
/// interrupted.
#[derive(Debug, Parser)]
#[command(name = "local", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct CommandLine {
    /// How to serve.
    #[command(flatten)]
    pub options: Options,
    /// What to do beside a running `local`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = PORT)]
    pub port: u16,
    /// The SAM template to serve
    #[arg(long, value_name = "PATH", default_value = "template.yaml")]
    pub template: PathBuf,
    /// Keep the tables, the signing keys and the clients' secrets in this folder; without it they live in memory
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to write the clients' credentials
    #[arg(long, value_name = "PATH", default_value = CLIENTS_FILE)]
    pub clients_file: PathBuf,
    /// Do not load the demo stock
    #[arg(long)]
    pub no_demo: bool,
    /// Log JSON lines, as `AWS_LAMBDA_LOG_FORMAT=JSON` does
    #[arg(long)]
    pub json: bool,
    /// Call the functions at another Lambda Invoke endpoint on loopback, which gives them their database
    #[arg(long, value_name = "URL", value_parser = gateway::options::endpoint)]
    pub functions: Option<Url>,
}

/// What can be done beside a running `local`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print an access token of a client, alone, for scripts
    Token(Caller),
    /// Call the API as a client: body to stdout, status to stderr; exit code 1 if the status is 400 or more
    Call {
        /// What to send.
        #[command(flatten)]
        call: Call,
        /// Who sends it.
        #[command(flatten)]
        caller: Caller,
    },
    /// Print a sample event, a fresh token in place of each `{{token:CLIENT}}` and `{{exp}}` an hour from now
    Event {
        /// The sample event, a JSON file
        path: PathBuf,
        /// Where `local` runs.
        #[command(flatten)]
        running: Running,
    },
    /// Run a function's schedule at once, and say how it went
    Invoke {
        /// The function, by the name of its binary
        function: String,
        /// Where `local` runs.
        #[command(flatten)]
        running: Running,
    },
    /// Rotate the secret of a client as Secrets Manager does on AWS; the one before works until the next rotation
    Rotate {
        /// The client, by its name in the clients file
        #[arg(long, value_name = "NAME")]
        client: String,
        /// Where `local` runs.
        #[command(flatten)]
        running: Running,
    },
    /// Explain a token: every check, the policy, and what is open to it. The token comes on standard input
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Make a route table from an API description or a template, or compare one with a template
    #[command(after_help = ROUTES_EXAMPLES)]
    Routes(Routes),
    /// Print the description of the API, OpenAPI 3.1
    Openapi,
    /// Evaluate policies: JSON lines {"policy","action","resource"} on standard input
    #[command(after_help = POLICY_EXAMPLES)]
    Policy,
}

/// Where a `local` runs.
#[derive(Clone, Debug, Args)]
pub struct Running {
    /// The port on which it serves
    #[arg(long, default_value_t = PORT)]
    pub port: u16,
    /// The clients file that it wrote
    #[arg(long, value_name = "PATH", default_value = CLIENTS_FILE)]
    pub clients_file: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, error::ErrorKind};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn nothing_given_means_the_documented_defaults() {
        let CommandLine { options, command } = CommandLine::parse_from(["local"]);
        assert!(command.is_none());
        assert_eq!(options.port, 3000);
        assert_eq!(options.template.to_str(), Some("template.yaml"));
        assert_eq!(options.clients_file.to_str(), Some(".local/clients.json"));
        assert!(options.data.is_none() && options.functions.is_none() && !options.no_demo);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let cases: &[(&[&str], ErrorKind)] = &[
            (&["--prot", "3001"], ErrorKind::UnknownArgument),
            (&["--port", "70000"], ErrorKind::ValueValidation),
            (&["serve"], ErrorKind::InvalidSubcommand),
            (&["explain", "eyJ"], ErrorKind::UnknownArgument),
            (&["explain", "--route", "orders"], ErrorKind::ValueValidation),
            (&["explain", "--issuer", "https://a.example"], ErrorKind::MissingRequiredArgument),
            (&["event"], ErrorKind::MissingRequiredArgument),
            (&["invoke"], ErrorKind::MissingRequiredArgument),
            (&["rotate"], ErrorKind::MissingRequiredArgument),
            (&["event", "a.json", "--data", "x"], ErrorKind::UnknownArgument),
            (&["--functions", "http://example.com:9000"], ErrorKind::ValueValidation),
        ];
        for (arguments, expected) in cases {
            let line = ["local"].iter().chain(*arguments);
            let error = CommandLine::try_parse_from(line).expect_err("is refused");
            assert_eq!(error.kind(), *expected, "{arguments:?}");
        }
    }

    #[test]
    fn errors_suggest_what_may_have_been_meant() {
        for (arguments, expected) in [(["--prot", "3001"], "--port"), (["explain", "--rout=x"], "--route")] {
            let error =
                CommandLine::try_parse_from(["local"].iter().chain(&arguments)).expect_err("is refused");
            assert!(error.to_string().contains(&format!("similar argument exists: '{expected}")), "{error}");
        }
    }

    #[test]
    fn functions_are_called_on_loopback_only() {
        for good in
            ["http://127.0.0.1:9000", "http://localhost:9000/", "http://[::1]:9000", "http://127.1.2.3"]
        {
            assert!(gateway::options::endpoint(good).is_ok(), "{good}");
        }
        let bad = [
            "https://127.0.0.1:9000",
            "http://10.0.0.1:9000",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:9000/path",
            "http://127.0.0.1:9000?query",
            "http://user@127.0.0.1:9000",
            "http://user:pass@127.0.0.1",
            "localhost:9000",
            "",
        ];
        for bad in bad {
            assert!(gateway::options::endpoint(bad).is_err(), "{bad}");
        }
    }
}
