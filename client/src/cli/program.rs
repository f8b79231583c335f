//! The program `client`: its commands, with credentials from the environment or a clients file.

use std::{io::Write, process::ExitCode};

use clap::{Parser, Subcommand};

use super::{Call, Caller, CommandError, PORT, Target};
use crate::{
    credentials::{Credentials, CredentialsError, Problem},
    http::Http,
    source::TokenSource,
    url::ServiceUrl,
};

/// Gets access tokens by client credentials, and calls APIs with them.
///
/// The client's secret comes from the environment (`CLIENT_ID`, `CLIENT_SECRET`, `TOKEN_URL`, `API_URL`) or else from a
/// clients file, never from an argument.
#[derive(Debug, Parser)]
#[command(name = "client", version)]
pub struct Program {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print an access token, alone, for scripts
    Token {
        #[command(flatten)]
        caller: Caller,
        /// The token endpoint [default: `TOKEN_URL`, or that of `local`]
        #[arg(long, value_name = "URL")]
        token_url: Option<ServiceUrl>,
    },
    /// Call the API: body to stdout, status to stderr; exit code 1 if the status is 400 or more
    Call {
        #[command(flatten)]
        call: Call,
        #[command(flatten)]
        caller: Caller,
        /// The token endpoint [default: `TOKEN_URL`, or that of `local`]
        #[arg(long, value_name = "URL")]
        token_url: Option<ServiceUrl>,
        /// The API's address [default: `API_URL`, or that of `local`]
        #[arg(long, value_name = "URL")]
        base_url: Option<ServiceUrl>,
    },
}

impl Program {
    /// Does what the arguments say. `vars` looks up a variable of the environment.
    ///
    /// # Errors
    /// One line for whoever typed the command.
    pub async fn run(
        self,
        vars: impl Fn(&str) -> Option<String>,
        output: &mut impl Write,
        notes: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        match self.action {
            Action::Token { caller, token_url } => {
                target(&caller, token_url, None, vars)?.print_token(output).await
            }
            Action::Call { call, caller, token_url, base_url } => {
                target(&caller, token_url, base_url, vars)?.print_call(&call, output, notes).await
            }
        }
    }
}

/// The client that the environment names, unless an argument asks for `local` or its clients file.
fn target(
    caller: &Caller,
    token_url: Option<ServiceUrl>,
    base_url: Option<ServiceUrl>,
    vars: impl Fn(&str) -> Option<String>,
) -> Result<Target, CommandError> {
    let var = |name: &str| vars(name).filter(|value| !value.is_empty());
    let is_in_environment = var("CLIENT_ID").is_some() || var("CLIENT_SECRET").is_some();
    let asks_for_local = caller.client.is_some() || caller.clients_file.is_some() || caller.port.is_some();
    if is_in_environment && !asks_for_local {
        let credentials = Credentials::from_vars(|name| match name {
            "TOKEN_URL" => token_url.as_ref().map(ServiceUrl::to_string).or_else(|| var(name)),
            "API_URL" => base_url.as_ref().map(ServiceUrl::to_string).or_else(|| var(name)),
            _ => var(name),
        })?;
        let tokens = TokenSource::new(credentials, Http::new()?);
        return Ok(Target { tokens, scope: caller.scope.clone(), file: None });
    }
    let address = format!("http://127.0.0.1:{}", caller.port.unwrap_or(PORT));
    let url = |name: &'static str, argument: Option<ServiceUrl>, default: String| {
        if let Some(url) = argument {
            return Ok(url);
        }
        // An explicit port is more specific than the environment.
        let given = if caller.port.is_some() { None } else { var(name) };
        let url = given.unwrap_or(default).parse();
        url.map_err(|error| CredentialsError::Invalid(vec![Problem::Url(name, error)]))
    };
    let token_url = url("TOKEN_URL", token_url, format!("{address}/oauth2/token"))?;
    caller.at(token_url, url("API_URL", base_url, address)?)
}
