//! Owns the settings of the four functions: read once at start, every problem reported by the variable's name.

use std::fmt;

use crate::money::Currency;

const TABLE_NAME: &str = "TABLE_NAME";
const CURRENCY: &str = "CURRENCY";
const CREDENTIALS_SECRET: &str = "CREDENTIALS_SECRET";

/// What every function needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the function's own table. Required.
    pub table_name: String,
    /// `CURRENCY`: the one currency of the system, an ISO 4217 code, default `EUR`. The same for all functions.
    pub currency: Currency,
}

/// What a function that calls other functions needs besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallingConfig {
    /// What every function needs.
    pub config: Config,
    /// `CREDENTIALS_SECRET`: name or ARN of the secret with the credentials of the function's own client. Required.
    pub credentials_secret: String,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl Config {
    /// Reads the settings, `vars` being a look-up by name.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { vars, problems: Vec::new() };
        let config = reader.config();
        config.ok_or(ConfigError(reader.problems))
    }
}

impl CallingConfig {
    /// Reads the settings, `vars` being a look-up by name.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { vars, problems: Vec::new() };
        let (config, secret) = (reader.config(), reader.required(CREDENTIALS_SECRET));
        match (config, secret) {
            (Some(config), Some(credentials_secret)) => Ok(Self { config, credentials_secret }),
            _ => Err(ConfigError(reader.problems)),
        }
    }
}

struct Reader<V> {
    vars: V,
    problems: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn config(&mut self) -> Option<Config> {
        let (table_name, currency) = (self.required(TABLE_NAME), self.currency());
        Some(Config { table_name: table_name?, currency: currency? })
    }

    /// Set and not empty.
    fn required(&mut self, name: &str) -> Option<String> {
        let value = (self.vars)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.problems.push(format!("`{name}` is not set"));
        }
        value
    }

    fn currency(&mut self) -> Option<Currency> {
        match (self.vars)(CURRENCY).filter(|value| !value.is_empty()) {
            None => Some(Currency::EUR),
            Some(value) => {
                value.parse().map_err(|error| self.problems.push(format!("`{CURRENCY}`: {error}"))).ok()
            }
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_currency_is_the_euro_unless_set() {
        let config = Config::from_vars(vars(&[("TABLE_NAME", "t")])).unwrap();
        assert_eq!(config, Config { table_name: "t".into(), currency: Currency::EUR });
        let config = Config::from_vars(vars(&[("TABLE_NAME", "t"), ("CURRENCY", "USD")])).unwrap();
        assert_eq!(config.currency.to_string(), "USD");
    }

    #[test]
    fn all_problems_are_told_together() {
        let error = CallingConfig::from_vars(vars(&[("TABLE_NAME", ""), ("CURRENCY", "euro")])).unwrap_err();
        insta::assert_snapshot!(error, @"`TABLE_NAME` is not set; `CURRENCY`: a currency is three capital letters, such as EUR; `CREDENTIALS_SECRET` is not set");
        assert!(CallingConfig::from_vars(vars(&[("TABLE_NAME", "t"), ("CREDENTIALS_SECRET", "s")])).is_ok());
    }
}
