//! Strict JSON: no object names a member twice, and nothing follows the value. Strings are borrowed from the input.

use std::{borrow::Cow, cell::Cell, cmp::Ordering, fmt, marker::PhantomData};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
    value::MapAccessDeserializer,
};

use crate::refusal::Refusal;

/// One JSON value.
pub(crate) enum Json<'a> {
    /// A whole number, not negative.
    Whole(u64),
    /// Any other number.
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Members<'a>),
    Bool,
    Null,
}

/// The members of an object, sorted by [`order`], each name once.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// The order of names: by length first, which tells most of them apart without a look at their letters.
fn order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Why a string is not strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not one JSON value, or nested deeper than `serde_json` goes (128 levels).
    Malformed,
    /// An object names a member twice: two readers could disagree about its value.
    DuplicateMember,
}

/// Reads a value from any deserializer; what it borrows, and whether it ends there, is the caller's business.
impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader { duplicate: &Cell::new(false), room: 0 })
    }
}

impl<'a> Json<'a> {
    /// Reads one value, all of `text`.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        // Checked once for all strings.
        let text = str::from_utf8(text).map_err(|_| JsonError::Malformed)?;
        let duplicate = Cell::new(false);
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = reader
            .deserialize_any(Reader { duplicate: &duplicate, room: ROOM })
            .and_then(|value| reader.end().map(|()| value));
        value.map_err(|_| if duplicate.get() { JsonError::DuplicateMember } else { JsonError::Malformed })
    }

    /// The string, if it is one; borrowed from the input unless it has escapes.
    pub(crate) fn as_text(&self) -> Option<&Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Whole(_) | Self::Number(_) | Self::List(_) | Self::Object(_) | Self::Bool | Self::Null => {
                None
            }
        }
    }
}

impl<'a> Members<'a> {
    /// Reads an object, all of `text`.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        match Json::parse(text)? {
            Json::Object(members) => Ok(members),
            Json::Whole(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Bool | Json::Null => {
                Err(JsonError::Malformed)
            }
        }
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let at = self.0.binary_search_by(|(other, _)| order(other, name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The member of this name, if it is a string.
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

/// Builds a value. The cell tells a duplicate member from other errors, since serde's errors are only text.
#[derive(Clone, Copy)]
struct Reader<'c> {
    duplicate: &'c Cell<bool>,
    /// For how many members there is room before it grows. None in what is nested, where it would add up.
    room: usize,
}

/// Enough for the claims of an access token.
const ROOM: usize = 12;

impl Reader<'_> {
    const fn nested(self) -> Self {
        Self { room: 0, ..self }
    }
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
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Json::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "only the sign of a negative number is ever used")]
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
        while let Some(value) = list.next_element_seed(self.nested())? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(self.room);
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value_seed(self.nested())?));
        }
        members.sort_unstable_by(|(a, _), (b, _)| order(a, b));
        if !members.is_sorted_by(|(a, _), (b, _)| order(a, b).is_lt()) {
            self.duplicate.set(true);
            return Err(A::Error::custom("a member is named twice"));
        }
        Ok(Json::Object(Members(members)))
    }
}

/// Reads the name of a member, borrowed from the input unless it has escapes. Names are compared unescaped.
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
    fn a_struct_is_read_from_an_object_only() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Point {
            x: u8,
        }
        assert_eq!(from_object::<Point>(br#"{"x":7}"#).unwrap(), Point { x: 7 });
        for text in ["[7]", "[]", "7", "null", "", r#"{"x":7}x"#, r#"{"x":7,"x":7}"#, r#"{"y":7}"#] {
            assert!(from_object::<Point>(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn room_is_made_for_the_outermost_members_alone() {
        let members = Members::parse(br#"{"a":{},"b":[{}]}"#).unwrap();
        assert_eq!(members.0.capacity(), ROOM);
        let (Some(Json::Object(inner)), Some(Json::List(list))) = (members.get("a"), members.get("b")) else {
            panic!("an object and a list")
        };
        assert_eq!(inner.0.capacity(), 0);
        assert!(matches!(&list[..], [Json::Object(inner)] if inner.0.capacity() == 0));
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
