//! The DynamoDB tables: as much of each as it takes to create it elsewhere.

use std::collections::BTreeMap;

use super::{
    error::{Located, Problem},
    resource::{Resources, TABLE},
    scope::{Scope, Trail},
    stack::{AttributeType, Index, Key, Projection, Table},
    value::Field,
};

/// What is read, and what changes nothing of what a table answers.
const KNOWN: &[&str] = &[
    "TableName",
    "KeySchema",
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "TimeToLiveSpecification",
    "BillingMode",
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "ProvisionedThroughput",
    "SSESpecification",
    "TableClass",
    "Tags",
    "WarmThroughput",
];

/// Reads all tables.
pub(super) fn read(scope: &Scope<'_>, resources: &Resources) -> Result<BTreeMap<String, Table>, Located> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for resource in resources.of(TABLE) {
        let field = resource.properties();
        let name = scope.identity(&resource.logical_id, &Trail::START);
        let table = table(name.map_err(|problem| field.failure(problem))?, &field)?;
        if let Some((other, _)) = tables.iter().find(|(_, other)| other.name == table.name) {
            return Err(field.failure(Problem::Clash("name", other.clone())));
        }
        tables.insert(resource.logical_id.clone(), table);
    }
    Ok(tables)
}

fn table(name: String, field: &Field<'_>) -> Result<Table, Located> {
    field.only(&[KNOWN])?;
    let mut attributes = BTreeMap::new();
    for definition in field.need("AttributeDefinitions")?.items()? {
        let kind = definition.need("AttributeType")?;
        let attribute_type = match kind.text()? {
            "S" => AttributeType::Text,
            "N" => AttributeType::Number,
            "B" => AttributeType::Binary,
            _ => return Err(kind.failure(Problem::OneOf("S, N, B"))),
        };
        attributes.insert(definition.need("AttributeName")?.text()?.to_owned(), attribute_type);
    }
    let mut table = Table {
        name,
        key: key(&field.need("KeySchema")?, &attributes)?,
        attributes,
        indexes: Vec::new(),
        time_to_live: None,
    };
    if let Some(indexes) = field.get("GlobalSecondaryIndexes")? {
        for item in indexes.items()? {
            table.indexes.push(index(&item, &table.attributes)?);
        }
    }
    if let Some(time_to_live) = field.get("TimeToLiveSpecification")?
        && time_to_live.need("Enabled")?.flag()?
    {
        table.time_to_live = Some(time_to_live.need("AttributeName")?.text()?.to_owned());
    }
    Ok(table)
}

fn index(field: &Field<'_>, attributes: &BTreeMap<String, AttributeType>) -> Result<Index, Located> {
    let projection = field.need("Projection")?;
    let kind = projection.need("ProjectionType")?;
    let projection = match kind.text()? {
        "ALL" => Projection::All,
        "KEYS_ONLY" => Projection::KeysOnly,
        "INCLUDE" => Projection::Include(projection.need("NonKeyAttributes")?.texts()?),
        _ => return Err(kind.failure(Problem::OneOf("ALL, KEYS_ONLY, INCLUDE"))),
    };
    let name = field.need("IndexName")?.text()?.to_owned();
    Ok(Index { name, key: key(&field.need("KeySchema")?, attributes)?, projection })
}

fn key(schema: &Field<'_>, attributes: &BTreeMap<String, AttributeType>) -> Result<Key, Located> {
    let (mut hash, mut range) = (None, None);
    for element in schema.items()? {
        let name = element.need("AttributeName")?;
        if !attributes.contains_key(name.text()?) {
            return Err(name.failure(Problem::Unknown("attribute definition", name.text()?.to_owned())));
        }
        let kind = element.need("KeyType")?;
        let part = match kind.text()? {
            "HASH" => &mut hash,
            "RANGE" => &mut range,
            _ => return Err(kind.failure(Problem::OneOf("HASH, RANGE"))),
        };
        if part.replace(name.text()?.to_owned()).is_some() {
            return Err(kind.failure(Problem::Shape("one HASH and at most one RANGE")));
        }
    }
    let hash = hash.ok_or_else(|| schema.failure(Problem::Shape("one HASH and at most one RANGE")))?;
    Ok(Key { hash, range })
}
