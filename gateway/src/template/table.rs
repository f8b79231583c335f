//! The DynamoDB tables: the request that creates each of them elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    error::{Located, Problem},
    resource::{Resources, TABLE},
    scope::{Scope, Trail},
    stack::Table,
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
        field.only(&[KNOWN])?;
        let name = scope.identity(&resource.logical_id, &Trail::START);
        let name = name.map_err(|problem| field.failure(problem))?;
        if let Some((other, _)) = tables.iter().find(|(_, other)| other.name == name) {
            return Err(field.failure(Problem::Clash("name", other.clone())));
        }
        let mut request = members(&field, &["AttributeDefinitions", "KeySchema"])?;
        if let Some(indexes) = field.get("GlobalSecondaryIndexes")? {
            // Without their capacities.
            let index = |index: Field<'_>| members(&index, &["IndexName", "KeySchema", "Projection"]);
            let indexes: Vec<_> = indexes.items()?.map(index).collect::<Result<_, _>>()?;
            request.insert("GlobalSecondaryIndexes".to_owned(), json!(indexes));
        }
        request.insert("TableName".to_owned(), json!(name));
        request.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
        tables.insert(resource.logical_id.clone(), Table { name, request: request.into() });
    }
    Ok(tables)
}

fn members(field: &Field<'_>, names: &[&str]) -> Result<Map<String, Value>, Located> {
    names.iter().map(|name| Ok(((*name).to_owned(), field.need(name)?.json()?))).collect()
}
