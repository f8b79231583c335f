//! The settings of the four functions, read once at start. All problems are reported together, by the variable's name.

use std::{fmt, time::Duration};

use crate::money::Currency;

const TABLE_NAME: &str = "TABLE_NAME";
const CURRENCY: &str = "CURRENCY";
const CREDENTIALS_SECRET: &str = "CREDENTIALS_SECRET";
const ORDER_EXPIRY_MINUTES: &str = "ORDER_EXPIRY_MINUTES";

/// A year.
const LONGEST_EXPIRY_MINUTES: u64 = 525_600;

/// What every function needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the function's own table. Required.
    pub table_name: String,
    /// `CURRENCY`: the one currency of the system, an ISO 4217 code, default `EUR`. The same for all functions.
    pub currency: Currency,
    /// `ORDER_EXPIRY_MINUTES`: how long an order may be pending, 1 to 525600 minutes, default 1440; `None` for 0, never.
    /// Read by the order function alone.
    pub order_expiry: Option<Duration>,
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
        let order_expiry = self.order_expiry();
        let (table_name, currency, order_expiry) = (table_name?, currency?, order_expiry?);
        Some(Config {
            table_name,
            currency,
            order_expiry: Some(order_expiry).filter(|expiry| !expiry.is_zero()),
        })
    }

    /// Set and not empty.
    fn required(&mut self, name: &str) -> Option<String> {
        let value = (self.vars)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.problems.push(format!("`{name}` is not set"));
        }
        value
    }

    /// Zero where it is switched off.
    fn order_expiry(&mut self) -> Option<Duration> {
        let value = (self.vars)(ORDER_EXPIRY_MINUTES).filter(|value| !value.is_empty());
        let minutes = value.map_or(Ok(1440), |value| value.parse());
        let Ok(minutes @ 0..=LONGEST_EXPIRY_MINUTES) = minutes else {
            self.problems.push(format!("`{ORDER_EXPIRY_MINUTES}` must be 0 to {LONGEST_EXPIRY_MINUTES}"));
            return None;
        };
        Some(Duration::from_mins(minutes))
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
    fn the_currency_is_the_euro_and_the_expiry_a_day_unless_set() {
        let config = Config::from_vars(vars(&[("TABLE_NAME", "t")])).unwrap();
        let order_expiry = Some(Duration::from_hours(24));
        assert_eq!(config, Config { table_name: "t".into(), currency: Currency::EUR, order_expiry });
        let set = [("TABLE_NAME", "t"), ("CURRENCY", "USD"), ("ORDER_EXPIRY_MINUTES", "0")];
        let config = Config::from_vars(vars(&set)).unwrap();
        assert_eq!((config.currency.to_string().as_str(), config.order_expiry), ("USD", None));
    }

    #[test]
    fn all_problems_are_told_together() {
        let set = [("TABLE_NAME", ""), ("CURRENCY", "euro"), ("ORDER_EXPIRY_MINUTES", "-1")];
        let error = CallingConfig::from_vars(vars(&set)).unwrap_err();
        insta::assert_snapshot!(error, @"`TABLE_NAME` is not set; `CURRENCY`: a currency is three capital letters, such as EUR; `ORDER_EXPIRY_MINUTES` must be 0 to 525600; `CREDENTIALS_SECRET` is not set");
        assert!(CallingConfig::from_vars(vars(&[("TABLE_NAME", "t"), ("CREDENTIALS_SECRET", "s")])).is_ok());
        for bad in ["525601", "1.5", "x"] {
            assert!(
                Config::from_vars(vars(&[("TABLE_NAME", "t"), ("ORDER_EXPIRY_MINUTES", bad)])).is_err(),
                "{bad}"
            );
        }
    }
}
