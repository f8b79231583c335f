//! The strings that callers choose and that come back as they were sent: which characters each may have, and how many.

use std::fmt;

use crate::error::ApiError;

/// The rule of a type that a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(pub(crate) &'static str);

impl RuleError {
    /// The refusal of a request that has the value in this field.
    pub(crate) fn at(self, field: &'static str) -> ApiError {
        ApiError::invalid(field, self.0)
    }
}

/// Makes the type of a checked string.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $longest:literal, $rule:literal, $is:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The most characters that it may have; the fewest is one.
            pub const LONGEST: usize = $longest;

            /// Checks a string.
            pub fn parse(text: impl Into<String>) -> Result<Self, RuleError> {
                let text = text.into();
                let is: fn(&str) -> bool = $is;
                let is_good = (1..=Self::LONGEST).contains(&text.chars().count()) && is(&text);
                if is_good { Ok(Self(text)) } else { Err(RuleError(concat!("must be ", $rule))) }
            }

            /// The string as it was sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        crate::json::string!($name, $name::parse);
    };
}

text! {
    /// A stock keeping unit: a path segment that needs no escaping.
    Sku, 64, "1 to 64 letters, digits and `-._~:`, and neither `.` nor `..`",
    |text| text.bytes().all(is_segment_byte) && !matches!(text, "." | "..")
}

text! {
    /// The name of a stock movement.
    Reference, 128, "1 to 128 letters, digits and `-._~:`", |text| text.bytes().all(is_segment_byte)
}

text! {
    /// The key that a caller chooses for one attempt, so that a retry is not a second one.
    // SPEC: draft-ietf-httpapi-idempotency-key-header section 2.1: opaque to the server
    IdempotencyKey, 255, "1 to 255 visible ASCII characters", |text| text.bytes().all(|byte| byte.is_ascii_graphic())
}

text! {
    /// The customer of an order, as the caller names them.
    Customer, 256, "1 to 256 characters, none of them a control character", |text| !text.chars().any(char::is_control)
}

const fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':')
}

#[cfg(test)]
mod tests;
