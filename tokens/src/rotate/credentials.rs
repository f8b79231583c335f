//! The value of a version: the credentials of a client as a JSON object.

use std::{collections::BTreeMap, fmt};

use aws_lc_rs::rand;
use client::ServiceUrl;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::RotateError;

/// 32 characters, so that five bits of a byte choose one without preferring any. None of them
/// changes under the encodings that OAuth libraries use or leave out.
// SPEC: Amazon Cognito, ClientSecretType: 24 to 64 letters, digits, `_` and `+`
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 260 bits.
const CHARACTERS: usize = 52;

/// The members of a version's value. Members that we don't know are kept.
#[derive(Clone)]
pub(super) struct Credentials(Map<String, Value>);

impl Credentials {
    /// Reads a value. A secret that has none yet is an empty object.
    pub(super) fn parse(version: &str, value: &SecretString) -> Result<Self, RotateError> {
        let parsed = serde_json::from_str(value.expose_secret());
        // The parser's own message may repeat a value.
        parsed
            .map(Self)
            .map_err(|_| RotateError::Value { version: version.to_owned(), fault: "is not a JSON object" })
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn client_id(&self) -> Option<&str> {
        self.member("client_id")
    }

    fn secret(&self) -> Option<SecretString> {
        self.member("client_secret").map(Into::into)
    }

    /// The secret, if the value has one and it is this client's: a client that was replaced has another id.
    pub(super) fn secret_of(&self, client_id: &str) -> Option<SecretString> {
        self.secret().filter(|_| self.client_id() == Some(client_id))
    }

    /// Returns both, of a version that must have them.
    pub(super) fn complete(&self, version: &str) -> Result<(&str, SecretString), RotateError> {
        let fault = "has no `client_id` or no `client_secret`";
        let incomplete = || RotateError::Value { version: version.to_owned(), fault };
        Ok((self.client_id().ok_or_else(incomplete)?, self.secret().ok_or_else(incomplete)?))
    }

    /// Returns the value with this client and secret, and with the addresses from the secret's tags.
    pub(super) fn with(
        &self,
        client_id: &str,
        secret: &SecretString,
        token_url: &ServiceUrl,
        tags: &BTreeMap<String, String>,
    ) -> SecretString {
        let mut members = self.0.clone();
        let mut set = |name: &str, value: &str| members.insert(name.to_owned(), value.into());
        set("client_id", client_id);
        set("client_secret", secret.expose_secret());
        for name in ["token_url", "api_url"] {
            if let Some(url) = tags.get(name) {
                set(name, url);
            }
        }
        members.entry("token_url").or_insert_with(|| token_url.to_string().into());
        Value::Object(members).to_string().into()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id()).finish_non_exhaustive()
    }
}

/// Generates a client secret.
///
/// # Errors
/// If the system gives no random bytes.
pub fn generate() -> Result<SecretString, RotateError> {
    let mut bytes = [0; CHARACTERS];
    rand::fill(&mut bytes).map_err(|_| RotateError::Random)?;
    let characters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
    Ok(characters.map(|character| char::from(*character)).collect::<String>().into())
}
