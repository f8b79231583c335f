//! `Money`: a whole number of minor units with its currency, and checked arithmetic.

use std::{fmt, str::FromStr};

use crate::text::RuleError;

/// The largest integer that every JSON reader keeps exact. Amounts and stock stay within it.
// SPEC: RFC 8259 section 6
pub const MAX_EXACT: i64 = (1 << 53) - 1;

/// An amount from 0 to 2^53 - 1 minor units of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

const RANGE: RuleError = RuleError("an amount is 0 to 9007199254740991 minor units");

impl Money {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Result<Self, RuleError> {
        if minor < 0 || minor > MAX_EXACT { Err(RANGE) } else { Ok(Self { minor, currency }) }
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, RuleError> {
        if self.currency != other.currency {
            return Err(RuleError("the amounts are of two currencies"));
        }
        Self::new(self.minor.checked_add(other.minor).ok_or(RANGE)?, self.currency)
    }

    /// So many times this amount.
    pub fn times(self, quantity: i64) -> Result<Self, RuleError> {
        Self::new(self.minor.checked_mul(quantity).ok_or(RANGE)?, self.currency)
    }
}

/// A currency by its ISO 4217 code: three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
}

impl FromStr for Currency {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let code =
            text.as_bytes().try_into().ok().filter(|code: &[u8; 3]| code.iter().all(u8::is_ascii_uppercase));
        code.map(Self).ok_or(RuleError("a currency is three capital letters, such as EUR"))
    }
}

crate::json::string!(Currency, str::parse::<Currency>);

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests;
