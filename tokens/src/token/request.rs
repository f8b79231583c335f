//! Parses a client-credentials request (RFC 6749): a form, with the credentials in the header or in the body.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::form;

/// A request is a few hundred bytes.
const MAX_BODY: usize = 4096;
/// A Cognito client has 50 scopes at most.
const MAX_SCOPES: usize = 50;
/// The longest id that Cognito has. It is part of an item's key and of a log line.
const MAX_CLIENT_ID: usize = 128;
/// Far more than the 64 characters that a secret of Cognito's can have.
const MAX_SECRET: usize = 1024;

/// An event of API Gateway's proxy integration, as far as it is read. It has no Debug because it holds secrets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    headers: Option<HashMap<String, String>>,
    multi_value_headers: Option<HashMap<String, Vec<String>>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    pub(super) request_context: Context,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context {
    pub(super) request_id: Option<String>,
}

/// A request for a token.
pub(crate) struct TokenRequest {
    pub(crate) client_id: String,
    pub(crate) secret: SecretString,
    /// The Authorization header as received; `None` if the credentials are in the body.
    pub(crate) header: Option<SecretString>,
    /// Sorted, without repetitions, separated by spaces; empty for all of the client's.
    pub(crate) scopes: String,
    /// Data for Cognito's pre-token trigger, which may put it into the token: such a token is not shared.
    pub(crate) metadata: Option<String>,
}

/// What is wrong with a request, in the words of RFC 6749 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Not a form, a repeated parameter, credentials in two places or in none.
    InvalidRequest,
    /// Credentials that cannot be a client's.
    InvalidClient,
    /// More scopes than a client can have.
    InvalidScope,
    /// Another grant.
    UnsupportedGrantType,
}

impl Malformed {
    /// The error code, and the label of log lines.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

impl TokenRequest {
    /// Parses an event. Makes no calls.
    pub(super) fn parse(event: &Event) -> Result<Self, Malformed> {
        if one(event, "content-type")?.is_none_or(|value| !form::is_form(value)) {
            return Err(Malformed::InvalidRequest);
        }
        let mut form = form::parse(&body(event)?).ok_or(Malformed::InvalidRequest)?;
        let in_body = (form.remove("client_id"), form.remove("client_secret"));
        let (client_id, secret, header) = match (one(event, "authorization")?, in_body) {
            (Some(header), (id, None)) => {
                let (client_id, secret) = form::basic(header).ok_or(Malformed::InvalidClient)?;
                // The same id in the body does not count as a second authentication: Cognito's own examples send it.
                if id.is_some_and(|id| id != client_id) {
                    return Err(Malformed::InvalidRequest);
                }
                (client_id, secret, Some(header.into()))
            }
            (None, (Some(client_id), Some(secret))) => (client_id, secret, None),
            (None, (Some(_), None)) => return Err(Malformed::InvalidClient),
            // SPEC: RFC 6749 section 2.3: one way to authenticate in each request
            (Some(_), (_, Some(_))) | (None, (None, _)) => return Err(Malformed::InvalidRequest),
        };
        if !is_client_id(&client_id) || !(1..=MAX_SECRET).contains(&secret.len()) {
            return Err(Malformed::InvalidClient);
        }
        match form.remove("grant_type").as_deref() {
            Some("client_credentials") => {}
            Some(_) => return Err(Malformed::UnsupportedGrantType),
            None => return Err(Malformed::InvalidRequest),
        }
        let scopes = scopes(form.get("scope").map_or("", String::as_str))?;
        let metadata = form.remove("aws_client_metadata");
        Ok(Self { client_id, secret: secret.into(), header, scopes, metadata })
    }

    /// A request for all scopes of a client, with this Authorization header.
    pub(crate) fn basic(client_id: &str, secret: &SecretString, header: SecretString) -> Self {
        Self {
            client_id: client_id.to_owned(),
            secret: secret.clone(),
            header: Some(header),
            scopes: String::new(),
            metadata: None,
        }
    }

    /// The secret, for the lines that derive keys from it or send it.
    pub(super) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// The one value of a header; two are refused.
fn one<'e>(event: &'e Event, name: &str) -> Result<Option<&'e str>, Malformed> {
    let all = event.multi_value_headers.iter().flatten();
    let mut values: Vec<&str> = all
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .flat_map(|(_, values)| values.iter().map(String::as_str))
        .collect();
    if values.is_empty() {
        let last = event.headers.iter().flatten().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.extend(last.map(|(_, value)| value.as_str()));
    }
    match values.as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(Malformed::InvalidRequest),
    }
}

fn body(event: &Event) -> Result<String, Malformed> {
    let body = event.body.as_deref().unwrap_or_default();
    // Base64 is a third longer than what it stands for.
    if body.len() > MAX_BODY.div_ceil(3) * 4 {
        return Err(Malformed::InvalidRequest);
    }
    let bytes = if event.is_base64_encoded {
        BASE64_STANDARD.decode(body).map_err(|_| Malformed::InvalidRequest)?
    } else {
        body.as_bytes().to_vec()
    };
    if bytes.len() > MAX_BODY {
        return Err(Malformed::InvalidRequest);
    }
    String::from_utf8(bytes).map_err(|_| Malformed::InvalidRequest)
}

fn is_client_id(id: &str) -> bool {
    (1..=MAX_CLIENT_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The scopes as a set: sorted, each once.
fn scopes(text: &str) -> Result<String, Malformed> {
    let scopes: BTreeSet<&str> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
    // SPEC: RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    let is_scope =
        |scope: &&str| scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if scopes.len() > MAX_SCOPES || !scopes.iter().all(is_scope) {
        return Err(Malformed::InvalidScope);
    }
    Ok(scopes.into_iter().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests;
