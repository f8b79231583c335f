//! Cursors that were edited or made up.

use proptest::prelude::*;

use super::*;

fn read(list: &str, cursor: &str) -> Result<String, ApiError> {
    decode(list, cursor, |position| Some(position.to_owned()))
}

#[test]
fn a_cursor_that_was_made_up_is_refused() {
    let long = "A".repeat(100_000);
    for cursor in ["", "A", "AAAA", "AAAAAAAAAAAAAAAAAAAA", "%%%", "\u{e9}", long.as_str()] {
        let error = read("inventory", cursor).unwrap_err();
        assert_eq!(
            (error.status, error.label, error.field.as_deref()),
            (400, "invalid_cursor", Some("cursor"))
        );
    }
    let cursor = encode("orders 2026-02-03", "x");
    assert!(read("orders 2026-02-04", &cursor).is_err(), "taken from another list");
    let parsed: Result<u8, _> = decode("orders 2026-02-03", &cursor, |position| position.parse().ok());
    assert!(parsed.is_err(), "no position of the list");
}

proptest! {
    #[test]
    fn a_cursor_reads_back_and_no_edit_of_it_does(position in ".{0,40}", at: prop::sample::Index, to: char) {
        let cursor = encode("l", &position);
        prop_assert_eq!(read("l", &cursor), Ok(position));
        let mut edited: Vec<char> = cursor.chars().collect();
        let at = at.index(edited.len());
        edited[at] = to;
        let edited: String = edited.into_iter().collect();
        prop_assert!(edited == cursor || read("l", &edited).is_err());
    }
}
