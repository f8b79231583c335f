//! `Scope`, which a route needs, and `ScopeSet`, which a token holds.

use std::{borrow::Cow, fmt};

/// One scope that a route requires, written `resource-server/name` as in Cognito.
///
/// The resource server binds a token to an API, since Cognito's client-credentials tokens have no `aud`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope<'a>(Cow<'a, str>);

/// Why a string is not a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A byte that RFC 6749 does not allow in a scope, white space included.
    #[error("a scope holds printable ASCII without space, quote or backslash")]
    Character,
    /// Not `resource-server/name`: a slash is missing, or one side of it is empty.
    #[error("a scope reads `resource-server/name`")]
    Shape,
}

impl<'a> Scope<'a> {
    /// Reads one scope.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, ScopeError> {
        let text = text.into();
        if !text.bytes().all(is_scope_byte) {
            return Err(ScopeError::Character);
        }
        let sides = text.split_once('/');
        let is_whole = sides.is_some_and(|(server, name)| !server.is_empty() && !name.is_empty());
        if is_whole { Ok(Self(text)) } else { Err(ScopeError::Shape) }
    }

    /// The scope as a token has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first slash, which names the API that the scope belongs to.
    pub fn resource_server(&self) -> &str {
        self.0.split_once('/').map_or("", |(server, _)| server)
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The scopes that a token holds, borrowed from it.
///
/// It may hold scopes of other APIs too (a user's token holds `openid` and the like). Only an exact match counts:
/// `inventory/readx` is not `inventory/read`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeSet<'a> {
    text: Cow<'a, str>,
}

impl<'a> ScopeSet<'a> {
    /// Reads the `scope` member of a token: scopes separated by one space; an empty string is the empty set.
    // SPEC: RFC 6749 section 3.3
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, ScopeError> {
        let text = text.into();
        if !text.bytes().all(|byte| byte == b' ' || is_scope_byte(byte)) {
            return Err(ScopeError::Character);
        }
        if !text.is_empty() && text.as_bytes().split(|byte| *byte == b' ').any(<[u8]>::is_empty) {
            return Err(ScopeError::Shape);
        }
        Ok(Self { text })
    }

    /// Whether every one of `needed` is held.
    pub fn covers(&self, needed: &[Scope<'_>]) -> bool {
        needed.iter().all(|scope| self.holds(scope))
    }

    /// Whether this one scope is held.
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        self.iter().any(|held| held == scope.as_str())
    }

    /// The scopes in the order in which the token lists them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_ascii_whitespace()
    }

    /// The scopes separated by one space, in their order.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ScopeSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `scope-token` characters: printable ASCII except space, quote and backslash, so neither a header nor JSON has to
/// escape them.
// SPEC: RFC 6749 section 3.3
const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scope_reads_resource_server_slash_name() {
        let cases = [
            ("plain", "inventory/read", Ok("inventory")),
            ("slash in the name", "a/b/c", Ok("a")),
            ("url as resource server", "https://x.example/read", Ok("https:")),
            ("no slash", "openid", Err(ScopeError::Shape)),
            ("no name", "inventory/", Err(ScopeError::Shape)),
            ("no resource server", "/read", Err(ScopeError::Shape)),
            ("empty", "", Err(ScopeError::Shape)),
            ("space", "a/b c/d", Err(ScopeError::Character)),
            ("quote", "a/\"", Err(ScopeError::Character)),
            ("backslash", "a/\\", Err(ScopeError::Character)),
            ("not ASCII", "a/é", Err(ScopeError::Character)),
        ];
        for (name, text, expected) in cases {
            let scope = Scope::parse(text);
            assert_eq!(
                scope.as_ref().map(Scope::resource_server).map_err(|error| *error),
                expected,
                "{name}"
            );
            if let Ok(scope) = scope {
                assert_eq!(scope.to_string(), text, "{name}");
            }
        }
    }

    #[test]
    fn a_set_covers_whole_scopes_only() {
        let read = || Scope::parse("inventory/read").unwrap();
        let write = || Scope::parse("inventory/write").unwrap();
        let cases = [
            ("held", "inventory/read", vec![read()], true),
            ("among others", "x/y inventory/read openid", vec![read()], true),
            ("longer", "inventory/readx", vec![read()], false),
            ("shorter", "inventory/rea", vec![read()], false),
            ("other casing", "Inventory/read", vec![read()], false),
            ("both", "inventory/write inventory/read", vec![read(), write()], true),
            ("one of two", "inventory/read", vec![read(), write()], false),
            ("empty set", "", vec![read()], false),
            ("nothing needed", "", vec![], true),
        ];
        for (name, held, needed, expected) in cases {
            let held = ScopeSet::parse(held).expect(name);
            assert_eq!(held.covers(&needed), expected, "{name}");
        }
    }

    #[test]
    fn a_set_is_spaced_by_one_space() {
        for text in [" ", " a/b", "a/b ", "a/b  c/d"] {
            assert_eq!(ScopeSet::parse(text), Err(ScopeError::Shape), "`{text}`");
        }
        for text in ["a/b\tc/d", "a/b\r\nx: y", "a\"b", "\u{e9}"] {
            assert_eq!(ScopeSet::parse(text), Err(ScopeError::Character), "`{text}`");
        }
    }

    proptest! {
        #[test]
        fn sets_round_trip_and_cover_what_they_list(scopes in prop::collection::vec("[a-z]{1,8}/[a-z.:]{1,8}", 0..20)) {
            let text = scopes.join(" ");
            let set = ScopeSet::parse(text.as_str()).unwrap();
            prop_assert_eq!(set.to_string(), text.clone());
            let needed: Vec<Scope<'_>> = scopes.iter().map(|s| Scope::parse(s).unwrap()).collect();
            prop_assert!(set.covers(&needed));
            prop_assert_eq!(set.iter().count(), scopes.len());
        }
    }
}
