//! An authorizer's policy: reads the document strictly, and decides on a call.

mod glob;

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IntoDeserializer as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value};

use self::glob::Pattern;

/// A policy that was read in full: nothing in it is ignored.
///
/// A condition, `Principal` and any other member that is not evaluated make a document malformed: to ignore one would
/// widen or narrow what it says.
///
/// ```
/// use gateway::rest::policy::{Decision, Policy};
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let policy: Policy = serde_json::from_str(
///     r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*/prod/GET/*"}}"#,
/// )?;
/// assert_eq!(policy.evaluate("execute-api:Invoke", "api/prod/GET/orders"), Decision::Allow);
/// assert_eq!(policy.evaluate("execute-api:Invoke", "api/prod/POST/orders"), Decision::ImplicitDeny);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What a policy says of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// An Allow matches and no Deny does.
    Allow,
    /// A Deny matches, whatever else does.
    ExplicitDeny,
    /// Nothing matches.
    ImplicitDeny,
}

impl Policy {
    /// Decides on `action`, such as `execute-api:Invoke`, on `resource`, a method ARN.
    // INVARIANT: Allow comes only from a statement with effect Allow whose action and resource both match.
    pub fn evaluate(&self, action: &str, resource: &str) -> Decision {
        let action = action.to_ascii_lowercase();
        let mut decision = Decision::ImplicitDeny;
        for statement in &self.statements {
            let matches = statement.actions.matches(&action) && statement.resources.matches(resource);
            match statement.effect {
                Effect::Deny if matches => return Decision::ExplicitDeny,
                Effect::Allow if matches => decision = Decision::Allow,
                Effect::Allow | Effect::Deny => {}
            }
        }
        decision
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let One(Document { version, statement: OneOrMany(statements), .. }) = One::deserialize(deserializer)?;
        let statements = statements.into_iter().map(|statement| Statement::read(statement, version));
        Ok(Self { statements: statements.collect::<Result<_, _>>().map_err(D::Error::custom)? })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    #[serde(default)]
    version: Version,
    #[serde(rename = "Id", default)]
    _id: String,
    statement: OneOrMany<Unread>,
}

/// Where no version is named it is the former one, which knows no policy variables.
// SPEC: IAM JSON policy elements, Version
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    Current,
    #[default]
    #[serde(rename = "2008-10-17")]
    Former,
}

#[derive(Clone, Debug)]
struct Statement {
    effect: Effect,
    actions: Patterns,
    resources: Patterns,
}

/// Patterns of which one must match, or (`NotAction`, `NotResource`) none may.
#[derive(Clone, Debug)]
struct Patterns {
    patterns: Vec<Pattern>,
    is_negated: bool,
}

impl Patterns {
    fn matches(&self, text: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(text)) != self.is_negated
    }

    /// # Errors
    /// If there is neither, or both.
    fn one_of(
        wanted: Option<OneOrMany<String>>,
        unwanted: Option<OneOrMany<String>>,
        read: impl Fn(&str) -> Result<Pattern, &'static str>,
    ) -> Result<Self, &'static str> {
        let (OneOrMany(texts), is_negated) = match (wanted, unwanted) {
            (Some(wanted), None) => (wanted, false),
            (None, Some(unwanted)) => (unwanted, true),
            (None, None) => return Err("a statement needs an action and a resource"),
            (Some(_), Some(_)) => return Err("a statement has an element and its opposite"),
        };
        let patterns = texts.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
        Ok(Self { patterns, is_negated })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Unread {
    #[serde(rename = "Sid", default)]
    _sid: String,
    effect: Effect,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    /// An empty one is none; any other asks for what is not known here.
    #[serde(default)]
    condition: Map<String, Value>,
}

impl Statement {
    fn read(unread: Unread, version: Version) -> Result<Self, &'static str> {
        if !unread.condition.is_empty() {
            return Err("a condition is not evaluated");
        }
        // SPEC: IAM JSON policy elements: actions ignore case, resources do not
        let pattern = |text: &str| Pattern::parse(text, version == Version::Current);
        let action = |text: &str| pattern(&text.to_ascii_lowercase());
        Ok(Self {
            effect: unread.effect,
            actions: Patterns::one_of(unread.action, unread.not_action, action)?,
            resources: Patterns::one_of(unread.resource, unread.not_resource, pattern)?,
        })
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

/// A string or an object. serde by itself fills a struct from a list, too.
struct One<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneVisitor(PhantomData)).map(Self)
    }
}

struct OneVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or an object")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(text.into_deserializer())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// One string or object, or a list of them.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData)).map(Self)
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, an object, or a list of them")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        OneVisitor(PhantomData).visit_str(text).map(|one| vec![one])
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        OneVisitor(PhantomData).visit_map(map).map(|one| vec![one])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(One(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests;
