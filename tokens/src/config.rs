//! The settings of both functions: read once at start, every problem reported by the variable's name.

use std::fmt;

use client::ServiceUrl;

const TOKEN_URL: &str = "TOKEN_URL";
const TOKENS_TABLE: &str = "TOKENS_TABLE";
const USER_POOL_ID: &str = "USER_POOL_ID";

/// The settings of the function `token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// `TOKEN_URL`: the issuer's token endpoint; https, or http on loopback. Required.
    pub token_url: ServiceUrl,
    /// `TOKENS_TABLE`: the table of sealed tokens. Required.
    pub table: String,
}

/// The settings of the function `rotate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateConfig {
    /// `USER_POOL_ID`: the pool of the clients. Required.
    pub user_pool_id: String,
    /// `TOKEN_URL`: the pool's token endpoint, where secrets are tested; https, or http on loopback. Required.
    pub token_url: ServiceUrl,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl TokenConfig {
    /// Reads the settings, `vars` being a look-up by name.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { vars, problems: Vec::new() };
        match (reader.url(TOKEN_URL), reader.required(TOKENS_TABLE)) {
            (Some(token_url), Some(table)) => Ok(Self { token_url, table }),
            _ => Err(ConfigError(reader.problems)),
        }
    }
}

impl RotateConfig {
    /// Reads the settings, `vars` being a look-up by name.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { vars, problems: Vec::new() };
        match (reader.required(USER_POOL_ID), reader.url(TOKEN_URL)) {
            (Some(user_pool_id), Some(token_url)) => Ok(Self { user_pool_id, token_url }),
            _ => Err(ConfigError(reader.problems)),
        }
    }
}

struct Reader<V> {
    vars: V,
    problems: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    fn required(&mut self, name: &str) -> Option<String> {
        let value = (self.vars)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.problems.push(format!("`{name}` is not set"));
        }
        value
    }

    fn url(&mut self, name: &str) -> Option<ServiceUrl> {
        let value = self.required(name)?;
        value.parse().map_err(|error| self.problems.push(format!("`{name}` {error}"))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn settings_are_read() {
        let set = [(TOKEN_URL, "https://t.example/oauth2/token"), (TOKENS_TABLE, "t"), (USER_POOL_ID, "p")];
        assert_eq!(TokenConfig::from_vars(vars(&set)).unwrap().table, "t");
        assert_eq!(RotateConfig::from_vars(vars(&set)).unwrap().user_pool_id, "p");
    }

    #[test]
    fn all_problems_are_told_together() {
        let error = TokenConfig::from_vars(vars(&[(TOKENS_TABLE, "")])).unwrap_err();
        insta::assert_snapshot!(error, @"`TOKEN_URL` is not set; `TOKENS_TABLE` is not set");
        let error = RotateConfig::from_vars(vars(&[(TOKEN_URL, "http://t.example/")])).unwrap_err();
        insta::assert_snapshot!(error, @"`USER_POOL_ID` is not set; `TOKEN_URL` must be https (http is for loopback only)");
    }
}
