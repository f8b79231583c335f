//! Owns the embedded DynamoDB: start, tables, stop. What is in the tables is left to the functions, which reach it
//! through the AWS SDK as they reach the real one.
//!
//! In memory, or a SQLite file. The file is in WAL mode with `synchronous` = FULL, SQLite's default: a write is on disk
//! before it is acknowledged, so that neither `kill -9` nor a power failure takes back what a caller was told.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io, iter,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
};
use dynoxide::{
    Database as Engine, DynoxideError,
    actions::{create_table::CreateTableRequest, describe_table::DescribeTableRequest},
    server::serve_with_shutdown,
    types::KeySchemaElement,
};
use gateway::template::{AttributeType, Index, Key, Projection, Table};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

/// The file in the data folder that holds the tables.
const FILE: &str = "tables.sqlite";
/// The file that one process at a time holds a lock on.
const LOCK: &str = "lock";
/// How long requests may take to end when the database is stopped.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running database.
pub(crate) struct Database {
    engine: Engine,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    /// Held for as long as the file is in use.
    _lock: Option<File>,
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The folder for the data cannot be made or written to.
    #[error("the data folder `{}` cannot be used", .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// Another process works on the same data.
    #[error("the data in `{}` is in use by another `local`", .0.display())]
    InUse(PathBuf),
    /// The data cannot be opened.
    #[error("the embedded database cannot be opened")]
    Open(#[source] DynoxideError),
    /// No port or no thread for it.
    #[error("the embedded database cannot be served")]
    Serve(#[source] io::Error),
    /// A table cannot be made.
    #[error("the table `{0}` cannot be made")]
    Table(String, #[source] DynoxideError),
    /// The description of a table is none that DynamoDB takes.
    #[error("the description of the table `{0}` is not understood")]
    Description(String, #[source] serde_json::Error),
    /// The data was made with another template.
    #[error("the table `{0}` in the data folder has other keys than the template says")]
    OtherKeys(String),
}

impl Database {
    /// Opens the data, in `folder` or in memory, and serves it on a free port of 127.0.0.1.
    ///
    /// The engine does its work, disk access and all, on the thread that asks it, so it gets a thread of its own.
    ///
    /// # Errors
    /// If the folder cannot be used, or is in use.
    pub(crate) fn start(folder: Option<&Path>) -> Result<Self, DatabaseError> {
        let (engine, lock) = match folder {
            None => (Engine::memory().map_err(DatabaseError::Open)?, None),
            Some(folder) => {
                let (engine, lock) = open(folder)?;
                (engine, Some(lock))
            }
        };
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(DatabaseError::Serve)?;
        listener.set_nonblocking(true).map_err(DatabaseError::Serve)?;
        let address = listener.local_addr().map_err(DatabaseError::Serve)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(DatabaseError::Serve)?;
        let (stop, stopped) = oneshot::channel();
        let shared = engine.clone();
        let serve = async move {
            // A listener that was just bound can be registered; if not, every call to the database says so.
            if let Ok(listener) = TcpListener::from_std(listener) {
                let _ = serve_with_shutdown(listener, shared, async { _ = stopped.await }).await;
            }
        };
        let server = thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || runtime.block_on(serve))
            .map_err(DatabaseError::Serve)?;
        Ok(Self { engine, address, stop, server, _lock: lock })
    }

    /// A client of this database, with credentials that are worth nothing elsewhere.
    pub(crate) fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(format!("http://{}", self.address))
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .build();
        Client::from_conf(config)
    }

    /// Makes a table of the template, unless it is there. Items past their time to live stay: DynamoDB does not promise
    /// when it takes them out, and no function of ours relies on it.
    ///
    /// # Errors
    /// If it cannot be made, or is there with other keys.
    pub(crate) fn create_table(&self, table: &Table) -> Result<(), DatabaseError> {
        let name = &table.name;
        let request: CreateTableRequest = serde_json::from_value(description(table))
            .map_err(|error| DatabaseError::Description(name.to_owned(), error))?;
        let failed = |error| DatabaseError::Table(name.to_owned(), error);
        match self.engine.describe_table(DescribeTableRequest { table_name: name.to_owned() }) {
            Ok(found) => {
                let mut has: Keys<'_> = vec![(None, &found.table.key_schema)];
                let indexes = found.table.global_secondary_indexes.iter().flatten();
                has.extend(indexes.map(|index| (Some(&index.index_name), &index.key_schema)));
                let mut wants: Keys<'_> = vec![(None, &request.key_schema)];
                let indexes = request.global_secondary_indexes.iter().flatten();
                wants.extend(indexes.map(|index| (Some(&index.index_name), &index.key_schema)));
                if same(has, wants) { Ok(()) } else { Err(DatabaseError::OtherKeys(name.to_owned())) }
            }
            Err(DynoxideError::ResourceNotFoundException(_)) => {
                self.engine.create_table(request).map_err(failed)?;
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Lets requests end that are running, closes the data and gives up the port.
    pub(crate) async fn stop(self) {
        // No receiver means that the server has ended by itself.
        _ = self.stop.send(());
        drop(self.engine);
        let ended = tokio::task::spawn_blocking(|| self.server.join());
        // A server that does not end takes nothing with it: what was acknowledged is on disk already.
        _ = tokio::time::timeout(STOP_LIMIT, ended).await;
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The keys of a table and of its indexes, by the index's name.
type Keys<'a> = Vec<(Option<&'a String>, &'a Vec<KeySchemaElement>)>;

/// The body of a `CreateTable` request.
fn description(table: &Table) -> Value {
    let keys = |key: &Key| {
        let part = |name: &String, kind| json!({ "AttributeName": name, "KeyType": kind });
        let range = key.range.iter().map(|name| part(name, "RANGE"));
        iter::once(part(&key.hash, "HASH")).chain(range).collect::<Vec<_>>()
    };
    let definition = |(name, kind): (&String, &AttributeType)| {
        let kind = match kind {
            AttributeType::Text => "S",
            AttributeType::Number => "N",
            AttributeType::Binary => "B",
        };
        json!({ "AttributeName": name, "AttributeType": kind })
    };
    let index = |index: &Index| {
        let projection = match &index.projection {
            Projection::All => json!({ "ProjectionType": "ALL" }),
            Projection::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
            Projection::Include(names) => json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names }),
        };
        json!({ "IndexName": index.name, "KeySchema": keys(&index.key), "Projection": projection })
    };
    let mut description = json!({
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": table.attributes.iter().map(definition).collect::<Vec<_>>(),
        "KeySchema": keys(&table.key),
    });
    // DynamoDB takes a list of one or none at all.
    if let Some(members) = description.as_object_mut()
        && !table.indexes.is_empty()
    {
        members.insert("GlobalSecondaryIndexes".to_owned(), table.indexes.iter().map(index).collect());
    }
    description
}

fn same(has: Keys<'_>, wants: Keys<'_>) -> bool {
    // The order of indexes means nothing.
    let sorted = |keys: Keys<'_>| {
        let mut texts: Vec<_> = keys.into_iter().map(|key| json!(key).to_string()).collect();
        texts.sort();
        texts
    };
    sorted(has) == sorted(wants)
}

/// Opens the file in `folder`, which is this process's alone until the lock is dropped.
fn open(folder: &Path) -> Result<(Engine, File), DatabaseError> {
    let unusable = |error| DatabaseError::Folder(folder.to_owned(), error);
    fs::create_dir_all(folder).map_err(unusable)?;
    let lock = File::create(folder.join(LOCK)).map_err(unusable)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => DatabaseError::InUse(folder.to_owned()),
        TryLockError::Error(error) => unusable(error),
    })?;
    let path = folder.join(FILE);
    let path = path.to_str().ok_or_else(|| unusable(io::ErrorKind::InvalidFilename.into()))?;
    Ok((Engine::new(path).map_err(DatabaseError::Open)?, lock))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn table(hash: &str) -> Table {
        Table {
            name: "Table".into(),
            key: Key { hash: hash.into(), range: Some("sk".into()) },
            attributes: ["date", hash, "sk"].map(|name| (name.into(), AttributeType::Text)).into(),
            indexes: vec![Index {
                name: "by_date".into(),
                key: Key { hash: "date".into(), range: None },
                projection: Projection::Include(vec!["total".into()]),
            }],
            time_to_live: None,
        }
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    async fn put(database: &Database) {
        let put =
            database.client().put_item().table_name("Table").item("pk", text("a")).item("sk", text("b"));
        put.send().await.unwrap();
    }

    async fn count(database: &Database) -> i32 {
        database.client().scan().table_name("Table").send().await.unwrap().count()
    }

    #[tokio::test]
    async fn what_was_written_to_a_folder_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("not/there/yet");
        let database = Database::start(Some(&data)).unwrap();
        database.create_table(&table("pk")).unwrap();
        put(&database).await;
        assert!(matches!(Database::start(Some(&data)), Err(DatabaseError::InUse(_))));
        database.stop().await;

        let database = Database::start(Some(&data)).unwrap();
        database.create_table(&table("pk")).unwrap();
        assert_eq!(count(&database).await, 1);
        assert!(matches!(database.create_table(&table("id")), Err(DatabaseError::OtherKeys(_))));
        let without_index = Table { indexes: Vec::new(), ..table("pk") };
        assert!(matches!(database.create_table(&without_index), Err(DatabaseError::OtherKeys(_))));
        database.stop().await;
    }

    #[tokio::test]
    async fn two_databases_in_memory_share_nothing() {
        let (one, other) = (Database::start(None).unwrap(), Database::start(None).unwrap());
        for database in [&one, &other] {
            database.create_table(&table("pk")).unwrap();
        }
        put(&one).await;
        assert_eq!((count(&one).await, count(&other).await), (1, 0));
    }

    #[test]
    fn unusable_folders_and_descriptions_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Database::start(Some(&file)), Err(DatabaseError::Folder(..))));
        fs::write(folder.path().join(FILE), "no database, but text that is long enough to look like one")
            .unwrap();
        assert!(matches!(Database::start(Some(folder.path())), Err(DatabaseError::Open(_))));
        let database = Database::start(None).unwrap();
        let made = database.create_table(&Table { name: "?".into(), ..table("pk") });
        assert!(matches!(made, Err(DatabaseError::Description(..))), "{made:?}");
    }
}
