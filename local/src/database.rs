//! The embedded DynamoDB of a running system: its tables, made as the template says, and the folder that keeps them.
//!
//! In memory, or in a SQLite file in WAL mode with `synchronous` = FULL, SQLite's default: a write is on disk before it is
//! acknowledged, so neither `kill -9` nor a power failure takes back what a caller was told.

use std::{fmt, io::ErrorKind, iter, time::Duration};

use aws_sdk_dynamodb::Client;
use dynamodb::{Embedded, OpenError};
use dynoxide::{
    Database as Engine, DynoxideError,
    actions::{create_table::CreateTableRequest, describe_table::DescribeTableRequest},
    types::KeySchemaElement,
};
use gateway::template::{AttributeType, Index, Key, Projection, Table};
use serde_json::{Value, json};

use crate::data::{DataError, DataFolder};

/// The file in the data folder that holds the tables.
const FILE: &str = "tables.sqlite";
/// How long operations may take to end when the database is stopped.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running database, which nobody but this process can reach.
pub(crate) struct Database {
    engine: Engine,
    embedded: Embedded,
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file in the data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data cannot be opened.
    #[error("the embedded database cannot be opened")]
    Engine(#[source] DynoxideError),
    /// The database does not start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A table cannot be made.
    #[error("the table `{0}` cannot be made")]
    Table(String, #[source] DynoxideError),
    /// DynamoDB would refuse the description of a table.
    #[error("the description of the table `{0}` is not understood")]
    Description(String, #[source] serde_json::Error),
    /// The data was made with another template.
    #[error(
        "the table `{0}` in the data folder has other keys than the template says; start with another `--data` folder"
    )]
    OtherKeys(String),
}

impl Database {
    /// Opens the tables in `folder`, or new ones in memory.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub(crate) fn start(folder: Option<&DataFolder>) -> Result<Self, DatabaseError> {
        let engine = match folder {
            None => Engine::memory(),
            Some(folder) => {
                let path = folder.private_file(FILE)?;
                let path = path.to_str().ok_or_else(|| folder.unusable(ErrorKind::InvalidFilename.into()))?;
                Engine::new(path)
            }
        };
        let engine = engine.map_err(DatabaseError::Engine)?;
        let embedded = Embedded::new(engine.clone())?;
        Ok(Self { engine, embedded })
    }

    /// Returns a client of this database.
    pub(crate) fn client(&self) -> Client {
        self.embedded.client()
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

    /// Lets the operations finish that are under way, and closes the data.
    pub(crate) async fn stop(self) {
        let Self { engine, embedded } = self;
        drop(engine);
        let closed = tokio::task::spawn_blocking(|| embedded.close());
        // One that does not end loses nothing: what was acknowledged is on disk already.
        _ = tokio::time::timeout(STOP_LIMIT, closed).await;
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
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
        let data = DataFolder::open(folder.path()).unwrap();
        let database = Database::start(Some(&data)).unwrap();
        database.create_table(&table("pk")).unwrap();
        put(&database).await;
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
    fn unusable_files_and_descriptions_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        data.write(FILE, b"not a database, but text that is long enough to look like one").unwrap();
        assert!(matches!(Database::start(Some(&data)), Err(DatabaseError::Engine(_))));
        let database = Database::start(None).unwrap();
        let made = database.create_table(&Table { name: "?".into(), ..table("pk") });
        assert!(matches!(made, Err(DatabaseError::Description(..))), "{made:?}");
    }
}
