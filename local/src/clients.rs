//! The clients file: the credentials of every client of a running system, by the client's name, readable by its owner
//! alone.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::replace;

/// The clients of a stack by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clients(pub BTreeMap<String, Client>);

/// What a client needs to get a token.
#[derive(Clone, Serialize, Deserialize)]
pub struct Client {
    /// The id.
    pub client_id: String,
    /// The secret.
    #[serde(serialize_with = "expose", deserialize_with = "conceal")]
    pub client_secret: SecretString,
    /// All scopes that it may ask for.
    pub scopes: Vec<String>,
}

/// The clients file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// The file cannot be written.
    #[error("the clients file `{}` cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// There is no file.
    #[error(
        "no clients file `{}` here; start `cargo run -p local` first, run this in the folder where it was started, or \
         name its file with `--clients-file`",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("the clients file `{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file holds something else.
    #[error("`{}` is not a clients file", .0.display())]
    Malformed(PathBuf, #[source] serde_json::Error),
}

impl Clients {
    /// Writes the file, for its owner alone to read, in one step: a reader sees the old file or the
    /// new one. Folders that are missing are made.
    ///
    /// # Errors
    /// If it cannot be written; then the file that was there stays as it was.
    pub fn write(&self, path: &Path) -> Result<(), ClientsError> {
        self.try_write(path).map_err(|error| ClientsError::Write(path.to_owned(), error))
    }

    fn try_write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        replace(path, &text)
    }

    /// Reads the file of a running stack.
    ///
    /// # Errors
    /// If it does not exist or is not a clients file.
    pub fn read(path: &Path) -> Result<Self, ClientsError> {
        let text = fs::read(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                ClientsError::Missing(path.to_owned())
            } else {
                ClientsError::Read(path.to_owned(), error)
            }
        })?;
        serde_json::from_slice(&text).map_err(|error| ClientsError::Malformed(path.to_owned(), error))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

pub(crate) fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

pub(crate) fn conceal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> Clients {
        let client = Client {
            client_id: "7abc".into(),
            client_secret: "s3cret".into(),
            scopes: vec!["inventory/read".into()],
        };
        Clients(BTreeMap::from([("order-service".into(), client)]))
    }

    #[test]
    fn the_file_reads_as_documented_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there/yet/clients.json");
        clients().write(&path).unwrap();
        insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
        {
          "order-service": {
            "client_id": "7abc",
            "client_secret": "s3cret",
            "scopes": [
              "inventory/read"
            ]
          }
        }
        "#);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let read = Clients::read(&path).unwrap();
        assert_eq!(read.0["order-service"].client_secret.expose_secret(), "s3cret");
        assert!(!format!("{read:?}").contains("s3cret"));
    }

    #[test]
    fn writing_replaces_the_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.json");
        fs::write(&path, "old").unwrap();
        clients().write(&path).unwrap();
        assert!(Clients::read(&path).is_ok());
        let target = folder.path().join("a-folder");
        fs::create_dir(&target).unwrap();
        assert!(matches!(clients().write(&target), Err(ClientsError::Write(..))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_clients_file_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.json");
        assert!(matches!(Clients::read(&path), Err(ClientsError::Missing(_))));
        assert!(matches!(Clients::read(folder.path()), Err(ClientsError::Read(..))));
        fs::write(&path, "{}{").unwrap();
        assert!(matches!(Clients::read(&path), Err(ClientsError::Malformed(..))));
    }
}
