//! Ids as they are drawn and read.

use super::*;
use crate::testing::now;

#[test]
fn an_id_says_when_and_ids_of_one_millisecond_keep_their_order() {
    let ids = Ids::default();
    let drawn: Vec<Id> = (0..1000).map(|_| ids.draw(now()).unwrap()).collect();
    assert!(drawn.is_sorted_by(|a, b| a < b && a.to_string() < b.to_string()));
    assert_eq!((drawn[0].created_at(), drawn[0].day().to_string().as_str()), (now(), "2026-02-03"));
    assert_eq!(Id::parse(&drawn[0].to_string()), Ok(drawn[0]));
    assert_eq!(ids.draw("1969-12-31T23:59:59Z".parse().unwrap()), None);
}

#[test]
fn only_what_we_print_is_an_id() {
    let good = Ids::default().draw(now()).unwrap().to_string();
    let bad = [
        String::new(),
        good.to_uppercase(),
        good.replace('-', ""),
        format!("{{{good}}}"),
        format!("urn:uuid:{good}"),
        format!("{good} "),
        "ffffffff-ffff-7fff-bfff-ffffffffffff".to_owned(),
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8".to_owned(),
        "00000000-0000-0000-0000-000000000000".to_owned(),
    ];
    for text in bad {
        assert!(Id::parse(&text).is_err(), "{text}");
    }
}
