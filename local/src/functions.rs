//! Owns how functions are invoked: in this process, or by another program. What they do is their own business.

mod in_process;
mod remote;
mod told;

use std::{collections::BTreeMap, sync::Arc};

use access::{ROUTES, log::Log};
use authorizer::{Authorizer, Config as AuthorizerConfig};
use futures_util::{FutureExt as _, future::BoxFuture};
use handlers::{config::Config, entry::Entry, inventory::Inventory};
use reqwest::Url;

use self::{
    in_process::{Code, InProcess},
    remote::Remote,
    told::Told,
};
use crate::{
    gateway::{http::Clock, invoke::Invoke},
    loopback::LoopbackError,
    template::{Function, Stack},
};

/// What functions find around them, instead of AWS.
pub(crate) struct Surroundings<'a> {
    /// Where this system serves, `http://127.0.0.1:3000`.
    pub(crate) base: &'a str,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
}

/// The functions, ready to be invoked once `prepare` is through.
pub(crate) struct Functions {
    pub(crate) invoke: Arc<dyn Invoke>,
    /// What functions do while Lambda initialises them. Needs the issuer to answer.
    pub(crate) prepare: BoxFuture<'static, ()>,
}

/// Why a function cannot be invoked here.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// A function of the template that is built from something else.
    #[error("the function `{0}` is built from the binary `{1}`, which cannot be run here")]
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
    /// No HTTP client for functions elsewhere.
    #[error(transparent)]
    Http(#[from] LoopbackError),
}

/// The functions of `stack`: at `endpoint`, or in this process where there is none.
pub(crate) fn build(
    stack: &Stack,
    endpoint: Option<&Url>,
    surroundings: &Surroundings<'_>,
) -> Result<Functions, FunctionsError> {
    if let Some(endpoint) = endpoint {
        let binary = |(id, function): (&String, &Function)| (id.clone(), function.binary.clone());
        let binaries = stack.functions.iter().map(binary).collect();
        let remote = Remote::new(endpoint.clone(), binaries)?;
        return Ok(Functions {
            invoke: Arc::new(Told::new(remote, surroundings)),
            prepare: async {}.boxed(),
        });
    }
    let (mut functions, mut authorizers) = (BTreeMap::new(), Vec::new());
    for (id, function) in &stack.functions {
        let Some(code) = code(id, function, surroundings)? else { continue };
        if let Code::Authorizer(authorizer) = &code {
            authorizers.push(authorizer.clone());
        }
        functions.insert(id.clone(), in_process::Function { code, limit: function.timeout });
    }
    let prepare = async move {
        for authorizer in authorizers {
            authorizer.prefetch().await;
        }
    };
    Ok(Functions {
        invoke: Arc::new(Told::new(InProcess(functions), surroundings)),
        prepare: prepare.boxed(),
    })
}

/// The library behind a function's binary, with the function's environment.
fn code(
    id: &str,
    function: &Function,
    surroundings: &Surroundings<'_>,
) -> Result<Option<Code>, FunctionsError> {
    let Surroundings { base, dynamodb, clock, log } = surroundings;
    let vars = |name: &str| match name {
        // Instead of Cognito's address, which nothing here may call.
        "JWKS_URI" => Some(format!("{base}/.well-known/jwks.json")),
        _ => function.environment.get(name).cloned(),
    };
    let config = |error| FunctionsError::Config(id.to_owned(), error);
    match function.binary.as_str() {
        "authorizer" => {
            let config = AuthorizerConfig::from_vars(vars)
                .map_err(|error| FunctionsError::AuthorizerConfig(id.to_owned(), error))?;
            let authorizer = Authorizer::new(config, ROUTES, *clock, log.clone())
                .map_err(|error| FunctionsError::Authorizer(id.to_owned(), error))?;
            Ok(Some(Code::Authorizer(authorizer)))
        }
        "inventory" => {
            let config = Config::from_vars(vars).map_err(config)?;
            let inventory = Inventory::new(dynamodb.clone(), config);
            Ok(Some(Code::Inventory(Arc::new(Entry::new(inventory, *clock, log.clone())))))
        }
        // Not written yet: the routes answer 502.
        "order" | "payment" | "report" => Ok(None),
        binary => Err(FunctionsError::Binary(id.to_owned(), binary.to_owned())),
    }
}
