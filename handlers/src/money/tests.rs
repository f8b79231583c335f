//! Amounts at their limits.

use proptest::prelude::*;

use super::*;

#[test]
fn amounts_stay_where_json_is_exact() {
    let cases = [
        ("zero", 0, true),
        ("largest", MAX_EXACT, true),
        ("above", MAX_EXACT + 1, false),
        ("negative", -1, false),
        ("smallest", i64::MIN, false),
    ];
    for (name, minor, good) in cases {
        assert_eq!(Money::new(minor, Currency::EUR).is_ok(), good, "{name}");
    }
}

#[test]
fn currencies_are_three_capitals_and_do_not_mix() {
    for bad in ["", "EU", "EURO", "eur", "E1R", "E\u{dc}", "\u{20ac}"] {
        assert!(bad.parse::<Currency>().is_err(), "{bad}");
    }
    let usd: Currency = "USD".parse().unwrap();
    assert_eq!(usd.to_string(), "USD");
    assert!(Money::zero(usd).plus(Money::zero(Currency::EUR)).is_err());
}

proptest! {
    #[test]
    fn money_never_wraps(a in 0..=MAX_EXACT, b in 0..=MAX_EXACT, quantity: i64) {
        let money = |minor| Money::new(minor, Currency::EUR).unwrap();
        let exact = i128::from(a) + i128::from(b);
        prop_assert_eq!(money(a).plus(money(b)).ok().map(|m| i128::from(m.minor())),
            (exact <= i128::from(MAX_EXACT)).then_some(exact));
        let exact = i128::from(a) * i128::from(quantity);
        prop_assert_eq!(money(a).times(quantity).ok().map(|m| i128::from(m.minor())),
            (0..=i128::from(MAX_EXACT)).contains(&exact).then_some(exact));
    }
}
