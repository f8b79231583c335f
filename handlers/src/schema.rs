//! Owns the JSON Schemas of what serde alone cannot tell: checked texts, amounts and lists, each with the limits that
//! its own module holds. The shapes of requests and answers are derived where they are.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    day::Day,
    id::Id,
    json::{Integer, List},
    money::Currency,
    text::{Customer, IdempotencyKey, Reference, Sku},
};

/// A text that a pattern describes.
macro_rules! pattern {
    ($($type:ty, $name:literal, $pattern:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let longest = Self::LONGEST;
                json_schema!({ "type": "string", "minLength": 1, "maxLength": longest, "pattern": $pattern })
            }
        }
    )*};
}

pattern! {
    Sku, "Sku", r"^(?!\.{1,2}$)[A-Za-z0-9._~:-]+$";
    Reference, "Reference", r"^[A-Za-z0-9._~:-]+$";
    IdempotencyKey, "IdempotencyKey", r"^[!-~]+$";
    Customer, "Customer", r"^[^\u0000-\u001f\u007f-\u009f]+$";
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A UUID of version 7, in lower case with hyphens",
            "type": "string",
            "format": "uuid",
            "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        })
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A day, UTC", "type": "string", "format": "date" })
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A currency of ISO 4217", "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

impl<const LEAST: i64, const MOST: i64> JsonSchema for Integer<LEAST, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Integer_{LEAST}_{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

impl<T: JsonSchema, const MOST: usize> JsonSchema for List<T, MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("List_{}_{MOST}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "minItems": 1, "maxItems": MOST, "items": items })
    }
}
