//! Owns what an authorizer's policy says of one call: reading the document strictly, and deciding. Where the
//! document comes from and what a decision leads to is left to `authorizer`.

mod glob;

use serde::{Deserialize, Deserializer, de::Error as _};

/// What a resource may be at most; a longer one makes the policy malformed.
// SPEC: Amazon API Gateway, "Output from an API Gateway Lambda authorizer"
const RESOURCE_CHARACTERS: usize = 512;

/// A policy that was read in full: nothing in it is ignored.
///
/// `Condition`, `NotAction`, `NotResource`, `Principal` and any other member that is not evaluated make a document
/// malformed, for to ignore one would widen or narrow what it says.
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
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Document")]
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
            // SPEC: IAM JSON policy elements: actions ignore case, resources do not
            let matches = statement.action.0.iter().any(|pattern| glob::matches(&pattern.0, &action))
                && statement.resource.0.iter().any(|pattern| glob::matches(&pattern.0, resource));
            match statement.effect {
                Effect::Deny if matches => return Decision::ExplicitDeny,
                Effect::Allow if matches => decision = Decision::Allow,
                Effect::Allow | Effect::Deny => {}
            }
        }
        decision
    }
}

impl From<Document> for Policy {
    fn from(document: Document) -> Self {
        Self { statements: document.statement.0 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "Version")]
    _version: Version,
    #[serde(rename = "Id", default)]
    _id: String,
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    Current,
    #[serde(rename = "2008-10-17")]
    Former,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    #[serde(rename = "Sid", default)]
    _sid: String,
    effect: Effect,
    action: OneOrMany<Action>,
    resource: OneOrMany<Resource>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

/// A pattern in lower case.
#[derive(Clone, Debug)]
struct Action(String);

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let action = String::deserialize(deserializer)?;
        if action.chars().count() > RESOURCE_CHARACTERS {
            return Err(D::Error::custom("action is too long"));
        }
        Ok(Self(action.to_ascii_lowercase()))
    }
}

#[derive(Clone, Debug)]
struct Resource(String);

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let resource = String::deserialize(deserializer)?;
        if resource.chars().count() > RESOURCE_CHARACTERS {
            return Err(D::Error::custom("resource is over 512 characters"));
        }
        Ok(Self(resource))
    }
}

/// One thing, or a list of them.
#[derive(Clone, Debug)]
struct OneOrMany<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            One(T),
            Many(Vec<T>),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::One(one) => Self(vec![one]),
            Either::Many(many) => Self(many),
        })
    }
}

#[cfg(test)]
mod tests;
