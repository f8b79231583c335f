//! Invokes functions, in this process or in another program.

mod failure_log;
mod in_process;
mod wiring;

use std::{collections::BTreeMap, sync::Arc};

use access::log::Log;
use authorizer::Authorizer;
use futures_util::{FutureExt as _, future::BoxFuture};
use gateway::{
    http::Clock,
    invoke::{Invoke, InvokeError, Remote, Target},
    loopback::LoopbackError,
    template::{Function, Stack},
};
use reqwest::Url;

pub(crate) use self::wiring::{Surroundings, tokens_log};
use self::{
    failure_log::FailureLog,
    in_process::{Code, InProcess},
};
use crate::routes;

/// The functions, ready to be invoked once `prepare` is through.
pub(crate) struct Functions {
    pub(crate) invoke: Arc<dyn Invoke>,
    /// The authorizers among them that run in this process.
    pub(crate) authorizers: Vec<Authorizer>,
    /// What functions do while Lambda initialises them. Needs the issuer to answer.
    pub(crate) prepare: BoxFuture<'static, ()>,
}

/// Why a function cannot be invoked here.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// A function of the template that is built from something else.
    #[error(
        "the function `{0}` is built from the binary `{1}`, which cannot be run here; `--functions` calls it elsewhere"
    )]
    Binary(String, String),
    /// The environment that the template gives to the authorizer.
    #[error("the environment of the function `{0}`")]
    AuthorizerConfig(String, #[source] authorizer::ConfigError),
    /// The authorizer does not start.
    #[error("the function `{0}` does not start")]
    Authorizer(String, #[source] authorizer::StartError),
    /// The environment that the template gives to a function.
    #[error("the environment of the function `{0}`")]
    Config(String, #[source] handlers::config::ConfigError),
    /// The environment that the template gives to the token cache.
    #[error("the environment of the function `{0}`")]
    TokenConfig(String, #[source] tokens::config::ConfigError),
    /// The template has no secret of that name.
    #[error("the function `{0}` has no secret `{1}` in the template")]
    Secret(String, String),
    /// The secret does not hold credentials.
    #[error("the secret of the function `{0}`")]
    Credentials(String, #[source] client::CredentialsError),
    /// The system's own address is none to call.
    #[error("the address that the function `{0}` is to call")]
    Url(String, #[source] client::UrlError),
    /// No HTTP client for a function that calls others.
    #[error("the HTTP client of the function `{0}`")]
    Client(String, #[source] client::HttpError),
    /// No HTTP client for functions elsewhere.
    #[error(transparent)]
    Http(#[from] LoopbackError),
}

/// Functions of which some run in this process.
struct Divided {
    here: InProcess,
    elsewhere: Remote,
}

impl Invoke for Divided {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        event: Vec<u8>,
    ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
        if self.here.0.contains_key(function) {
            self.here.invoke(function, event)
        } else {
            self.elsewhere.invoke(function, event)
        }
    }
}

/// The functions of the stack at a Lambda Invoke endpoint, but for a released authorizer, which this process has. `base` is
/// where this system serves.
pub(crate) fn elsewhere(
    endpoint: &Url,
    stack: &Stack,
    base: &str,
    clock: Clock,
    log: Log,
) -> Result<Functions, FunctionsError> {
    // `cargo lambda watch` builds a function when it is first called, so its own limit is the endpoint's business.
    let target = |(id, function): (&String, &Function)| {
        (id.clone(), Target { name: function.binary.clone(), limit: None })
    };
    let remote = Remote::new(endpoint.clone(), stack.functions.iter().map(target).collect())?;
    let (mut here, mut authorizers) = (BTreeMap::new(), Vec::new());
    for (id, function) in stack.functions.iter().filter(|(_, function)| routes::is_release(function)) {
        let vars = |name: &str| wiring::variable(function, base, name);
        let authorizer = wiring::authorizer(id, vars, clock, log.clone())?;
        authorizers.push(authorizer.clone());
        let code = Code::Authorizer(authorizer);
        here.insert(id.clone(), in_process::Function { code, limit: function.timeout });
    }
    let prepare = prepare(authorizers.clone());
    let functions = Divided { here: InProcess(here), elsewhere: remote };
    let invoke = Arc::new(FailureLog::new(functions, clock, log));
    Ok(Functions { invoke, authorizers, prepare })
}

/// The functions of the stack in this process.
pub(crate) fn here(surroundings: &Surroundings<'_>) -> Result<Functions, FunctionsError> {
    let (mut built, mut authorizers) = (BTreeMap::new(), Vec::new());
    for (id, function) in &surroundings.stack.functions {
        let code = surroundings.code(id, function)?;
        if let Code::Authorizer(authorizer) = &code {
            authorizers.push(authorizer.clone());
        }
        built.insert(id.clone(), in_process::Function { code, limit: function.timeout });
    }
    let prepare = prepare(authorizers.clone());
    let invoke = Arc::new(FailureLog::new(InProcess(built), surroundings.clock, surroundings.log.clone()));
    Ok(Functions { invoke, authorizers, prepare })
}

fn prepare(authorizers: Vec<Authorizer>) -> BoxFuture<'static, ()> {
    async move {
        for authorizer in authorizers {
            authorizer.prefetch().await;
        }
    }
    .boxed()
}
