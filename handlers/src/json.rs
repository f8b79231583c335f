//! Strict reading of request bodies: unknown and duplicate members, floats, numbers and lists beyond their limits, arrays
//! in place of objects and trailing text are refused, naming the member at fault by its path.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::error::ApiError;

/// The longest body that is read.
const BODY_BYTES: usize = 1 << 20;

/// A longer field is cut off: its names come from the caller.
const FIELD_CHARACTERS: usize = 128;

/// Reads a whole body as one JSON object.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.len() > BODY_BYTES {
        return Err(ApiError::refused(413, "body_too_large", "the body is larger than 1 MiB"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed: Object<T> = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| as_api_error(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| as_api_error(".", &error))?;
    Ok(parsed.0)
}

/// The field and the reason from serde's message. Of what the caller sent only the names in the path are repeated.
fn as_api_error(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    // `.` is the whole body, `?` a place that has no name yet.
    let path = path.trim_end_matches(['.', '?']);
    if !error.is_data() && path.is_empty() {
        return ApiError::refused(400, "invalid_json", "the body is not one JSON object");
    }
    let member = |text: &str| text.split('`').nth(1).map(str::to_owned);
    let (message, member) = if error.is_syntax() || error.is_eof() {
        ("is not valid JSON".to_owned(), None)
    } else if text.starts_with("missing field ") {
        ("is missing".to_owned(), member(text))
    } else if text.starts_with("duplicate field ") {
        ("is given twice".to_owned(), member(text))
    } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
        let what = if text.starts_with("unknown field ") { "is unknown, expected" } else { "expected" };
        (format!("{what} {}", if expected == "i64" { "an integer" } else { expected }), None)
    } else {
        (text.to_owned(), None)
    };
    let mut field = path.to_owned();
    // The path ends with the object for a missing member, and mostly with the member for a duplicate.
    if let Some(member) = member
        && !(text.starts_with("duplicate") && path.rsplit('.').next() == Some(member.as_str()))
    {
        if !field.is_empty() {
            field.push('.');
        }
        field.push_str(&member);
    }
    let error = ApiError::refused(400, "invalid_request", message);
    if field.is_empty() { error } else { error.at(field.chars().take(FIELD_CHARACTERS).collect::<String>()) }
}

/// A struct that is written as a JSON object. By itself serde takes an array of the values for it as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// Makes a type a string in JSON and in the store: read by `$parse`, written as it is displayed.
macro_rules! string {
    ($name:ty, $parse:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                $parse(text.as_str()).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use string;

/// A list of 1 to `MOST` objects, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct List<T, const MOST: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The body's own limit bounds what is read of a list that is too long.
        let items = Vec::<Object<T>>::deserialize(deserializer)?;
        if (1..=MOST).contains(&items.len()) {
            Ok(Self(items.into_iter().map(|Object(item)| item).collect()))
        } else {
            Err(D::Error::custom(format_args!("must have 1 to {MOST} items")))
        }
    }
}

/// An integer from `LEAST` to `MOST`, written as one: no fraction, no exponent, no quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Integer<const LEAST: i64, const MOST: i64>(pub i64);

impl<'de, const LEAST: i64, const MOST: i64> Deserialize<'de> for Integer<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let integer = i64::deserialize(deserializer)?;
        if (LEAST..=MOST).contains(&integer) {
            Ok(Self(integer))
        } else {
            Err(D::Error::custom(format_args!("must be an integer from {LEAST} to {MOST}")))
        }
    }
}

#[cfg(test)]
mod tests;
