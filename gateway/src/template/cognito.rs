//! The user pool: its resource servers and the clients that get tokens by the client-credentials grant.

use std::{collections::BTreeMap, time::Duration};

use super::{
    error::{Located, Problem},
    resource::{CLIENT, RESOURCE_SERVER, Resources, USER_POOL},
    scope::{Scope, Trail},
    stack::{Client, UserPool},
    value::Field,
};

/// How long an access token lives, unless the client says otherwise.
// SPEC: Amazon Cognito, API reference, CreateUserPoolClient: AccessTokenValidity, 1 hour; from 5 minutes to 1 day
const DEFAULT_LIFE: Duration = Duration::from_hours(1);
const SHORTEST_LIFE: Duration = Duration::from_mins(5);
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// Reads the user pool and all that belongs to it.
pub(super) fn read(scope: &Scope<'_>, resources: &Resources) -> Result<Option<UserPool>, Located> {
    let pool = resources.only(USER_POOL, "a second user pool cannot be served")?;
    let mut id = None;
    if let Some(pool) = pool {
        let field = pool.properties();
        if let Some(triggers) = field.get("LambdaConfig")? {
            return Err(
                triggers.failure(Problem::NotHonoured("triggers could change tokens: none are run locally"))
            );
        }
        let identity = scope.identity(&pool.logical_id, &Trail::START);
        id = Some(identity.map_err(|problem| field.failure(problem))?);
    }
    let in_pool = |field: &Field<'_>| {
        let pool = field.need("UserPoolId")?;
        if id.as_deref() == Some(pool.text()?) {
            Ok(())
        } else {
            Err(pool.failure(Problem::NotHonoured("names no user pool of this template")))
        }
    };

    let mut resource_servers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for resource in resources.of(RESOURCE_SERVER) {
        let field = resource.properties();
        in_pool(&field)?;
        let identifier = field.need("Identifier")?;
        let mut names = Vec::new();
        if let Some(scopes) = field.get("Scopes")? {
            for scope in scopes.items()? {
                names.push(scope.need("ScopeName")?.text()?.to_owned());
            }
        }
        if resource_servers.insert(identifier.text()?.to_owned(), names).is_some() {
            return Err(
                identifier.failure(Problem::Clash("identifier", "another resource server".to_owned()))
            );
        }
    }

    let mut clients: BTreeMap<String, Client> = BTreeMap::new();
    for resource in resources.of(CLIENT) {
        let field = resource.properties();
        in_pool(&field)?;
        let id = scope.identity(&resource.logical_id, &Trail::START);
        let id = id.map_err(|problem| field.failure(problem))?;
        let client = client(id, &field, &resource_servers)?;
        if let Some((other, _)) = clients.iter().find(|(_, other)| other.name == client.name) {
            return Err(field.need("ClientName")?.failure(Problem::Clash("name", other.clone())));
        }
        clients.insert(resource.logical_id.clone(), client);
    }
    Ok(id.map(|id| UserPool { id, resource_servers, clients }))
}

fn client(
    id: String,
    field: &Field<'_>,
    resource_servers: &BTreeMap<String, Vec<String>>,
) -> Result<Client, Located> {
    // SPEC: Amazon Cognito, "Application-specific settings with app clients": client credentials need a secret
    for switch in ["GenerateSecret", "AllowedOAuthFlowsUserPoolClient"] {
        let switch = field.need(switch)?;
        if !switch.flag()? {
            return Err(switch.failure(Problem::Shape("true: the client-credentials grant needs it")));
        }
    }
    let flows = field.need("AllowedOAuthFlows")?;
    if flows.texts()? != ["client_credentials"] {
        let reason = "only the client_credentials flow is served";
        return Err(flows.failure(Problem::NotHonoured(reason)));
    }
    let mut scopes = Vec::new();
    for scope in field.need("AllowedOAuthScopes")?.items()? {
        let text = scope.text()?;
        let exists = text.rsplit_once('/').is_some_and(|(server, name)| {
            resource_servers.get(server).is_some_and(|names| names.iter().any(|known| known == name))
        });
        if !exists {
            return Err(scope.failure(Problem::Unknown("resource server with a scope", text.to_owned())));
        }
        scopes.push(text.to_owned());
    }
    Ok(Client { id, name: field.need("ClientName")?.text()?.to_owned(), scopes, token_life: life(field)? })
}

fn life(field: &Field<'_>) -> Result<Duration, Located> {
    let Some(validity) = field.get("AccessTokenValidity")? else { return Ok(DEFAULT_LIFE) };
    let unit = field.get("TokenValidityUnits")?.map_or(Ok(None), |units| units.get("AccessToken"))?;
    let seconds = match &unit {
        None => 3600,
        Some(unit) => match unit.text()? {
            "seconds" => 1,
            "minutes" => 60,
            "hours" => 3600,
            "days" => 86_400,
            _ => return Err(unit.failure(Problem::OneOf("seconds, minutes, hours, days"))),
        },
    };
    let life = Duration::from_secs(validity.whole(1, 86_400)?.saturating_mul(seconds));
    if (SHORTEST_LIFE..=LONGEST_LIFE).contains(&life) {
        Ok(life)
    } else {
        Err(validity.failure(Problem::Shape("from 5 minutes to 1 day")))
    }
}
