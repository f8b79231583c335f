//! Runs the command: what it does for its arguments, what it prints, how it is stopped. `main` adds the process.

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    pin::pin,
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use access::log::{Level, Log};
use gateway::policy_command;
use handlers::openapi::{self, OpenapiError};
use jiff::tz::TimeZone;
use tokio::time::timeout;

use crate::{
    explain::{Explain, ExplainError, Outcome},
    options::{Command, CommandLine, Options},
    routes::RoutesCommandError,
    running::{self, RunningError},
    system::{Local, StartError},
    terminal::{Style, Terminal},
    try_it::{self, TryIt},
};

/// More than the largest token that is read, whatever stands before it.
const LONGEST_TOKEN: u64 = 32 * 1024;

/// After so long a start says what it is doing.
const LONG: Duration = Duration::from_secs(1);

/// Why the command fails.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// `token` or `call` failed.
    #[error(transparent)]
    Client(#[from] client::cli::CommandError),
    /// A command beside a running system failed.
    #[error(transparent)]
    Running(#[from] RunningError),
    /// A token cannot be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// `routes` failed.
    #[error(transparent)]
    Routes(#[from] RoutesCommandError),
    /// The API cannot be described.
    #[error(transparent)]
    Openapi(#[from] OpenapiError),
    /// The policies cannot be read, or the decisions cannot be written.
    #[error("the policies cannot be read to the end")]
    Policy(#[source] io::Error),
    /// Signals cannot be received.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// Standard output is closed.
    #[error("standard output cannot be written")]
    Print(#[source] io::Error),
}

impl RunError {
    /// The exit code of the process: where 1 is an answer (`explain`, `call`), errors have another.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Explain(_) | Self::Client(_) => ExitCode::from(2),
            Self::Start(_)
            | Self::Running(_)
            | Self::Routes(_)
            | Self::Openapi(_)
            | Self::Policy(_)
            | Self::Signals(_)
            | Self::Print(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs the command, and returns the exit code. `vars` is a look-up in the environment, for the
/// functions' log settings.
///
/// # Errors
/// One line, with its causes, for the person who typed the command.
pub async fn run(
    command_line: CommandLine,
    vars: impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
) -> Result<ExitCode, RunError> {
    match command_line.command {
        None => serve(command_line.options, vars, clock).await?,
        Some(Command::Token(caller)) => {
            return Ok(caller.at_local()?.print_token(&mut io::stdout()).await?);
        }
        Some(Command::Call { call, caller }) => {
            let target = caller.at_local()?;
            return Ok(target.print_call(&call, &mut io::stdout(), &mut io::stderr()).await?);
        }
        Some(Command::Event { path, running }) => {
            print(&running::event(&path, &running, clock().into()).await?)?;
        }
        Some(Command::Invoke { function, running }) => print(&running::invoke(&function, &running).await?)?,
        Some(Command::Rotate { client, running }) => print(&running::rotate(&client, &running).await?)?,
        Some(Command::Explain(asked)) => return explain(&asked, vars, clock).await,
        Some(Command::Routes(routes)) => {
            let printed = routes.run(|note| {
                // Without standard error the table has to do.
                _ = writeln!(io::stderr(), "{note}");
            })?;
            if !printed.text.is_empty() {
                print(&printed.text)?;
            }
            return Ok(if printed.is_no { ExitCode::from(1) } else { ExitCode::SUCCESS });
        }
        Some(Command::Openapi) => print(openapi::document()?.trim_end())?,
        Some(Command::Policy) => {
            policy_command::answer(io::stdin().lock(), io::stdout().lock()).map_err(RunError::Policy)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain(
    asked: &Explain,
    vars: impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
) -> Result<ExitCode, RunError> {
    let is_verbose = asked.verbose;
    let log = Log::from_vars(vars, move |line| {
        if is_verbose {
            // Why keys cannot be fetched. Without standard error the outcome has to do.
            _ = io::stderr().lock().write_all(line.as_bytes());
        }
    });
    let explainer = asked.explainer(clock, log)?;
    let token = token(asked.token_file.as_deref()).map_err(ExplainError::Token)?;
    let mut explanation = explainer.explain(&token, asked.route.as_ref()).await;
    if let (Some(port), Some(reason)) = (asked.keys_from_port(), explanation.reason) {
        explanation.because = local_keys(port, reason, explanation.because);
    }
    if asked.json {
        print(&serde_json::to_string(&explanation).map_err(|error| RunError::Print(error.into()))?)?;
    } else {
        print(&explanation.page(asked.verbose))?;
    }
    Ok(match explanation.outcome {
        Outcome::Allowed => ExitCode::SUCCESS,
        Outcome::Denied | Outcome::Refused => ExitCode::from(1),
        Outcome::Undecided => ExitCode::from(2),
    })
}

/// What a reason about keys means where they come from a `local` on this machine, and what to do about it.
fn local_keys(port: u16, reason: &str, because: Option<String>) -> Option<String> {
    match reason {
        "keys_unavailable" if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() => Some(format!(
            "nothing answers on 127.0.0.1:{port}, where the keys come from; start `cargo run -p local`, or name \
             the keys with `--port`, `--jwks` or `--user-pool-id`"
        )),
        "keys_unavailable" => Some(format!(
            "what runs on 127.0.0.1:{port} returns no keys; is it `local`, and is its JWKS endpoint up?"
        )),
        "unknown_key" => because.map(|because| {
            format!("{because}; a token from before `local` was restarted is no longer valid, unless `--data` keeps the keys")
        }),
        _ => because,
    }
}

/// The token, as far as one is read. What is not UTF-8 is not a token, and is refused as one.
fn token(file: Option<&Path>) -> io::Result<String> {
    let mut token = Vec::new();
    match file {
        Some(path) => fs::File::open(path)?.take(LONGEST_TOKEN).read_to_end(&mut token)?,
        None if io::stdin().is_terminal() => {
            // Without standard error it waits all the same.
            _ = writeln!(io::stderr(), "Paste the token, then press Enter:");
            io::stdin().lock().take(LONGEST_TOKEN).read_until(b'\n', &mut token)?
        }
        None => io::stdin().lock().take(LONGEST_TOKEN).read_to_end(&mut token)?,
    };
    Ok(String::from_utf8_lossy(&token).into_owned())
}

async fn serve(
    options: Options,
    vars: impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
) -> Result<(), RunError> {
    let terminal = terminal(&options, &vars);
    let sink = Arc::clone(&terminal);
    // The terminal needs to hear of every request as JSON, whatever it prints.
    let everything = |name: &str| match name {
        "AWS_LAMBDA_LOG_FORMAT" => Some("JSON".to_owned()),
        "AWS_LAMBDA_LOG_LEVEL" => Some("DEBUG".to_owned()),
        _ => vars(name),
    };
    let log = Log::from_vars(everything, move |line| sink.write(line));
    // Logs a token that a function could not renew, as on Lambda.
    handlers::events::write_to(log.clone(), clock);
    let greeting = Greeting::of(&options);
    let interrupted = gateway::run::interrupted().map_err(RunError::Signals)?;
    let mut start = pin!(Local::start(options, clock, log));
    let local = if let Ok(started) = timeout(LONG, &mut start).await {
        started?
    } else {
        let doing = "Starting: drawing signing keys, opening the tables, loading the demo stock";
        _ = writeln!(io::stderr(), "{doing}");
        start.await?
    };
    terminal.know(local.clients(), local.needs().clone());
    print(&greeting.text(&local))?;
    interrupted.await;
    local.stop().await;
    Ok(())
}

/// Where the log goes: standard output, in the style that fits it.
fn terminal(options: &Options, vars: &impl Fn(&str) -> Option<String>) -> Arc<Terminal> {
    let is = |name: &str, value: &str| vars(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
    let style = if options.json || is("AWS_LAMBDA_LOG_FORMAT", "json") {
        Style::Json
    } else if io::stdout().is_terminal() {
        // https://no-color.org
        Style::Short { color: vars("NO_COLOR").is_none_or(|value| value.is_empty()) && !is("TERM", "dumb") }
    } else {
        Style::Text
    };
    let level = |names: [&str; 2]| names.iter().any(|name| is("AWS_LAMBDA_LOG_LEVEL", name));
    let least = match () {
        () if level(["trace", "debug"]) => Level::Debug,
        () if level(["warn", "warn"]) => Level::Warn,
        () if level(["error", "fatal"]) => Level::Error,
        () => Level::Info,
    };
    Terminal::new(style, least, TimeZone::system(), |line| {
        // A closed standard output is no reason to stop.
        _ = io::stdout().lock().write_all(line.as_bytes());
    })
}

fn print(text: &str) -> Result<(), RunError> {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write!(out, "{text}{end}").and_then(|()| out.flush()).map_err(RunError::Print)
}

/// What is printed once requests are answered.
struct Greeting {
    template: String,
    data: String,
    clients_file: String,
    functions: String,
    try_it: TryIt,
}

impl Greeting {
    fn of(options: &Options) -> Self {
        let shown = |path: &Path| path.display().to_string();
        Self {
            template: shown(&options.template),
            data: match (options.data.as_deref(), &options.functions) {
                (Some(folder), None) => format!("{}; tokens outlive a restart", shown(folder)),
                (None, None) => "in memory; tokens end with this process (`--data` keeps both)".to_owned(),
                (Some(folder), Some(_)) => {
                    format!(
                        "signing keys in {}; the functions' own environment names their database",
                        shown(folder)
                    )
                }
                (None, Some(_)) => "the functions' own environment names their database".to_owned(),
            },
            clients_file: shown(&options.clients_file),
            functions: options
                .functions
                .as_ref()
                .map_or_else(|| "in this process".to_owned(), ToString::to_string),
            try_it: TryIt::of(options),
        }
    }

    fn text(&self, local: &Local) -> String {
        let Self { template, data, clients_file, functions, try_it: _ } = self;
        let address = local.address();
        let console = local.console_url();
        let schedules: Vec<String> =
            local.schedules().map(|(function, expression)| format!("{function} {expression}")).collect();
        let schedules = if schedules.is_empty() { "none is played".to_owned() } else { schedules.join(", ") };
        let clients = local.clients().0.iter();
        let clients = clients.map(|(name, client)| format!("  {name:<16} {}", client.scopes.join(" ")));
        let clients = clients.collect::<Vec<_>>().join("\n");
        let example = try_it::example(local.clients(), local.needs());
        let try_it = self.try_it.commands(example, address);
        format!(
            "Serving {template} on http://{address}

  tokens     POST http://{address}/oauth2/token
  keys       GET  http://{address}/.well-known/jwks.json
  console    {console}
  functions  {functions}
  schedules  {schedules}
  data       {data}
  clients    {clients_file}

{clients}

Try it:

{try_it}
Ctrl-C stops it.
"
        )
    }
}
