//! The JSON Schemas that cannot be derived: of checked strings, integers and lists, with their limits.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    day::Day,
    id::Id,
    json::{Integer, List},
    money::Currency,
    text::{Customer, IdempotencyKey, Reference, Sku},
};

/// The schemas of types that are a string in JSON.
macro_rules! strings {
    ($($type:ident $schema:tt)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

strings! {
    Sku {
        "type": "string", "minLength": 1, "maxLength": Self::LONGEST, "pattern": r"^(?!\.{1,2}$)[A-Za-z0-9._~:-]+$"
    }
    Reference { "type": "string", "minLength": 1, "maxLength": Self::LONGEST, "pattern": r"^[A-Za-z0-9._~:-]+$" }
    IdempotencyKey { "type": "string", "minLength": 1, "maxLength": Self::LONGEST, "pattern": r"^[!-~]+$" }
    Customer {
        "type": "string", "minLength": 1, "maxLength": Self::LONGEST, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$"
    }
    Id {
        "description": "A UUID of version 7, in lower case with hyphens",
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    }
    Day { "description": "A day, UTC", "type": "string", "format": "date" }
    Currency { "description": "A currency of ISO 4217", "type": "string", "pattern": "^[A-Z]{3}$" }
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
