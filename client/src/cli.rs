//! The commands `token` and `call`: for the program `client`, and for any other that offers them.
//!
//! Secrets come from a clients file or from the environment, never from arguments, which every user of a machine can
//! see.

mod error;
mod hint;
mod nearest;
mod program;
mod request;

use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};

use ::http::header::CONTENT_TYPE;
use clap::Args;
use secrecy::ExposeSecret;

use crate::{
    api::ApiClient,
    credentials::{ClientsFile, CredentialsError, Problem},
    http::Http,
    source::TokenSource,
    url::ServiceUrl,
};
pub use error::CommandError;
pub use nearest::did_you_mean;
pub use program::Program;

/// Where `local` writes its clients, seen from the folder in which it runs.
pub const CLIENTS_FILE: &str = ".local/clients.json";

/// Where `local` serves.
pub const PORT: u16 = 3000;

/// API Gateway answers within 29 seconds; a token may be requested first.
const TIME_LIMIT: Duration = Duration::from_secs(40);

/// Who requests a token or calls, and where.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Caller {
    /// The client's name in the clients file
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,
    /// Scopes, separated by spaces [default: all that the client has]
    #[arg(long, value_name = "SCOPES", default_value = "", hide_default_value = true)]
    pub scope: String,
    /// The clients file [default: .local/clients.json]
    #[arg(long, value_name = "PATH")]
    pub clients_file: Option<PathBuf>,
    /// The port on which `local` serves [default: 3000]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// One call of the API.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Call {
    /// GET, POST, …
    pub method: String,
    /// The path, percent-encoded, with a query if there is one
    pub path: String,
    /// The body: JSON, @FILE, or @- for standard input
    #[arg(long, value_name = "JSON")]
    pub data: Option<String>,
    /// A header, such as `Idempotency-Key: 1`, which also allows retries; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
}

/// A client with its tokens, ready for a command.
#[derive(Debug)]
pub struct Target {
    tokens: TokenSource,
    scope: String,
    /// `None` if the credentials come from the environment.
    file: Option<ClientsFile>,
}

impl Caller {
    /// The client of the clients file, at the `local` that wrote it. Reads nothing yet.
    ///
    /// # Errors
    /// If there is no HTTP client.
    pub fn at_local(&self) -> Result<Target, CommandError> {
        let address = format!("http://127.0.0.1:{}", self.port.unwrap_or(PORT));
        let url = |name: &'static str, text: String| {
            let url: Result<ServiceUrl, _> = text.parse();
            url.map_err(|error| CredentialsError::Invalid(vec![Problem::Url(name, error)]))
        };
        let token_url = url("TOKEN_URL", format!("{address}/oauth2/token"))?;
        self.at(token_url, url("API_URL", address)?)
    }

    /// The client of the clients file, at these addresses.
    fn at(&self, token_url: ServiceUrl, api_url: ServiceUrl) -> Result<Target, CommandError> {
        let is_local = token_url.is_loopback();
        let file = ClientsFile {
            path: self.clients_file.clone().unwrap_or_else(|| CLIENTS_FILE.into()),
            client: self.client.clone(),
            token_url,
            api_url: Some(api_url),
        };
        let tokens = TokenSource::builder(file.clone(), Http::new()?);
        // What serves on this machine answers at once or not at all.
        let tokens = if is_local { tokens.retries(1) } else { tokens };
        Ok(Target { tokens: tokens.build(), scope: self.scope.clone(), file: Some(file) })
    }
}

impl Target {
    /// Prints a token, alone on its line.
    ///
    /// # Errors
    /// One line for whoever typed the command.
    pub async fn print_token(&self, output: &mut impl Write) -> Result<ExitCode, CommandError> {
        let token = self.tokens.token(&[&self.scope]).await;
        let token = token.map_err(|error| CommandError::of_token(error, self))?;
        writeln!(output, "{}", token.secret().expose_secret())?;
        Ok(ExitCode::SUCCESS)
    }

    /// Makes a call. Prints the answer's body to `output`; its status, and a hint where one helps, to `notes`. The
    /// exit code is 1 if the status is 400 or more.
    ///
    /// # Errors
    /// One line for whoever typed the command.
    pub async fn print_call(
        &self,
        call: &Call,
        output: &mut impl Write,
        notes: &mut impl Write,
    ) -> Result<ExitCode, CommandError> {
        let request = call.request()?;
        let answer = ApiClient::new(self.tokens.clone(), TIME_LIMIT).send(&request, &[&self.scope]).await;
        let answer = answer.map_err(|error| CommandError::of_call(error, self))?;
        writeln!(notes, "{}", answer.status)?;
        output.write_all(&answer.body)?;
        // For people: a terminal's next prompt begins on a line of its own.
        let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|kind| kind.contains("json")) {
            writeln!(output)?;
        }
        output.flush()?;
        if let Some(hint) = hint::of_answer(&answer, call) {
            writeln!(notes, "hint: {hint}")?;
        }
        Ok(if answer.status.as_u16() < 400 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
