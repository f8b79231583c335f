//! Owns `Refusal` and `Fault`, why a call is turned away and why nothing could be decided, and their labels.
//! Writing them to the log and turning them into an answer is left to `handler.rs`.

use access::arn::ArnError;

/// Why a token is refused. Nothing of the token is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// No `authorizationToken`, or an empty one.
    MissingToken,
    /// A token over 16 KiB.
    TokenTooLarge,
    /// Another scheme than `Bearer`, or none.
    NotBearer,
    /// `Bearer` without one space and one token of its alphabet behind it.
    MalformedBearer,
    /// Not three parts with two dots between them; an encrypted token has five.
    NotThreeParts,
    /// A part is not unpadded, canonical base64url.
    MalformedBase64,
    /// The header or the payload is not a JSON object.
    MalformedJson,
    /// An object of the header or the payload names a member twice.
    DuplicateMember,
    /// `alg` is not `RS256`.
    Algorithm,
    /// The header has `crit` or `b64`.
    CriticalHeader,
    /// No `kid`, or none that a key could have.
    MalformedKeyId,
    /// `iss` is no issuer of ours.
    UnknownIssuer,
    /// The issuer has no usable key with this `kid`.
    UnknownKey,
    /// The signature is not the key's.
    Signature,
    /// `token_use` is not `access`.
    TokenUse,
    /// No client id, or a malformed one.
    MalformedClientId,
    /// The client is not on the allow-list.
    ClientNotAllowed,
    /// `exp` is missing, or no time.
    MalformedExp,
    /// `exp` has come.
    Expired,
    /// `nbf` is no time.
    MalformedNbf,
    /// `nbf` has not come.
    NotYetValid,
    /// `iat` is no time.
    MalformedIat,
    /// `iat` has not come.
    IssuedInFuture,
    /// `aud` does not name this API.
    Audience,
    /// The scopes are missing, or not of the form that they must have.
    MalformedScope,
    /// `jti` is no short text.
    MalformedJti,
}

impl Refusal {
    /// Every refusal, in the order of the checks: the first that fails gives the label.
    pub const ALL: [Self; 26] = [
        Self::MissingToken,
        Self::TokenTooLarge,
        Self::NotBearer,
        Self::MalformedBearer,
        Self::NotThreeParts,
        Self::MalformedBase64,
        Self::MalformedJson,
        Self::DuplicateMember,
        Self::Algorithm,
        Self::CriticalHeader,
        Self::MalformedKeyId,
        Self::UnknownIssuer,
        Self::UnknownKey,
        Self::Signature,
        Self::TokenUse,
        Self::MalformedClientId,
        Self::ClientNotAllowed,
        Self::MalformedExp,
        Self::Expired,
        Self::MalformedNbf,
        Self::NotYetValid,
        Self::MalformedIat,
        Self::IssuedInFuture,
        Self::Audience,
        Self::MalformedScope,
        Self::MalformedJti,
    ];

    /// The log and metric label, and the type of the error that the function returns. It never changes.
    pub const fn label(self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::TokenTooLarge => "token_too_large",
            Self::NotBearer => "not_bearer",
            Self::MalformedBearer => "malformed_bearer",
            Self::NotThreeParts => "not_three_parts",
            Self::MalformedBase64 => "malformed_base64",
            Self::MalformedJson => "malformed_json",
            Self::DuplicateMember => "duplicate_member",
            Self::Algorithm => "algorithm",
            Self::CriticalHeader => "critical_header",
            Self::MalformedKeyId => "malformed_key_id",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::TokenUse => "token_use",
            Self::MalformedClientId => "malformed_client_id",
            Self::ClientNotAllowed => "client_not_allowed",
            Self::MalformedExp => "malformed_exp",
            Self::Expired => "expired",
            Self::MalformedNbf => "malformed_nbf",
            Self::NotYetValid => "not_yet_valid",
            Self::MalformedIat => "malformed_iat",
            Self::IssuedInFuture => "issued_in_future",
            Self::Audience => "audience",
            Self::MalformedScope => "malformed_scope",
            Self::MalformedJti => "malformed_jti",
        }
    }

    /// What the token did wrong, in a few words that follow "because". They may change.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::MissingToken => "there is none, or an empty one",
            Self::TokenTooLarge => "it is over 16 KiB; nothing of it was read",
            Self::NotBearer => "the scheme is not `Bearer` (in any casing)",
            Self::MalformedBearer => {
                "behind the scheme there is not one space and one token of RFC 6750's alphabet"
            }
            Self::NotThreeParts => "it has not three parts; an encrypted token has five",
            Self::MalformedBase64 => {
                "a part is not canonical base64url: padding, stray bits, other characters"
            }
            Self::MalformedJson => {
                "the header or the payload is not a JSON object, or a number in it is out of range"
            }
            Self::DuplicateMember => "an object, nested ones included, names a member twice",
            Self::Algorithm => "`alg` is not `RS256` to the letter",
            Self::CriticalHeader => "the header has `crit` or `b64`",
            Self::MalformedKeyId => "`kid` is not a text of 1 to 256 bytes",
            Self::UnknownIssuer => "`iss` is not, to the letter, that of a configured issuer",
            Self::UnknownKey => "the issuer has no usable key with this `kid`",
            Self::Signature => "the signature does not hold",
            Self::TokenUse => "`token_use` is not `access` (Cognito only): an id token, for one",
            Self::MalformedClientId => "there is no client id, or a malformed one",
            Self::ClientNotAllowed => "the client is not in `CLIENT_IDS`",
            Self::MalformedExp => "`exp` is missing, or no number from 0 to the year 9999",
            Self::Expired => "`exp` has come",
            Self::MalformedNbf => "`nbf` is there and no such number",
            Self::NotYetValid => "`nbf` lies further in the future than the leeway",
            Self::MalformedIat => "`iat` is there and no such number",
            Self::IssuedInFuture => "`iat` lies further in the future than the leeway",
            Self::Audience => "`aud` does not contain `TOKEN_AUDIENCE`",
            Self::MalformedScope => {
                "`scope` is missing, is not a text, or is not scopes with one space between them"
            }
            Self::MalformedJti => {
                "`jti` is there and not a text of at most 256 bytes without control characters"
            }
        }
    }
}

/// Why nothing could be decided. Nothing of the event is in it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The event is not what API Gateway sends a TOKEN authorizer.
    #[error("the event is not that of a TOKEN authorizer")]
    Event,
    /// The event names no method ARN, or a malformed one.
    #[error("{0}")]
    MethodArn(#[from] ArnError),
    /// No key of the issuer is at hand, and none can be fetched now.
    #[error("no keys of the issuer are at hand")]
    KeysUnavailable,
    /// A resource of the policy is longer than API Gateway takes.
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

/// The two ways in which a decision ends early.
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
        insta::assert_snapshot!(Refusal::ALL.map(Refusal::label).join(" "), @"missing_token token_too_large not_bearer malformed_bearer not_three_parts malformed_base64 malformed_json duplicate_member algorithm critical_header malformed_key_id unknown_issuer unknown_key signature token_use malformed_client_id client_not_allowed malformed_exp expired malformed_nbf not_yet_valid malformed_iat issued_in_future audience malformed_scope malformed_jti");
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
    fn every_refusal_is_listed_once_in_the_order_of_the_checks() {
        assert!(Refusal::ALL.is_sorted_by(|a, b| a < b));
        assert_eq!(
            Refusal::ALL.len(),
            Refusal::MalformedJti as usize + 1,
            "`MalformedJti` is the last variant"
        );
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
