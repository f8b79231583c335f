//! The settings of the four functions, read once at start. All problems are reported together, by the variable's name.

use std::time::Duration;

use crate::money::Currency;

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

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

impl Config {
    /// Reads the settings, `vars` being a look-up by name.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { vars, problems: Vec::new() };
        reader.config().ok_or(ConfigError(reader.problems))
    }

    /// Reads the settings of a function that calls others, and `CREDENTIALS_SECRET`: name or ARN of the secret with the
    /// credentials of its own client. Required.
    ///
    /// # Errors
    /// All problems together.
    pub fn with_secret(vars: impl Fn(&str) -> Option<String>) -> Result<(Self, String), ConfigError> {
        let mut reader = Reader { vars, problems: Vec::new() };
        let (config, credentials_secret) = (reader.config(), reader.required("CREDENTIALS_SECRET"));
        config.zip(credentials_secret).ok_or(ConfigError(reader.problems))
    }
}

struct Reader<V> {
    vars: V,
    problems: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn config(&mut self) -> Option<Config> {
        let table_name = self.required("TABLE_NAME");
        let currency = self.optional("CURRENCY", "EUR", |value| {
            value.parse().map_err(|error| format!("`CURRENCY`: {error}"))
        });
        let order_expiry = self.optional("ORDER_EXPIRY_MINUTES", "1440", |value| match value.parse() {
            Ok(0) => Ok(None),
            Ok(minutes @ 1..=LONGEST_EXPIRY_MINUTES) => Ok(Some(Duration::from_mins(minutes))),
            Ok(_) | Err(_) => Err(format!("`ORDER_EXPIRY_MINUTES` must be 0 to {LONGEST_EXPIRY_MINUTES}")),
        });
        Some(Config { table_name: table_name?, currency: currency?, order_expiry: order_expiry? })
    }

    fn set(&self, name: &str) -> Option<String> {
        (self.vars)(name).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let value = self.set(name);
        if value.is_none() {
            self.problems.push(format!("`{name}` is not set"));
        }
        value
    }

    fn optional<T>(
        &mut self,
        name: &str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.set(name);
        parse(value.as_deref().unwrap_or(default)).map_err(|problem| self.problems.push(problem)).ok()
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
        let error = Config::with_secret(vars(&set)).unwrap_err();
        insta::assert_snapshot!(error, @"`TABLE_NAME` is not set; `CURRENCY`: a currency is three capital letters, such as EUR; `ORDER_EXPIRY_MINUTES` must be 0 to 525600; `CREDENTIALS_SECRET` is not set");
        assert!(Config::with_secret(vars(&[("TABLE_NAME", "t"), ("CREDENTIALS_SECRET", "s")])).is_ok());
        for bad in ["525601", "1.5", "x"] {
            assert!(
                Config::from_vars(vars(&[("TABLE_NAME", "t"), ("ORDER_EXPIRY_MINUTES", bad)])).is_err(),
                "{bad}"
            );
        }
    }
}
