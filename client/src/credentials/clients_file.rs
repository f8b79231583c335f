//! One client of a clients file, as `local` writes it.

use std::{
    collections::BTreeMap,
    fs::{File, Metadata},
    io::{ErrorKind, Read},
    path::PathBuf,
};

use secrecy::SecretString;
use serde::Deserialize;

use super::{Credentials, CredentialsSource, Reading};
use crate::url::ServiceUrl;

/// Far more than any list of clients; a larger file is not a clients file.
const MAX_BYTES: u64 = 1 << 20;

/// One client of a clients file,
/// `{"order-service":{"client_id":"…","client_secret":"…","scopes":["…"]},…}`, read again each time.
#[derive(Clone, Debug)]
pub struct ClientsFile {
    /// The file's path. Nobody but its owner may have access to it.
    pub path: PathBuf,
    /// The client's name in the file; may be omitted if there is only one.
    pub client: Option<String>,
    /// Where its tokens come from.
    pub token_url: ServiceUrl,
    /// The API to call.
    pub api_url: Option<ServiceUrl>,
}

/// Why a clients file yields no credentials. Contains names and paths, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientsFileError {
    /// It cannot be opened or read.
    #[error("the clients file `{}` cannot be read: {kind}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        kind: ErrorKind,
    },
    /// Others than its owner may read or change it.
    #[error("the clients file `{0}` is open to others than its owner; `chmod 600 {0}`", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// It is not a JSON object of clients.
    #[error("`{}` is not a JSON object of clients", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// It has several clients, and none is named.
    #[error("`{}` has several clients, name one: {}", path.display(), clients.join(", "))]
    Unnamed {
        /// The file.
        path: PathBuf,
        /// Its clients.
        clients: Vec<String>,
    },
    /// It has no client of this name.
    #[error("no client `{client}` in `{}`; it has {}", path.display(), clients.join(", "))]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The name.
        client: String,
        /// Its clients.
        clients: Vec<String>,
    },
}

impl ClientsFile {
    fn credentials(&self) -> Result<Credentials, ClientsFileError> {
        let Entry { client_id, client_secret, .. } = self.entry()?;
        let client_secret = SecretString::from(client_secret);
        let (token_url, api_url) = (self.token_url.clone(), self.api_url.clone());
        Ok(Credentials { client_id, client_secret, token_url, api_url })
    }

    /// The scopes that the client holds, if the file says so.
    #[cfg(feature = "cli")]
    pub(crate) fn scopes(&self) -> Result<Option<Vec<String>>, ClientsFileError> {
        Ok(self.entry()?.scopes)
    }

    fn entry(&self) -> Result<Entry, ClientsFileError> {
        let path = || self.path.clone();
        let mut clients = self.clients()?;
        let names = |clients: BTreeMap<String, Entry>| clients.into_keys().collect();
        match &self.client {
            Some(name) => clients.remove(name).ok_or_else(|| ClientsFileError::Unknown {
                path: path(),
                client: name.clone(),
                clients: names(clients),
            }),
            None if clients.len() > 1 => {
                Err(ClientsFileError::Unnamed { path: path(), clients: names(clients) })
            }
            None => {
                let only = clients.pop_first().map(|(_, entry)| entry);
                only.ok_or_else(|| ClientsFileError::Malformed { path: path() })
            }
        }
    }

    fn clients(&self) -> Result<BTreeMap<String, Entry>, ClientsFileError> {
        let path = || self.path.clone();
        let unreadable =
            |error: std::io::Error| ClientsFileError::Unreadable { path: path(), kind: error.kind() };
        let mut file = File::open(&self.path).map_err(unreadable)?;
        if !is_private(&file.metadata().map_err(unreadable)?) {
            return Err(ClientsFileError::NotPrivate { path: path() });
        }
        let mut text = Vec::new();
        file.by_ref().take(MAX_BYTES).read_to_end(&mut text).map_err(unreadable)?;
        // The parser's own message may repeat a value.
        serde_json::from_slice(&text).map_err(|_| ClientsFileError::Malformed { path: path() })
    }
}

impl CredentialsSource for ClientsFile {
    fn read(&self) -> Reading<'_> {
        // The file is small and local: reading it here takes less time than handing it to another thread.
        Box::pin(std::future::ready(self.credentials().map_err(Into::into)))
    }
}

/// One client.
#[derive(Deserialize)]
struct Entry {
    client_id: String,
    client_secret: String,
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "read by the commands alone"))]
    scopes: Option<Vec<String>>,
}

/// Whether only the owner has access to the file. Whoever can read it knows the secrets, and whoever can change it decides
/// where they are sent; nobody reads a warning in a script. So the file is refused, as ssh refuses such keys.
fn is_private(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    let is_private = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()).trailing_zeros() >= 6;
    // Elsewhere a file has no permission bits.
    #[cfg(not(unix))]
    let is_private = metadata.is_file();
    is_private
}
