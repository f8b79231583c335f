//! `TokenRequest`: a client-credentials request as RFC 6749 defines it, with credentials in the header or in the
//! body.

use gateway::http::Request;
use secrecy::SecretString;
use tokens::form;

use super::KeyError;

/// A token request is a few hundred bytes; with every scope a client can have, still below this.
const BODY_BYTES: usize = 16 * 1024;

/// Why no token is given out, in the words of RFC 6749 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Not a token request, or one that says a thing twice.
    #[error("invalid_request")]
    InvalidRequest,
    /// No such client, or not its secret.
    #[error("invalid_client")]
    InvalidClient,
    /// Another grant than client credentials.
    #[error("unsupported_grant_type")]
    UnsupportedGrantType,
    /// A scope that is not the client's.
    #[error("invalid_scope")]
    InvalidScope,
}

/// Why no token is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// The client is not to have it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

/// What a client asks for.
#[derive(Debug)]
pub(super) struct TokenRequest {
    pub(super) credentials: Credentials,
    pub(super) grant_type: String,
    /// Empty where none were named.
    pub(super) scopes: Vec<String>,
}

impl TokenRequest {
    pub(super) fn parse(request: &Request) -> Result<Self, Refusal> {
        let mut types = request.headers.all("content-type");
        let is_form = types.next().is_some_and(form::is_form) && types.next().is_none();
        if request.body.len() > BODY_BYTES || !is_form {
            return Err(Refusal::InvalidRequest);
        }
        let form = str::from_utf8(&request.body).ok().and_then(form::parse);
        let mut form = form.ok_or(Refusal::InvalidRequest)?;
        let credentials =
            Credentials::parse(request, form.remove("client_id"), form.remove("client_secret"))?;
        let grant_type = form.remove("grant_type").ok_or(Refusal::InvalidRequest)?;
        let scopes = form.remove("scope").unwrap_or_default();
        let scopes = scopes.split(' ').filter(|scope| !scope.is_empty()).map(ToOwned::to_owned).collect();
        Ok(Self { credentials, grant_type, scopes })
    }
}

impl Credentials {
    /// Reads the credentials from the one place where they are. A client id in the body beside the header's is no
    /// second way to authenticate as long as it is the same: Cognito's own examples send it.
    // SPEC: RFC 6749 section 2.3: one way to authenticate in each request
    fn parse(request: &Request, id: Option<String>, secret: Option<String>) -> Result<Self, Refusal> {
        let has_header = request.headers.first("authorization").is_some();
        match (has_header, id, secret) {
            (true, id, None) => {
                let credentials = Self::from_header(request)?;
                if id.is_some_and(|id| id != credentials.client_id) {
                    return Err(Refusal::InvalidRequest);
                }
                Ok(credentials)
            }
            (false, Some(client_id), Some(secret)) => Ok(Self { client_id, client_secret: secret.into() }),
            (false, Some(_), None) => Err(Refusal::InvalidClient),
            (true, _, Some(_)) | (false, None, _) => Err(Refusal::InvalidRequest),
        }
    }

    /// Reads the credentials from the one Authorization header.
    pub(super) fn from_header(request: &Request) -> Result<Self, Refusal> {
        let mut headers = request.headers.all("authorization");
        match (headers.next(), headers.next()) {
            (Some(header), None) => {
                let (client_id, secret) = form::basic(header).ok_or(Refusal::InvalidClient)?;
                Ok(Self { client_id, client_secret: secret.into() })
            }
            (None, _) => Err(Refusal::InvalidClient),
            (Some(_), Some(_)) => Err(Refusal::InvalidRequest),
        }
    }
}
