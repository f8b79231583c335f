//! The tables of `docs/security/catalogue.md`, compared with what the tests print, or written.

use std::{fs, path::Path};

/// Compares a table with the one between `<!-- begin: name -->` and `<!-- end: name -->`. With `UPDATE_DOCS=1` in the
/// environment, writes it there instead.
pub fn assert_table(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security/catalogue.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- begin: {name} -->\n"), format!("<!-- end: {name} -->"));
    let (before, rest) = page.split_once(&begin).expect("the page has the table's begin");
    let (held, after) = rest.split_once(&end).expect("the page has the table's end");
    let table = format!("{}\n", table.trim_end());
    #[expect(clippy::disallowed_methods, reason = "how a developer asks for the page to be written")]
    if std::env::var("UPDATE_DOCS").is_ok_and(|value| value == "1") {
        fs::write(&path, [before, &begin, &table, &end, after].concat()).unwrap();
        return;
    }
    assert_eq!(
        held, table,
        "docs/security/catalogue.md is out of date: run the tests with UPDATE_DOCS=1 and read the change"
    );
}
