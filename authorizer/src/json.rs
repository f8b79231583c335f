//! Owns `Json`, a text of JSON read strictly and borrowed from: no member twice in any object, nothing behind
//! the value. What the members mean is left to those who ask for them.

use std::{borrow::Cow, cell::Cell, fmt, marker::PhantomData};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
    value::MapAccessDeserializer,
};

use crate::refusal::Refusal;

/// One JSON value.
pub(crate) enum Json<'a> {
    /// A whole number from zero on.
    Whole(u64),
    /// Any other number.
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Members<'a>),
    /// `null`, `true` or `false`: nothing that we read is one of them.
    Other,
}

/// The members of an object, sorted by name; no name is there twice.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not one JSON value, or nested deeper than `serde_json` goes (128 levels).
    Malformed,
    /// An object names a member twice: two readers could disagree about it.
    DuplicateMember,
}

impl<'a> Json<'a> {
    /// Reads one value, all of `text`.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        let duplicate = Cell::new(false);
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = reader
            .deserialize_any(Reader { duplicate: &duplicate })
            .and_then(|value| reader.end().map(|()| value));
        value.map_err(|_| if duplicate.get() { JsonError::DuplicateMember } else { JsonError::Malformed })
    }

    /// The text, if it is one; borrowed from what was parsed unless it had escapes.
    pub(crate) fn as_text(&self) -> Option<&Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Whole(_) | Self::Number(_) | Self::List(_) | Self::Object(_) | Self::Other => None,
        }
    }
}

impl<'a> Members<'a> {
    /// Reads an object, all of `text`.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        match Json::parse(text)? {
            Json::Object(members) => Ok(members),
            Json::Whole(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Other => {
                Err(JsonError::Malformed)
            }
        }
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let at = self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The member of this name, if it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&Cow<'a, str>> {
        self.get(name).and_then(Json::as_text)
    }
}

/// Reads a struct from a JSON object, all of `text`. A derived `Deserialize` alone would take the fields from a list too.
pub(crate) fn from_object<'de, T: Deserialize<'de>>(text: &'de [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(text).map(|Object(value)| value)
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectReader(PhantomData))
    }
}

struct ObjectReader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectReader<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Malformed => Self::MalformedJson,
            JsonError::DuplicateMember => Self::DuplicateMember,
        }
    }
}

/// Builds a value. The cell tells a duplicate member from other errors, for which serde has only text.
#[derive(Clone, Copy)]
struct Reader<'c> {
    duplicate: &'c Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Json::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "a negative number: only its sign is ever looked at")]
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Json::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value_seed(self)?));
        }
        members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        if !members.is_sorted_by(|(a, _), (b, _)| a < b) {
            self.duplicate.set(true);
            return Err(A::Error::custom("a member stands twice"));
        }
        Ok(Json::Object(Members(members)))
    }
}

/// Reads the name of a member, borrowed where it has no escapes. Names are compared unescaped.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_strictly() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
        let cases: &[(&str, &str, Result<(), JsonError>)] = &[
            ("plain", r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}"#, Ok(())),
            ("empty", "{}", Ok(())),
            ("white space around", " {}\n", Ok(())),
            ("twice", r#"{"a":1,"a":1}"#, Err(JsonError::DuplicateMember)),
            ("twice, escaped", r#"{"a":1,"\u0061":1}"#, Err(JsonError::DuplicateMember)),
            ("twice, nested", r#"{"x":[{"a":1,"b":2,"a":3}]}"#, Err(JsonError::DuplicateMember)),
            ("list", "[]", Err(JsonError::Malformed)),
            ("text", "\"a\"", Err(JsonError::Malformed)),
            ("nothing", "", Err(JsonError::Malformed)),
            ("two values", "{}{}", Err(JsonError::Malformed)),
            ("byte order mark", "\u{feff}{}", Err(JsonError::Malformed)),
            ("comment", "{/**/}", Err(JsonError::Malformed)),
            ("trailing comma", r#"{"a":1,}"#, Err(JsonError::Malformed)),
            ("number out of range", r#"{"a":1e400}"#, Err(JsonError::Malformed)),
            ("half a surrogate pair", r#"{"a":"\ud800"}"#, Err(JsonError::Malformed)),
            ("too deep", &deep, Err(JsonError::Malformed)),
        ];
        for (name, text, expected) in cases {
            assert_eq!(Members::parse(text.as_bytes()).map(|_| ()), *expected, "{name}");
        }
        assert!(matches!(Members::parse(b"{\"a\":\"\xff\"}"), Err(JsonError::Malformed)), "not UTF-8");
    }

    #[test]
    fn members_are_found_whatever_their_order() {
        let members = Members::parse(br#"{"b":"x\n","a":7,"d":-1,"c":[null,true]}"#).unwrap();
        assert_eq!(members.text("b").map(AsRef::as_ref), Some("x\n"));
        assert!(matches!(members.get("a"), Some(Json::Whole(7))));
        assert!(matches!(members.get("d"), Some(Json::Number(n)) if *n < 0.0));
        assert!(matches!(members.get("c"), Some(Json::List(list)) if list.len() == 2));
        assert!(members.get("e").is_none() && members.text("a").is_none());
    }
}
