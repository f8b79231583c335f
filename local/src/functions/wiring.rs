//! Builds the functions that run here: the library behind each binary, with the environment that the template gives
//! it, and with this process in place of AWS.

use std::{fmt::Debug, sync::Arc};

use access::log::{Level, Log};
use authorizer::Authorizer;
use aws_sdk_dynamodb::Client as DynamoDb;
use client::{Credentials, Http, TokenSource};
use gateway::{
    http::Clock,
    template::{Function, Stack},
};
use handlers::{
    config::Config,
    entry::{Entry, Service},
    inventory::Inventory,
    orders::{self, Orders},
    payments::{self, Payments},
    reports::{self, Reports},
    upstream::ClientApi,
};
use secrecy::ExposeSecret;
use tokens::{config::TokenConfig, token::TokenFunction};

use super::{FunctionsError, in_process::Code};
use crate::{
    issuer::{JWKS_PATH, token_url},
    secrets::ClientSecrets,
};

/// What functions find around them, instead of AWS.
pub(crate) struct Surroundings<'a> {
    /// Where the functions call this system: their own port, `http://127.0.0.1:49152`.
    pub(crate) base: &'a str,
    pub(crate) stack: &'a Stack,
    pub(crate) secrets: &'a Arc<ClientSecrets>,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
}

impl Surroundings<'_> {
    /// The library behind the binary of `function`, which the template calls `id`.
    pub(super) fn code(&self, id: &str, function: &Function) -> Result<Code, FunctionsError> {
        let vars = |name: &str| variable(function, self.base, name);
        let unset = |error| FunctionsError::Config(id.to_owned(), error);
        let calling = |scopes| {
            let (config, secret) = Config::with_secret(vars).map_err(unset)?;
            Ok::<_, FunctionsError>((self.dynamodb.clone(), self.api(id, &secret, scopes)?, config))
        };
        match function.binary.as_str() {
            "authorizer" => authorizer(id, vars, self.clock, self.log.clone()).map(Code::Authorizer),
            "inventory" => {
                let config = Config::from_vars(vars).map_err(unset)?;
                Ok(self.entry(Inventory::new(self.dynamodb.clone(), config)))
            }
            "order" => {
                let (dynamodb, api, config) = calling(orders::SCOPES)?;
                Ok(self.entry(Orders::new(dynamodb, api, config)))
            }
            "payment" => {
                let (dynamodb, api, config) = calling(payments::SCOPES)?;
                Ok(self.entry(Payments::new(dynamodb, api, config)))
            }
            "report" => {
                let (dynamodb, api, config) = calling(reports::SCOPES)?;
                Ok(self.entry(Reports::new(dynamodb, api, config)))
            }
            "token" => self.token(id, vars),
            // Not called here: there is no Secrets Manager.
            "rotate" => Ok(Code::Absent),
            binary => Err(FunctionsError::Binary(id.to_owned(), binary.to_owned())),
        }
    }

    fn token(&self, id: &str, vars: impl Fn(&str) -> Option<String>) -> Result<Code, FunctionsError> {
        let config = TokenConfig::from_vars(vars)
            .map_err(|error| FunctionsError::TokenConfig(id.to_owned(), error))?;
        let http = Http::new().map_err(|error| FunctionsError::Client(id.to_owned(), error))?;
        let log = tokens_log(self.log.clone(), self.clock);
        let function = TokenFunction::new(config, self.dynamodb.clone(), http, self.clock, log);
        Ok(Code::Token(Box::new(function), self.clock))
    }

    fn entry<S: Service + Debug + 'static>(&self, service: S) -> Code {
        Code::Service(Arc::new(Entry::new(service, self.clock, self.log.clone())))
    }

    /// The API as the function `id` calls it: with the client in the secret of the template, at our own address.
    fn api(
        &self,
        id: &str,
        secret: &str,
        scopes: &'static [&'static str],
    ) -> Result<ClientApi, FunctionsError> {
        let mut secrets = self.stack.secrets.values();
        let found = secrets.find(|known| known.name == secret || known.arn == secret);
        let found = found.ok_or_else(|| FunctionsError::Secret(id.to_owned(), secret.to_owned()))?;
        let unusable = |error| FunctionsError::Credentials(id.to_owned(), error);
        let url = |text: &str| text.parse().map_err(|error| FunctionsError::Url(id.to_owned(), error));
        let (token_url, api_url) = (url(&token_url(self.base))?, url(self.base)?);
        let http = Http::new().map_err(|error| FunctionsError::Client(id.to_owned(), error))?;
        // On AWS a rotation puts the credentials into a secret that names its client.
        let source = found.client_id.as_ref();
        let source = source.and_then(|client_id| self.secrets.source(client_id, &token_url, &api_url));
        let tokens = if let Some(source) = source {
            TokenSource::builder(source, http)
        } else {
            let fixed = Credentials::from_json(found.value.expose_secret()).map_err(unusable)?;
            TokenSource::builder(Credentials { token_url, api_url: Some(api_url), ..fixed }, http)
        };
        Ok(ClientApi::new(tokens.clock(self.clock).build(), scopes))
    }
}

/// A variable of `function` as it is here: the template's, but for the issuer's addresses, which are those of the system at
/// `base`.
pub(super) fn variable(function: &Function, base: &str, name: &str) -> Option<String> {
    match name {
        // Instead of Cognito's address, which nothing here may call.
        "JWKS_URI" => Some(format!("{base}{JWKS_PATH}")),
        "TOKEN_URL" => Some(token_url(base)),
        _ => function.environment.get(name).cloned(),
    }
}

/// The authorizer with these settings.
pub(super) fn authorizer(
    id: &str,
    vars: impl Fn(&str) -> Option<String>,
    clock: Clock,
    log: Log,
) -> Result<Authorizer, FunctionsError> {
    let config = authorizer::Config::from_vars(vars)
        .map_err(|error| FunctionsError::AuthorizerConfig(id.to_owned(), error))?;
    Authorizer::new(config, clock, log).map_err(|error| FunctionsError::Authorizer(id.to_owned(), error))
}

/// A log of the crate `tokens` that writes to `log`.
pub(crate) fn tokens_log(log: Log, clock: Clock) -> tokens::log::Log {
    tokens::log::Log::new(move |level, line| {
        let level = match level {
            tokens::log::Level::Info => Level::Info,
            tokens::log::Level::Warn => Level::Warn,
            tokens::log::Level::Error => Level::Error,
        };
        log.record(level, clock(), line);
    })
}
