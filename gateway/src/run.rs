//! Runs the command: reads the template, serves its API, and stops on a signal.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{net::TcpListener, signal};

use crate::{
    http::{Clock, server},
    invoke::{Remote, Target},
    log,
    loopback::LoopbackError,
    options::{Command, CommandLine, Serve},
    policy_command,
    rest::{Gateway, GatewayError, api::Access},
    template::{Facts, Lambda, Service, Template, TemplateError},
};

/// The longest file beside a template that is read.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Why the command fails.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The options are missing.
    #[error("nothing to serve; give --template and --functions")]
    Nothing,
    /// The template cannot be read.
    #[error("{0} cannot be read")]
    ReadTemplate(PathBuf, #[source] io::Error),
    /// The template cannot be served.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Its API cannot be served.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// `--function` names a function that does not exist.
    #[error("--function {0}: the template has no function with this logical id")]
    UnknownFunction(String),
    /// The HTTP client for the functions cannot be built.
    #[error(transparent)]
    Http(#[from] LoopbackError),
    /// The port cannot be listened on.
    #[error("port {0} cannot be listened on; choose another with --port")]
    Port(u16, #[source] io::Error),
    /// Signals cannot be received.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// Standard output is closed.
    #[error("standard output cannot be written")]
    Print(#[source] io::Error),
    /// The policies cannot be read, or the decisions cannot be written.
    #[error("the policies cannot be read to the end")]
    Policy(#[source] io::Error),
}

/// Runs the command.
///
/// # Errors
/// One line, with its causes, for the person who typed the command.
pub async fn run(command_line: CommandLine, clock: Clock) -> Result<(), RunError> {
    match (command_line.command, command_line.serve) {
        (Some(Command::Policy), _) => {
            policy_command::answer(io::stdin().lock(), io::stdout().lock()).map_err(RunError::Policy)
        }
        (None, Some(options)) => serve(options, clock).await,
        (None, None) => Err(RunError::Nothing),
    }
}

async fn serve(options: Serve, clock: Clock) -> Result<(), RunError> {
    let template = read_template(&options.template)?;
    let facts = Facts { parameters: options.parameters.iter().cloned().collect(), ..Facts::default() };
    let service = template.service(&facts, options.api.as_deref())?;
    let targets = targets(&service.functions, &options.names)?;
    let functions = Arc::new(Remote::new(options.functions.clone(), targets)?);
    let is_json = options.json;
    let api = service.api.clone();
    let gateway = Gateway::new(api, functions, clock, move |served| log::record(served, is_json))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let listener = TcpListener::bind(address).await.map_err(|error| RunError::Port(options.port, error))?;
    let address = listener.local_addr().map_err(|error| RunError::Port(options.port, error))?;
    let stop = interrupted().map_err(RunError::Signals)?;
    let greeting = greeting(&options, &service, address);
    // With JSON lines on standard output, what is for people goes to standard error.
    let printed = if is_json {
        io::stderr().lock().write_all(greeting.as_bytes())
    } else {
        let mut out = io::stdout().lock();
        out.write_all(greeting.as_bytes()).and_then(|()| out.flush())
    };
    printed.map_err(RunError::Print)?;
    server::serve(listener, Arc::new(gateway), clock, stop).await;
    Ok(())
}

/// Reads a template, and the files beside it that it names.
///
/// # Errors
/// If it cannot be read, or is not a template.
pub fn read_template(path: &Path) -> Result<Template, RunError> {
    let text = fs::read_to_string(path).map_err(|error| RunError::ReadTemplate(path.to_owned(), error))?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let read = |location: &str| {
        let path = folder.join(location);
        let is_small = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST_FILE);
        is_small.then(|| fs::read_to_string(path).ok()).flatten()
    };
    Ok(Template::parse_with(&path.display().to_string(), &text, &read)?)
}

/// The name of each function at the endpoint.
fn targets(
    functions: &BTreeMap<String, Lambda>,
    names: &[(String, String)],
) -> Result<BTreeMap<String, Target>, RunError> {
    let target = |(id, lambda): (&String, &Lambda)| {
        let name = lambda.binary.clone().unwrap_or_else(|| id.clone());
        (id.clone(), Target { name, limit: Some(lambda.timeout) })
    };
    let mut targets: BTreeMap<_, _> = functions.iter().map(target).collect();
    for (id, name) in names {
        let target = targets.get_mut(id).ok_or_else(|| RunError::UnknownFunction(id.clone()))?;
        target.name.clone_from(name);
    }
    Ok(targets)
}

/// What is printed once requests are answered.
fn greeting(options: &Serve, service: &Service, address: SocketAddr) -> String {
    let mut text = String::new();
    for notice in &service.notices {
        _ = writeln!(text, "note: {notice}");
    }
    _ = writeln!(
        text,
        "Serving {} on http://{address}, functions at {}\n",
        options.template.display(),
        options.functions
    );
    for method in &service.api.methods {
        let access = match &method.access {
            Access::Open => "open",
            Access::Authorizer(name) => name,
            Access::NotPlayed(_) => "not played: 500",
        };
        let function = method.function().unwrap_or("-");
        _ = writeln!(text, "  {:<7} {:<40} {function:<30} {access}", method.verb, method.resource);
    }
    text.push_str("\nCtrl-C stops it.\n");
    text
}

/// Completes on Ctrl-C or SIGTERM. Once this has returned, neither ends the process by itself.
///
/// # Errors
/// If signals cannot be received.
pub fn interrupted() -> io::Result<impl Future<Output = ()> + Send> {
    #[cfg(unix)]
    {
        use signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // A process that cannot receive Ctrl-C stops at once.
        _ = signal::ctrl_c().await;
    })
}
