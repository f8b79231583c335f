//! `Caller`: who calls. The authorizer returns it as its context, and a function reads it from `requestContext.authorizer`.

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use crate::{scope::ScopeSet, time::UnixSeconds};

// The four members of the context map. API Gateway carries flat strings and numbers only, and hands a function
// every value as a string.
const CLIENT_ID: &str = "client_id";
const SCOPE: &str = "scope";
const EXP: &str = "exp";
const JTI: &str = "jti";

/// The caller, as a verified token names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The app client.
    pub client_id: ClientId<'a>,
    /// The scopes that it holds.
    pub scopes: ScopeSet<'a>,
    /// When the token expires. A cached Allow can outlive it, so functions check again.
    pub expires_at: UnixSeconds,
    /// The token's own id, if it has one.
    pub jti: Option<Cow<'a, str>>,
}

/// Why `requestContext.authorizer` does not name a caller: which member is missing or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request context has no valid `{0}`")]
pub struct ContextError(pub &'static str);

impl Caller<'static> {
    /// Rebuilds the caller from the context map; `member` looks up a value.
    ///
    /// # Errors
    /// The first member that is missing or malformed. Only `jti` is optional.
    pub fn from_context<'m>(member: impl Fn(&str) -> Option<&'m Value>) -> Result<Self, ContextError> {
        let text = |name: &'static str| member(name).and_then(Value::as_str).ok_or(ContextError(name));
        let client_id = ClientId::parse(text(CLIENT_ID)?.to_owned()).map_err(|_| ContextError(CLIENT_ID))?;
        let scopes = ScopeSet::parse(text(SCOPE)?.to_owned()).map_err(|_| ContextError(SCOPE))?;
        let exp = match member(EXP) {
            Some(Value::String(digits)) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        let expires_at = UnixSeconds(exp.ok_or(ContextError(EXP))?);
        let jti = match member(JTI) {
            None => None,
            Some(value) => Some(Cow::Owned(value.as_str().ok_or(ContextError(JTI))?.to_owned())),
        };
        Ok(Self { client_id, scopes, expires_at, jti })
    }
}

impl Caller<'_> {
    /// Whether the token has expired, which it has at `exp`.
    // SPEC: RFC 7519 section 4.1.4
    pub fn is_expired(&self, now: UnixSeconds) -> bool {
        self.expires_at <= now
    }
}

/// The context map that the authorizer returns.
impl Serialize for Caller<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(CLIENT_ID, self.client_id.as_str())?;
        map.serialize_entry(SCOPE, self.scopes.as_str())?;
        map.serialize_entry(EXP, &self.expires_at)?;
        if let Some(jti) = &self.jti {
            map.serialize_entry(JTI, jti)?;
        }
        map.end()
    }
}

/// The id of an app client: 1 to 128 letters, digits and `_ + . @ ~ -`.
///
/// Cognito's ids have letters, digits, `_` and `+`; other issuers use the rest. No character has a meaning in an ARN, a
/// policy, a header or a log line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId<'a>(Cow<'a, str>);

/// A string that is not a client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client id is 1 to 128 letters, digits and `_+.@~-`")]
pub struct ClientIdError;

impl<'a> ClientId<'a> {
    /// Reads a client id.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, ClientIdError> {
        let text = text.into();
        let is_id = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+.@~-".contains(&b));
        if is_id { Ok(Self(text)) } else { Err(ClientIdError) }
    }

    /// The id as the token has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn caller() -> Caller<'static> {
        Caller {
            client_id: ClientId::parse("3n4b5urk1ft4fl3mg5e62d9ado").unwrap(),
            scopes: ScopeSet::parse("inventory/read orders/read").unwrap(),
            expires_at: UnixSeconds(1_700_000_000),
            jti: Some("dc5ca8ea".into()),
        }
    }

    /// What API Gateway does to the map: every value becomes a string.
    fn as_strings(context: &Value) -> Map<String, Value> {
        let string = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        context.as_object().unwrap().iter().map(|(k, v)| (k.clone(), Value::String(string(v)))).collect()
    }

    #[test]
    fn a_caller_survives_the_way_through_api_gateway() {
        for caller in [caller(), Caller { jti: None, ..caller() }] {
            let written = serde_json::to_value(&caller).unwrap();
            assert!(written.as_object().unwrap().values().all(|v| v.is_string() || v.is_number()));
            let read = as_strings(&written);
            assert_eq!(Caller::from_context(|name| read.get(name)).as_ref(), Ok(&caller));
            assert_eq!(Caller::from_context(|name| written.get(name)), Ok(caller));
        }
    }

    #[test]
    fn a_member_missing_or_malformed_is_named() {
        let cases = [
            ("no client_id", CLIENT_ID, Value::Null, CLIENT_ID),
            ("client_id with a quote", CLIENT_ID, json!("a\"b"), CLIENT_ID),
            ("client_id a number", CLIENT_ID, json!(7), CLIENT_ID),
            ("no scope", SCOPE, Value::Null, SCOPE),
            ("scope a list", SCOPE, json!(["a/b"]), SCOPE),
            ("scope with a line break", SCOPE, json!("a/b\nc/d"), SCOPE),
            ("no exp", EXP, Value::Null, EXP),
            ("exp negative", EXP, json!("-1"), EXP),
            ("exp signed", EXP, json!("+1"), EXP),
            ("exp a fraction", EXP, json!(1.5), EXP),
            ("exp too large", EXP, json!("18446744073709551616"), EXP),
            ("exp empty", EXP, json!(""), EXP),
            ("jti a number", JTI, json!(7), JTI),
        ];
        for (name, member, value, expected) in cases {
            let mut context = as_strings(&serde_json::to_value(caller()).unwrap());
            context.remove(member);
            if !value.is_null() {
                context.insert(member.to_owned(), value);
            }
            assert_eq!(Caller::from_context(|m| context.get(m)), Err(ContextError(expected)), "{name}");
        }
    }

    #[test]
    fn a_token_is_over_at_exp() {
        let caller = caller();
        assert!(!caller.is_expired(UnixSeconds(1_699_999_999)));
        assert!(caller.is_expired(UnixSeconds(1_700_000_000)));
    }

    #[test]
    fn client_ids_hold_nothing_that_means_something_elsewhere() {
        for good in ["a", "3n4b5urk1ft4fl3mg5e62d9ado", "order-service", "x_+.@~-9", &"a".repeat(128)] {
            let id = ClientId::parse(good).unwrap();
            assert_eq!((id.as_str(), id.to_string().as_str()), (good, good));
        }
        for bad in
            ["", "a b", "a\"", "a'", "a:b", "a/b", "a*", "a?", "a,b", "a\nb", "é", "${x}", &"a".repeat(129)]
        {
            assert_eq!(ClientId::parse(bad), Err(ClientIdError), "`{bad}`");
        }
    }
}
