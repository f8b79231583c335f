//! Where the route table comes from: `ROUTES_FILE`, `ROUTES`, or a file in one of the usual places.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use access::{Table, table::TableError};

use super::Problems;

const FILE: &str = "ROUTES_FILE";
const TEXT: &str = "ROUTES";
/// The name of the file if no setting names one.
const NAME: &str = "routes.json";
/// Where Lambda unpacks layers.
const LAYERS: &str = "/opt";
/// More than the largest table.
const MOST_READ: u64 = 1_000_000;

/// The look-up `vars`; if it has no routes, `ROUTES_FILE` is `routes.json` next to `program` or in a layer.
pub(crate) fn with_usual_places<'v>(
    vars: &'v dyn Fn(&str) -> Option<String>,
    program: Option<&'v Path>,
) -> impl Fn(&str) -> Option<String> + 'v {
    move |name| {
        let is_set = |name| vars(name).is_some_and(|value| !value.trim().is_empty());
        if name != FILE || is_set(FILE) || is_set(TEXT) {
            return vars(name);
        }
        let beside = program.and_then(Path::parent).map(|folder| folder.join(NAME));
        let mut places = beside.into_iter().chain([PathBuf::from(LAYERS).join(NAME)]);
        Some(places.find(|place| place.exists())?.to_str()?.to_owned())
    }
}

/// The table, or `None` once its problem is noted.
pub(super) fn read(vars: &impl Fn(&str) -> Option<String>, problems: &mut Problems) -> Option<Table> {
    let (variable, table) = match (vars(FILE), vars(TEXT)) {
        (Some(_), Some(_)) => {
            problems.add(FILE, "must not be set together with ROUTES");
            return None;
        }
        (Some(path), None) => (FILE, from_file(Path::new(&path))),
        (None, Some(text)) => (TEXT, Table::from_json(&text).map_err(RoutesError::Table)),
        (None, None) => {
            problems.add(
                FILE,
                "or ROUTES is required, unless `routes.json` is beside the program or in a layer (/opt)",
            );
            return None;
        }
    };
    table.map_err(|error| problems.add(variable, format!("is not a usable route table: {error}"))).ok()
}

fn from_file(path: &Path) -> Result<Table, RoutesError> {
    let mut text = String::new();
    File::open(path)?.take(MOST_READ).read_to_string(&mut text)?;
    Ok(Table::from_json(&text)?)
}

#[derive(Debug, thiserror::Error)]
enum RoutesError {
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error(transparent)]
    Table(#[from] TableError),
}
