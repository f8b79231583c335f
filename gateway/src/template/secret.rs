//! The secrets: their names, and what is in them once the clients' secrets are known.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{
    error::{Located, Problem},
    resource::{Resources, SECRET},
    scope::{Scope, Trail},
    stack::Secret,
    value::Field,
};

/// Reads all secrets.
pub(super) fn read(scope: &Scope<'_>, resources: &Resources) -> Result<BTreeMap<String, Secret>, Located> {
    let mut secrets = BTreeMap::new();
    for resource in resources.of(SECRET) {
        let field = resource.properties();
        let located = |problem: Problem| field.failure(problem);
        let arn = scope.identity(&resource.logical_id, &Trail::START).map_err(located)?;
        let name = match field.get("Name")? {
            Some(name) => name.text()?.to_owned(),
            None => resource.logical_id.clone(),
        };
        // Evaluated again, for everything else was evaluated without the clients' secrets.
        field.need("SecretString")?;
        let node = scope.resource(&resource.logical_id, &Trail::START).map_err(located)?;
        let node = node.get("Properties").and_then(|properties| properties.get("SecretString"));
        let value = scope.value_with_secrets(node.ok_or_else(|| located(Problem::Missing))?);
        let path = format!("Resources.{}.Properties.SecretString", resource.logical_id);
        let value = SecretString::from(Field::root(path, &value).text()?.to_owned());
        let client_id = client_id(&field)?;
        secrets.insert(resource.logical_id.clone(), Secret { name, arn, value, client_id });
    }
    Ok(secrets)
}

fn client_id(field: &Field<'_>) -> Result<Option<String>, Located> {
    let Some(tags) = field.get("Tags")? else { return Ok(None) };
    for tag in tags.items()? {
        if tag.need("Key")?.text()? == "client_id" {
            return Ok(Some(tag.need("Value")?.text()?.to_owned()));
        }
    }
    Ok(None)
}
