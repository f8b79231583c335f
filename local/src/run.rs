//! Owns the command: what it does for its arguments, what it prints, how it is stopped. `main` adds the process.

use std::{
    fs,
    io::{self, Read, Write},
    path::Path,
    pin::pin,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use access::log::Log;
use gateway::policy_command;
use tokio::{signal, time::timeout};

use crate::{
    beside::{self, BesideError},
    explain::{Explain, ExplainError, Outcome},
    openapi::{self, OpenapiError},
    options::{Command, CommandLine, Options},
    system::{Local, StartError},
    try_it::TryIt,
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
    /// There is no token or no answer to print.
    #[error(transparent)]
    Client(#[from] client::cli::CommandError),
    /// A command beside a running system has nothing to print.
    #[error(transparent)]
    Beside(#[from] BesideError),
    /// A token cannot be explained.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// The API cannot be described.
    #[error(transparent)]
    Openapi(#[from] OpenapiError),
    /// The policies cannot be read, or what they say not be written.
    #[error("the policies cannot be read to the end")]
    Policy(#[source] io::Error),
    /// The process cannot be told of signals.
    #[error("signals cannot be waited for")]
    Signals(#[source] io::Error),
    /// There is nobody to print to.
    #[error("standard output cannot be written")]
    Print(#[source] io::Error),
}

impl RunError {
    /// The exit code of the process: where 1 is an answer (`explain`, `call`), errors have another.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Explain(_) | Self::Client(_) => ExitCode::from(2),
            Self::Start(_)
            | Self::Beside(_)
            | Self::Openapi(_)
            | Self::Policy(_)
            | Self::Signals(_)
            | Self::Print(_) => ExitCode::FAILURE,
        }
    }
}

/// Does what the command line says, and tells what to end with. `vars` is a look-up in the environment, for the
/// functions' log settings.
///
/// # Errors
/// One line, with its causes, for whoever typed the command.
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
            print(&beside::event(&path, &running, clock().into()).await?)?;
        }
        Some(Command::Invoke { function, running }) => print(&beside::invoke(&function, &running).await?)?,
        Some(Command::Explain(asked)) => return explain(&asked, vars, clock).await,
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
    let log = Log::from_vars(vars, |line| {
        // Why keys cannot be fetched. Without standard error the outcome has to do.
        _ = io::stderr().lock().write_all(line.as_bytes());
    });
    let explainer = asked.explainer(clock, log)?;
    let token = token(asked.token_file.as_deref()).map_err(ExplainError::Token)?;
    let explanation = explainer.explain(&token, asked.route.as_ref()).await;
    if asked.json {
        print(&serde_json::to_string(&explanation).map_err(|error| RunError::Print(error.into()))?)?;
    } else {
        print(&explanation.to_string())?;
    }
    Ok(match explanation.outcome {
        Outcome::Allowed => ExitCode::SUCCESS,
        Outcome::Denied | Outcome::Refused => ExitCode::from(1),
        Outcome::Undecided => ExitCode::from(2),
    })
}

/// The token, as far as one is read. What is no text is no token, and is refused as one.
fn token(file: Option<&Path>) -> io::Result<String> {
    let mut token = Vec::new();
    match file {
        Some(path) => fs::File::open(path)?.take(LONGEST_TOKEN).read_to_end(&mut token)?,
        None => io::stdin().lock().take(LONGEST_TOKEN).read_to_end(&mut token)?,
    };
    Ok(String::from_utf8_lossy(&token).into_owned())
}

async fn serve(
    options: Options,
    vars: impl Fn(&str) -> Option<String>,
    clock: fn() -> SystemTime,
) -> Result<(), RunError> {
    let format = |name: &str| (options.json && name == "AWS_LAMBDA_LOG_FORMAT").then(|| "JSON".to_owned());
    let log = Log::from_vars(
        |name| format(name).or_else(|| vars(name)),
        |line| {
            // A log that nobody reads any more is no reason to stop.
            _ = io::stdout().lock().write_all(line.as_bytes());
        },
    );
    let greeting = Greeting::of(&options);
    let interrupt = Interrupt::new().map_err(RunError::Signals)?;
    let mut start = pin!(Local::start(options, clock, log));
    let local = if let Ok(started) = timeout(LONG, &mut start).await {
        started?
    } else {
        let doing = "Starting: drawing signing keys, opening the tables, loading the demo stock";
        _ = writeln!(io::stderr(), "{doing}");
        start.await?
    };
    print(&greeting.text(&local))?;
    interrupt.wait().await;
    local.stop().await;
    Ok(())
}

/// The wish of whoever runs the process that it end: Ctrl-C, or being asked to. Once made, neither ends the process by
/// itself any more.
struct Interrupt {
    #[cfg(unix)]
    signals: [signal::unix::Signal; 2],
}

impl Interrupt {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn wait(self) {
        let [mut interrupt, mut terminate] = self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(self) {
        // Whoever cannot be told of Ctrl-C had better not go on.
        _ = signal::ctrl_c().await;
    }
}

fn print(text: &str) -> Result<(), RunError> {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    write!(out, "{text}{end}").and_then(|()| out.flush()).map_err(RunError::Print)
}

/// What is told once everything answers.
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
            data: options.data.as_deref().map_or_else(|| "in memory".to_owned(), shown),
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
        let clients = local.clients().0.iter();
        let clients = clients.map(|(name, client)| format!("  {name:<16} {}", client.scopes.join(" ")));
        let clients = clients.collect::<Vec<_>>().join("\n");
        let example = local.clients().0.keys().next_back().map_or("", String::as_str);
        let try_it = self.try_it.commands(example, address);
        format!(
            "Serving {template} on http://{address}

  tokens     POST http://{address}/oauth2/token
  keys       GET  http://{address}/.well-known/jwks.json
  console    {console}
  functions  {functions}
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
