//! Owns the command: `client token` and `client call`. Secrets come from the environment or a clients file, never
//! from arguments, which every user of a machine can see.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use clap::{Args, Parser, Subcommand};
use client::{
    ApiClient, ApiError, ApiRequest, ClientsFile, Credentials, CredentialsError, Http, HttpError, Method,
    Problem, ServiceUrl, TokenError, TokenSource,
};
use secrecy::ExposeSecret;

// Where `local` puts things.
const CLIENTS_FILE: &str = ".local/clients.json";
const TOKEN_URL: &str = "http://127.0.0.1:3000/oauth2/token";
const API_URL: &str = "http://127.0.0.1:3000";

/// API Gateway gives an answer 29 seconds; a token may be asked for first.
const TIME_LIMIT: Duration = Duration::from_secs(40);

/// The largest body that API Gateway takes.
const MAX_DATA: u64 = 10 * 1024 * 1024;

/// Gets access tokens by client credentials, and calls APIs with them.
///
/// The client's secret comes from the environment (`CLIENT_ID`, `CLIENT_SECRET`, `TOKEN_URL`, `API_URL`) or else from a
/// clients file, never from an argument.
#[derive(Debug, Parser)]
#[command(name = "client", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print an access token, alone, for scripts
    Token(Who),
    /// Call the API: body to stdout, status to stderr; exit code 1 if the status is 400 or more
    Call(Call),
}

#[derive(Debug, Args)]
struct Who {
    /// The client's name in the clients file
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// The clients file [default: .local/clients.json]
    #[arg(long, value_name = "PATH")]
    clients_file: Option<PathBuf>,
    /// Scopes, separated by spaces [default: all that the client has]
    #[arg(long, value_name = "SCOPES", default_value = "", hide_default_value = true)]
    scope: String,
    /// The token endpoint [default: `TOKEN_URL`, or that of a laptop]
    #[arg(long, value_name = "URL")]
    token_url: Option<ServiceUrl>,
}

#[derive(Debug, Args)]
struct Call {
    /// GET, POST, …
    method: String,
    /// The path, percent-encoded, with a query if there is one
    path: String,
    #[command(flatten)]
    who: Who,
    /// The API's address [default: `API_URL`, or that of a laptop]
    #[arg(long, value_name = "URL")]
    base_url: Option<ServiceUrl>,
    /// The body: JSON, @FILE, or @- for stdin
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// A header, such as `Idempotency-Key: 1`, which also allows retries; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
}

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("no token")]
    Token(#[from] TokenError),
    #[error("no answer")]
    Api(#[from] ApiError),
    #[error("`{0}` is not a method")]
    Method(String),
    #[error("a header is written `Name: value`")]
    Header,
    #[error("the data `{0}` cannot be read")]
    Data(String, #[source] io::Error),
    #[error("the data is larger than 10 MiB")]
    DataTooLarge,
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
}

/// Does what the arguments say; `vars` is a look-up in the environment by name.
pub(crate) async fn run(
    arguments: Arguments,
    vars: impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
    output: &mut impl Write,
    notes: &mut impl Write,
) -> Result<ExitCode, CommandError> {
    match arguments.action {
        Action::Token(who) => {
            let tokens = tokens(&who, None, vars, clock)?;
            let token = tokens.token(&[&who.scope]).await?;
            writeln!(output, "{}", token.secret().expose_secret())?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Call(call) => {
            let request = request(&call)?;
            let tokens = tokens(&call.who, call.base_url.as_ref(), vars, clock)?;
            let answer = ApiClient::new(tokens, TIME_LIMIT).send(&request, &[&call.who.scope]).await?;
            writeln!(notes, "{}", answer.status)?;
            output.write_all(&answer.body)?;
            output.flush()?;
            Ok(if answer.status.as_u16() < 400 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// The tokens of the client that the environment names, unless an argument speaks of a clients file.
fn tokens(
    who: &Who,
    base_url: Option<&ServiceUrl>,
    vars: impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
) -> Result<TokenSource, CommandError> {
    let http = Http::new()?;
    let var = |name: &str| vars(name).filter(|value| !value.is_empty());
    let url = |name: &str| match name {
        "TOKEN_URL" => who.token_url.as_ref().map(ServiceUrl::to_string).or_else(|| var(name)),
        "API_URL" => base_url.map(ServiceUrl::to_string).or_else(|| var(name)),
        _ => var(name),
    };
    let is_in_environment = var("CLIENT_ID").is_some() || var("CLIENT_SECRET").is_some();
    if is_in_environment && who.client.is_none() && who.clients_file.is_none() {
        return Ok(TokenSource::new(Credentials::from_vars(url)?, http, clock));
    }
    let parse = |name: &'static str, default: &str| {
        let url = url(name).unwrap_or_else(|| default.to_owned()).parse();
        url.map_err(|error| CredentialsError::Invalid(vec![Problem::Url(name, error)]))
    };
    let file = ClientsFile {
        path: who.clients_file.clone().unwrap_or_else(|| CLIENTS_FILE.into()),
        client: who.client.clone(),
        token_url: parse("TOKEN_URL", TOKEN_URL)?,
        api_url: Some(parse("API_URL", API_URL)?),
    };
    Ok(TokenSource::new(file, http, clock))
}

fn request(call: &Call) -> Result<ApiRequest, CommandError> {
    let method: Method =
        call.method.to_uppercase().parse().map_err(|_| CommandError::Method(call.method.clone()))?;
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let mut request = ApiRequest::new(method, path);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        request = request.query(decoded(name), decoded(value));
    }
    for header in &call.headers {
        let (name, value) = header.split_once(':').ok_or(CommandError::Header)?;
        if name.eq_ignore_ascii_case("idempotency-key") {
            request = request.safe_to_repeat();
        }
        request = request.header(name, value.trim());
    }
    match &call.data {
        Some(data) => Ok(request.json_text(read(data)?)),
        None => Ok(request),
    }
}

/// A part of a query as it was meant; it is encoded again when it is sent.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn read(data: &str) -> Result<Vec<u8>, CommandError> {
    let bytes = match data.strip_prefix('@') {
        None => return Ok(data.as_bytes().to_vec()),
        Some("-") => bounded(io::stdin()),
        Some(path) => File::open(path).and_then(bounded),
    };
    let bytes = bytes.map_err(|error| CommandError::Data(data.to_owned(), error))?;
    if bytes.len() as u64 > MAX_DATA { Err(CommandError::DataTooLarge) } else { Ok(bytes) }
}

/// All there is, up to one byte too many.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_DATA + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
