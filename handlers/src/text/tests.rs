//! What each string may hold.

use super::*;

#[test]
fn skus_hold_what_a_path_segment_holds() {
    for good in ["A-1", "a.b_c~d:e", "0", "...", &"s".repeat(64)] {
        assert_eq!(Sku::parse(good).unwrap().as_str(), good);
    }
    let bad = ["", ".", "..", "a b", "a/b", "a%2Fb", "a#b", "\u{e9}", "a\n", "a\0", "a\"b", "a+b"];
    for bad in bad.into_iter().chain([&*"s".repeat(65)]) {
        assert!(Sku::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Reference::parse("r".repeat(128)).is_ok());
    assert!(Reference::parse("r".repeat(129)).is_err());
}

#[test]
fn keys_are_visible_ascii_and_customers_are_words() {
    assert!(IdempotencyKey::parse("a#b/\"{}'~!").is_ok());
    for bad in ["", "a b", "a\tb", "\u{e9}", "\u{7f}", &"k".repeat(256)] {
        assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
    }
    assert!(Customer::parse("Zo\u{eb} \u{1f600} & Sons").is_ok());
    for bad in ["", "a\nb", "a\0", "\u{85}", &"c".repeat(257)] {
        assert!(Customer::parse(bad).is_err(), "{bad:?}");
    }
}
