//! The settings and keys of an explanation: those of the template's authorizer, or those of another pool or issuer,
//! named as the authorizer's own variables so that its own code reads them.

use std::{fs, io, path::PathBuf};

use access::log::Log;
use authorizer::{Authorizer, Config, ConfigError};
use clap::Args;
use client::cli::PORT;
use gateway::{http::Clock, rest::GatewayError, template::Stack};

use super::{Call, Explainer};
use crate::{
    routes::{self, RoutesError},
    template_file::{self, TemplateFileError},
};

/// The largest JWKS file that is read.
const LARGEST_JWKS: u64 = 512 * 1024;
/// Where no keys come from: with the keys of a file the address is never called.
const NOWHERE: &str = "http://127.0.0.1/";

/// What to explain, and by whose rules.
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// Read the token from this file instead of standard input
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,
    /// The call to explain, such as "POST /orders"; without it, every route
    #[arg(long, value_name = "CALL")]
    pub route: Option<Call>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print every check, the header and the claims, and why keys could not be fetched
    #[arg(long, short)]
    pub verbose: bool,
    /// The issuer's keys: a JWKS file, or an https address (http on loopback)
    #[arg(long, value_name = "PATH|URL")]
    pub jwks: Option<String>,
    /// The port of the running `local` whose keys are taken unless `--jwks`, `--user-pool-id` or `--issuer` is given
    #[arg(long, default_value_t = PORT)]
    pub port: u16,
    /// The SAM template whose authorizer decides, unless `--user-pool-id` or `--issuer` is given
    #[arg(long, value_name = "PATH", default_value = "template.yaml")]
    pub template: PathBuf,
    /// Decide for this user pool instead of the template's; several with commas between them
    #[arg(long, value_name = "ID", conflicts_with = "issuer")]
    pub user_pool_id: Option<String>,
    /// Decide for this other OIDC issuer; needs `--jwks` and `--audience`
    #[arg(long, value_name = "ISS", requires = "audience", requires = "jwks")]
    pub issuer: Option<String>,
    /// The clients that are let in, with commas between them [default: the template's, or any]
    #[arg(long, value_name = "IDS")]
    pub client_ids: Option<String>,
    /// What `aud` must contain
    #[arg(long, value_name = "AUD")]
    pub audience: Option<String>,
}

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The file with the token, or standard input.
    #[error("the token cannot be read")]
    Token(#[source] io::Error),
    /// The template whose authorizer is to decide.
    #[error(transparent)]
    Template(#[from] TemplateFileError),
    /// The authorizer has no routes.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// The template has no such function.
    #[error("the template has no function that is built from the binary `authorizer`")]
    NoAuthorizer,
    /// The JWKS file.
    #[error("the keys in `{}` cannot be read", .0.display())]
    Jwks(PathBuf, #[source] io::Error),
    /// The settings are not what the authorizer takes.
    #[error("the settings of the authorizer")]
    Config(#[from] ConfigError),
    /// The authorizer does not start.
    #[error(transparent)]
    Authorizer(#[from] authorizer::StartError),
    /// The gateway cannot serve the template's API.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
}

impl Explainer {
    /// Explains as the authorizer of `stack` decides, with the keys of the system at `base`
    /// (`http://127.0.0.1:3000`).
    ///
    /// # Errors
    /// If the stack has no authorizer, or one that does not start.
    pub fn of_stack(stack: &Stack, base: &str, clock: Clock, log: Log) -> Result<Self, ExplainError> {
        let config = Config::from_vars(|name| match name {
            "JWKS_URI" => Some(format!("{base}/.well-known/jwks.json")),
            _ => of_template(stack, name),
        })?;
        Ok(Self::new(Authorizer::new(config, clock, log)?, &stack.api)?)
    }
}

impl Explain {
    /// The one who explains by these settings.
    ///
    /// # Errors
    /// If they do not fit together, or a file that they name cannot be read.
    pub(crate) fn explainer(&self, clock: Clock, log: Log) -> Result<Explainer, ExplainError> {
        // The other pool's API is not known; its ARNs are the template's, which every checkout has.
        let (template, facts) = template_file::without_secrets(&self.template, &[])?;
        let mut stack = template.stack(&facts).map_err(TemplateFileError::from)?;
        routes::fill(&mut stack, &self.template)?;
        let is_template = self.user_pool_id.is_none() && self.issuer.is_none();
        if is_template && !stack.functions.values().any(|function| function.binary == "authorizer") {
            return Err(ExplainError::NoAuthorizer);
        }
        let config = Config::from_vars(|name| {
            let given = match name {
                "USER_POOL_ID" => self.user_pool_id.clone(),
                "TOKEN_ISSUER" => self.issuer.clone(),
                "CLIENT_IDS" => self.client_ids.clone().or_else(|| (!is_template).then(|| "*".to_owned())),
                "TOKEN_AUDIENCE" => self.audience.clone(),
                "JWKS_URI" => return self.jwks_uri(is_template),
                _ => None,
            };
            // Another issuer's tokens, decided about for the template's API.
            let is_of_api = matches!(name, "ROUTES" | "POLICY");
            given.or_else(|| (is_template || is_of_api).then(|| of_template(&stack, name)).flatten())
        })?;
        let authorizer = match self.jwks_file() {
            Some(path) => {
                let jwks = read(&path).map_err(|error| ExplainError::Jwks(path, error))?;
                Authorizer::with_jwks(config, &jwks, clock, log)
            }
            None => Authorizer::new(config, clock, log)?,
        };
        Ok(Explainer::new(authorizer, &stack.api)?)
    }

    /// The port of the `local` whose keys are used, unless they come from elsewhere.
    pub(crate) fn keys_from_port(&self) -> Option<u16> {
        let is_local = self.jwks.is_none() && self.user_pool_id.is_none() && self.issuer.is_none();
        is_local.then_some(self.port)
    }

    fn jwks_uri(&self, is_template: bool) -> Option<String> {
        match &self.jwks {
            Some(jwks) if is_address(jwks) => Some(jwks.clone()),
            Some(_) => self.user_pool_id.is_none().then(|| NOWHERE.to_owned()),
            None => is_template.then(|| format!("http://127.0.0.1:{}/.well-known/jwks.json", self.port)),
        }
    }

    fn jwks_file(&self) -> Option<PathBuf> {
        self.jwks.as_ref().filter(|jwks| !is_address(jwks)).map(PathBuf::from)
    }
}

/// What the template gives the authorizer.
fn of_template(stack: &Stack, name: &str) -> Option<String> {
    let mut functions = stack.functions.values();
    functions.find(|function| function.binary == "authorizer")?.environment.get(name).cloned()
}

fn is_address(text: &str) -> bool {
    text.contains("://")
}

fn read(path: &std::path::Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut text = Vec::new();
    fs::File::open(path)?.take(LARGEST_JWKS).read_to_end(&mut text)?;
    Ok(text)
}
