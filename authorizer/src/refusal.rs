//! `Refusal` and `Fault`: why a token is refused and why nothing could be decided, with their labels.

use access::arn::ArnError;

/// Makes `Refusal` from the one table of refusals.
macro_rules! refusals {
    ($($variant:ident = $label:literal: $check:literal, else $meaning:literal;)+) => {
        /// Why a token is refused. It contains nothing of the token.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Refusal {
            $(#[doc = concat!("Refused because ", $meaning, ".")] $variant,)+
        }

        impl Refusal {
            /// Every refusal, in the order of the checks: the first that fails gives the label.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// The log and metric label, and the type of the error that the function returns. It never changes.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }

            /// What is wrong with the token, in words that follow "because". They may change.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }

            /// What must be true for the check to pass. The words may change.
            pub(crate) const fn check(self) -> &'static str {
                match self {
                    $(Self::$variant => $check,)+
                }
            }
        }
    };
}

// Variant, label, what is checked, and why the token is refused, in the order in which the checks run.
refusals! {
    MissingToken = "missing_token": "there is a token", else "`authorizationToken` is missing or empty";
    TokenTooLarge = "token_too_large": "it has 16 KiB at most", else "it is over 16 KiB; it was not parsed";
    NotBearer = "not_bearer": "the scheme is Bearer", else "the scheme is not `Bearer` (in any casing)";
    MalformedBearer = "malformed_bearer": "one space and one token follow", else "the scheme is not followed by one space and one token of RFC 6750's alphabet";
    NotThreeParts = "not_three_parts": "the token has three parts", else "it does not have three parts; an encrypted token has five";
    MalformedBase64 = "malformed_base64": "each part is canonical base64url", else "a part is not canonical base64url: it has padding, stray bits or other characters";
    MalformedJson = "malformed_json": "the header is a JSON object", else "the header or the payload is not a JSON object, or a number in it is out of range";
    DuplicateMember = "duplicate_member": "the header names no member twice", else "an object in the header or the payload names a member twice";
    Algorithm = "algorithm": "`alg` is RS256", else "`alg` is not exactly `RS256`";
    CriticalHeader = "critical_header": "the header asks for no extension", else "the header has `crit` or `b64`";
    MalformedKeyId = "malformed_key_id": "`kid` can name a key", else "`kid` is not a string of 1 to 256 bytes";
    UnknownIssuer = "unknown_issuer": "`iss` is a trusted issuer", else "`iss` is not exactly that of a configured issuer";
    UnknownKey = "unknown_key": "the issuer has a usable key with that `kid`", else "the issuer has no usable key with this `kid`";
    Signature = "signature": "the signature is valid", else "the signature is not valid for that key";
    TokenUse = "token_use": "`token_use` is access", else "`token_use` is not `access` (Cognito only); an id token, for example";
    MalformedClientId = "malformed_client_id": "the client id is well-formed", else "the client id is missing or malformed";
    ClientNotAllowed = "client_not_allowed": "the client is allowed", else "the client is not in `CLIENT_IDS`";
    MalformedExp = "malformed_exp": "`exp` is a valid time", else "`exp` is missing or not a time from 1970 to 9999";
    Expired = "expired": "the token has not expired", else "the token has expired";
    MalformedNbf = "malformed_nbf": "`nbf`, if present, is a valid time", else "`nbf` is present but not a valid time";
    NotYetValid = "not_yet_valid": "`nbf` is not in the future", else "`nbf` is further in the future than the leeway";
    MalformedIat = "malformed_iat": "`iat`, if present, is a valid time", else "`iat` is present but not a valid time";
    IssuedInFuture = "issued_in_future": "`iat` is not in the future", else "`iat` is further in the future than the leeway";
    Audience = "audience": "`aud` names this API", else "`aud` does not contain `TOKEN_AUDIENCE`";
    SenderConstrained = "sender_constrained": "the token is not bound to a key of its sender", else "`cnf` binds it to a key of its sender, whose proof a TOKEN authorizer cannot see";
    MalformedScope = "malformed_scope": "the scopes are well-formed", else "`scope` is missing, not a string, or not scopes separated by one space";
    MalformedJti = "malformed_jti": "`jti`, if present, is a short string", else "`jti` is present but not a string of at most 256 bytes without control characters";
}

/// Why no decision was possible. It contains nothing of the event.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The event is not what API Gateway sends a TOKEN authorizer.
    #[error("the event is not that of a TOKEN authorizer")]
    Event,
    /// The event names no method ARN, or a malformed one.
    #[error("{0}")]
    MethodArn(#[from] ArnError),
    /// No usable key of the issuer is held, and none can be fetched now.
    #[error("no keys of the issuer to decide with")]
    KeysUnavailable,
    /// A resource of the policy is longer than API Gateway allows.
    #[error("a resource of the policy is longer than 512 characters")]
    ResourceTooLong,
    /// The answer could not be written.
    #[error("the answer could not be written as JSON")]
    Answer(#[source] serde_json::Error),
}

impl Fault {
    /// The log and metric label, and the type of the error that the function returns. It never changes.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::MethodArn(_) => "method_arn",
            Self::KeysUnavailable => "keys_unavailable",
            Self::ResourceTooLong => "resource_too_long",
            Self::Answer(_) => "answer",
        }
    }
}

/// How a decision ends without an answer.
#[derive(Debug)]
pub(crate) enum Rejection {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_pinned() {
        insta::assert_snapshot!(Refusal::ALL.map(Refusal::label).join(" "), @"missing_token token_too_large not_bearer malformed_bearer not_three_parts malformed_base64 malformed_json duplicate_member algorithm critical_header malformed_key_id unknown_issuer unknown_key signature token_use malformed_client_id client_not_allowed malformed_exp expired malformed_nbf not_yet_valid malformed_iat issued_in_future audience sender_constrained malformed_scope malformed_jti");
        let faults = [
            Fault::Event,
            Fault::MethodArn(ArnError::Shape),
            Fault::KeysUnavailable,
            Fault::ResourceTooLong,
            Fault::Answer(serde_json::from_str::<u8>("").unwrap_err()),
        ];
        insta::assert_snapshot!(faults.each_ref().map(Fault::label).join(" "), @"event method_arn keys_unavailable resource_too_long answer");
    }

    #[test]
    fn the_readme_lists_every_label_and_its_meaning() {
        let readme = include_str!("../README.md");
        let (_, table) = readme.split_once("## Refusals").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
        let row = |refusal: Refusal| format!("| `{}` | {} |", refusal.label(), refusal.meaning());
        assert_eq!(rows, Refusal::ALL.map(row));
    }
}
