//! Owns the clients file of a laptop: which clients it holds, and who else may read it.

use std::{
    collections::BTreeMap,
    fs::{File, Metadata},
    io::Read,
    path::PathBuf,
};

use secrecy::SecretString;
use serde::Deserialize;

use super::{Credentials, CredentialsError, CredentialsSource, Reading};
use crate::url::ServiceUrl;

/// Far more than any list of clients; a file beyond it is another file.
const MAX_BYTES: u64 = 1 << 20;

/// One client of a clients file,
/// `{"order-service":{"client_id":"…","client_secret":"…","scopes":["…"]},…}`, read again each time.
#[derive(Clone, Debug)]
pub struct ClientsFile {
    /// Where the file is. Nobody but its owner may be allowed to read it.
    pub path: PathBuf,
    /// The client's name in it; may be left out where there is only one.
    pub client: Option<String>,
    /// Where its tokens come from.
    pub token_url: ServiceUrl,
    /// The API to call.
    pub api_url: Option<ServiceUrl>,
}

impl ClientsFile {
    fn credentials(&self) -> Result<Credentials, String> {
        let mut file = File::open(&self.path).map_err(|error| error.kind().to_string())?;
        let metadata = file.metadata().map_err(|error| error.kind().to_string())?;
        if !is_private(&metadata) {
            return Err("others may read it too; `chmod 600` it".to_owned());
        }
        let mut text = String::new();
        // The parser's and the reader's own messages may repeat a value.
        file.by_ref().take(MAX_BYTES).read_to_string(&mut text).map_err(|_| "it is not a text".to_owned())?;
        let mut clients: BTreeMap<String, Entry> =
            serde_json::from_str(&text).map_err(|_| "it is not a JSON object of clients".to_owned())?;
        let entry = match &self.client {
            Some(name) => clients.remove(name),
            None if clients.len() == 1 => clients.pop_first().map(|(_, entry)| entry),
            None => None,
        };
        let Some(Entry { client_id, client_secret }) = entry else {
            let names: Vec<String> = clients.into_keys().collect();
            return Err(format!("name one of its clients: {}", names.join(", ")));
        };
        let client_secret = SecretString::from(client_secret);
        let (token_url, api_url) = (self.token_url.clone(), self.api_url.clone());
        Ok(Credentials { client_id, client_secret, token_url, api_url })
    }
}

impl CredentialsSource for ClientsFile {
    fn read(&self) -> Reading<'_> {
        // A small local file: reading it here is shorter than handing it to another thread.
        let credentials = self.credentials();
        let path = || self.path.clone();
        let credentials =
            credentials.map_err(|reason| CredentialsError::ClientsFile { path: path(), reason });
        Box::pin(std::future::ready(credentials))
    }
}

/// One client; the scopes beside it are for people.
#[derive(Deserialize)]
struct Entry {
    client_id: String,
    client_secret: String,
}

/// Whether only the owner may read the file. A secret that others have been able to read is no secret, and a
/// warning in a script goes unread, so such a file is refused, as ssh does with its keys.
#[cfg(unix)]
fn is_private(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o044 == 0
}

#[cfg(not(unix))]
fn is_private(_: &Metadata) -> bool {
    true
}
