//! `Config`: every setting of the authorizer, read once from the environment and parsed. All problems are reported together,
//! by variable name.

use std::{borrow::Cow, collections::BTreeSet, fmt, time::Duration};

use access::{ClientId, Table};
use reqwest::Url;

use crate::{
    claims::{Clients, Form, Rules},
    keys::{Timing, snapshot::Snapshot},
    policy::Coverage,
};

mod issuer;
mod routes;

pub(crate) use routes::with_usual_places;

/// Every setting of the authorizer. An empty variable counts as unset.
#[derive(Clone, Debug)]
pub struct Config {
    /// `USER_POOL_ID`, or `TOKEN_ISSUER` with `JWKS_URI`.
    pub(crate) issuers: Vec<IssuerConfig>,
    /// `CLIENT_IDS`, `TOKEN_AUDIENCE`, `CLOCK_SKEW_SECONDS` (0 to 60, default 5).
    pub(crate) rules: Rules,
    /// `JWKS_TIMEOUT_MS` (100 to 10000, default 1500), `JWKS_COOLDOWN_SECONDS` (1 to 3600, default 10),
    /// `JWKS_MAX_AGE_SECONDS` (1 to 86400, default 3600), `JWKS_MAX_STALE_SECONDS` (1 to 604800, default 86400, not
    /// below the age).
    pub(crate) timing: Timing,
    /// `JWKS_SNAPSHOT`: the keys in that file.
    pub(crate) snapshot: Option<Snapshot>,
    /// `ROUTES_FILE`, or `ROUTES`. Required.
    pub(crate) routes: Table,
    /// `POLICY`: `token` (the default) or `call`.
    pub(crate) coverage: Coverage,
}

/// One issuer and where its keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuerConfig {
    /// The exact values that `iss` may have; at least one.
    pub(crate) names: Vec<String>,
    pub(crate) jwks: Url,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(Vec<Problem>);

/// What is wrong with one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub variable: &'static str,
    /// What it must be. Never its value, except what is wrong with a route table.
    pub problem: Cow<'static, str>,
}

impl ConfigError {
    /// The problems, in the order in which the README lists the variables.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { variable, problem }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{variable} {problem}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads the settings, which `vars` looks up by name, and the files that they name: the routes, and perhaps a
    /// snapshot.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let vars = |name: &str| vars(name).filter(|value| !value.trim().is_empty());
        let mut problems = Problems(Vec::new());
        let issuers = issuer::read(&vars, &mut problems);
        let clients = clients(vars("CLIENT_IDS"), &mut problems);
        let audience = vars("TOKEN_AUDIENCE");
        let skew = problems.seconds(
            &vars,
            "CLOCK_SKEW_SECONDS",
            "must be a number of seconds from 0 to 60",
            0,
            60,
            5,
        );
        let timing = timing(&vars, &mut problems);
        let snapshot = vars("JWKS_SNAPSHOT").and_then(|path| snapshot(&path, issuers.len(), &mut problems));
        let coverage = match vars("POLICY").as_deref() {
            None | Some("token") => Coverage::Token,
            Some("call") => Coverage::Call,
            Some(_) => {
                problems.add("POLICY", "must be `token` or `call`");
                Coverage::Token
            }
        };
        let routes = routes::read(&vars, &mut problems);
        let Some(routes) = routes.filter(|_| problems.0.is_empty()) else {
            return Err(ConfigError(problems.0));
        };
        let form = if vars("TOKEN_ISSUER").is_some() { Form::Oidc } else { Form::Cognito };
        let rules = Rules { form, clients, audience, skew };
        Ok(Self { issuers, rules, timing, snapshot, routes, coverage })
    }
}

/// Collects what is wrong.
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, variable: &'static str, problem: impl Into<Cow<'static, str>>) {
        self.0.push(Problem { variable, problem: problem.into() });
    }

    fn number(
        &mut self,
        value: Option<String>,
        (variable, problem): (&'static str, &'static str),
        (least, most, default): (u64, u64, u64),
    ) -> u64 {
        let Some(value) = value else { return default };
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse() {
            Ok(number) if is_digits && (least..=most).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.add(variable, problem);
                default
            }
        }
    }

    fn seconds(
        &mut self,
        vars: &impl Fn(&str) -> Option<String>,
        variable: &'static str,
        problem: &'static str,
        least: u64,
        most: u64,
        default: u64,
    ) -> Duration {
        Duration::from_secs(self.number(vars(variable), (variable, problem), (least, most, default)))
    }
}

fn clients(value: Option<String>, problems: &mut Problems) -> Clients {
    const VARIABLE: &str = "CLIENT_IDS";
    let Some(value) = value else {
        problems.add(VARIABLE, "is required: the client ids that are let in, or `*` for any of the issuer");
        return Clients::Listed(BTreeSet::new());
    };
    if value.trim() == "*" {
        return Clients::Any;
    }
    let ids: Result<_, _> = value.split(',').map(|id| ClientId::parse(id.trim().to_owned())).collect();
    let ids = ids.unwrap_or_else(|_| {
        problems.add(VARIABLE, "must be client ids with one comma between them, or `*` alone");
        BTreeSet::new()
    });
    Clients::Listed(ids)
}

fn timing(vars: &impl Fn(&str) -> Option<String>, problems: &mut Problems) -> Timing {
    let timeout = problems.number(
        vars("JWKS_TIMEOUT_MS"),
        ("JWKS_TIMEOUT_MS", "must be a number of milliseconds from 100 to 10000"),
        (100, 10_000, 1500),
    );
    let mut seconds = |variable, problem, least, most, default| {
        problems.seconds(vars, variable, problem, least, most, default)
    };
    let cooldown =
        seconds("JWKS_COOLDOWN_SECONDS", "must be a number of seconds from 1 to 3600", 1, 3600, 10);
    let max_age =
        seconds("JWKS_MAX_AGE_SECONDS", "must be a number of seconds from 1 to 86400", 1, 86_400, 3600);
    let max_stale =
        seconds("JWKS_MAX_STALE_SECONDS", "must be a number of seconds from 1 to 604800", 1, 604_800, 86_400);
    if max_stale < max_age {
        problems.add("JWKS_MAX_STALE_SECONDS", "must not be below JWKS_MAX_AGE_SECONDS");
    }
    Timing { timeout: Duration::from_millis(timeout), cooldown, max_age, max_stale }
}

fn snapshot(path: &str, issuers: usize, problems: &mut Problems) -> Option<Snapshot> {
    const VARIABLE: &str = "JWKS_SNAPSHOT";
    if issuers > 1 {
        // A file does not say whose keys it has, and no issuer's key may verify another's token.
        problems.add(VARIABLE, "needs a single issuer");
        return None;
    }
    let snapshot = std::fs::read(path).ok().and_then(|text| Snapshot::parse(&text).ok());
    if snapshot.is_none() {
        problems.add(
            VARIABLE,
            "must name a readable file `{\"fetched_at\": <seconds>, \"keys\": […]}` with a usable key",
        );
    }
    snapshot
}

#[cfg(test)]
mod tests;
