//! Sample events and their placeholders: `{{token:CLIENT}}` stands for a token of that client, `{{exp}}` for the time
//! at which a caller's token expires.

use std::collections::{BTreeMap, BTreeSet};

use access::UnixSeconds;

/// Why a sample cannot be made into an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// A placeholder that is unknown or not closed.
    #[error("the sample has the unknown placeholder `{0}`")]
    Placeholder(String),
    /// A client without a token.
    #[error("there is no client `{0}`")]
    Client(String),
}

/// A sample event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample<'a>(Vec<Part<'a>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Token(&'a str),
    Exp,
}

impl<'a> Sample<'a> {
    /// Reads a sample.
    ///
    /// # Errors
    /// If something in double braces is not a placeholder. JSON itself never has two opening braces in a row.
    pub fn parse(text: &'a str) -> Result<Self, SampleError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            parts.push(Part::Text(before));
            let unknown = || SampleError::Placeholder(after.chars().take(40).collect());
            let (name, after) = after.split_once("}}").ok_or_else(unknown)?;
            parts.push(match (name, name.strip_prefix("token:")) {
                (_, Some(client)) => Part::Token(client),
                ("exp", None) => Part::Exp,
                (_, None) => return Err(SampleError::Placeholder(name.to_owned())),
            });
            rest = after;
        }
        parts.push(Part::Text(rest));
        Ok(Self(parts))
    }

    /// The clients whose tokens it asks for.
    pub fn clients(&self) -> BTreeSet<&'a str> {
        let tokens = self.0.iter().filter_map(|part| match part {
            Part::Token(client) => Some(*client),
            Part::Text(_) | Part::Exp => None,
        });
        tokens.collect()
    }

    /// The event: `tokens` by their clients' names, and the end of the caller's token.
    ///
    /// # Errors
    /// If a token is missing.
    pub fn fill(&self, tokens: &BTreeMap<&str, String>, exp: UnixSeconds) -> Result<String, SampleError> {
        let mut event = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => event.push_str(text),
                Part::Token(client) => {
                    let token =
                        tokens.get(client).ok_or_else(|| SampleError::Client((*client).to_owned()))?;
                    event.push_str(token);
                }
                Part::Exp => event.push_str(&exp.to_string()),
            }
        }
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_give_way_to_tokens_and_times() {
        let text = r#"{"a":{"b":"Bearer {{token:shop}}"},"c":"{{exp}}","d":"{{token:shop}}"}"#;
        let sample = Sample::parse(text).unwrap();
        assert_eq!(sample.clients(), BTreeSet::from(["shop"]));
        let tokens = BTreeMap::from([("shop", "x.y.z".to_owned())]);
        let event = sample.fill(&tokens, UnixSeconds(7)).unwrap();
        assert_eq!(event, r#"{"a":{"b":"Bearer x.y.z"},"c":"7","d":"x.y.z"}"#);
        let missing = sample.fill(&BTreeMap::new(), UnixSeconds(7));
        assert_eq!(missing, Err(SampleError::Client("shop".into())));
    }

    #[test]
    fn what_is_no_placeholder_is_named() {
        let cases = [
            (r#"{"a":"{{tokn:shop}}"}"#, "tokn:shop"),
            (r#"{"a":"{{}}"}"#, ""),
            (r#"{"a":"{{exp"}"#, "exp\"}"),
        ];
        for (text, named) in cases {
            assert_eq!(Sample::parse(text), Err(SampleError::Placeholder(named.into())), "{text}");
        }
        assert_eq!(Sample::parse(r#"{"a":{"b":{}}}"#).unwrap().clients(), BTreeSet::new());
    }
}
