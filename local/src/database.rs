//! The embedded DynamoDB of a running system: its tables, made as the template says, and the folder that keeps them.
//!
//! In memory, or in a SQLite file in WAL mode with `synchronous` = FULL, SQLite's default: a write is on disk before it is
//! acknowledged, so neither `kill -9` nor a power failure takes back what a caller was told.

use std::{fmt, io::ErrorKind, time::Duration};

use aws_sdk_dynamodb::Client;
use dynamodb::{Embedded, OpenError};
use dynoxide::{
    Database as Engine, DynoxideError,
    actions::{create_table::CreateTableRequest, describe_table::DescribeTableRequest},
    types::KeySchemaElement,
};
use gateway::template::Table;
use serde_json::json;

use crate::data::{DataError, DataFolder};

/// The file in the data folder that holds the tables.
const FILE: &str = "tables.sqlite";
/// How long operations may take to end when the database is stopped.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running database, which only this process can reach.
pub(crate) struct Database {
    engine: Engine,
    embedded: Embedded,
}

/// Why the database cannot be used.
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
    /// A table cannot be created.
    #[error("the table `{0}` cannot be created")]
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

    /// Creates a table of the template, unless it exists. Items past their time to live stay: DynamoDB does not promise
    /// when it takes them out, and no function of ours relies on it.
    ///
    /// # Errors
    /// If it cannot be created, or exists with other keys.
    pub(crate) fn create_table(&self, table: &Table) -> Result<(), DatabaseError> {
        let name = &table.name;
        let request: CreateTableRequest = serde_json::from_value(table.request.clone())
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
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let projection = json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["total"] });
        let request = json!({
            "TableName": "Table",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute("date"), attribute(hash), attribute("sk")],
            "KeySchema": [key(hash, "HASH"), key("sk", "RANGE")],
            "GlobalSecondaryIndexes":
                [{ "IndexName": "by_date", "KeySchema": [key("date", "HASH")], "Projection": projection }],
        });
        Table { name: "Table".into(), request }
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
        let mut without_index = table("pk");
        without_index.request["GlobalSecondaryIndexes"] = serde_json::Value::Null;
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
        for (member, value) in [
            ("/TableName", "?"),
            ("/KeySchema/1/AttributeName", "other"),
            ("/KeySchema/1/KeyType", "HASH"),
            ("/AttributeDefinitions/0/AttributeType", "SS"),
            ("/GlobalSecondaryIndexes/0/Projection/ProjectionType", "SOME"),
        ] {
            let mut odd = table("pk");
            *odd.request.pointer_mut(member).unwrap() = value.into();
            let made = database.create_table(&odd);
            let is_named = matches!(made, Err(DatabaseError::Description(..) | DatabaseError::Table(..)));
            assert!(is_named, "{member}: {made:?}");
        }
    }
}
