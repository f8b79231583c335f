//! `template.yaml`, the route table and the documented clients agree.

use std::collections::{BTreeMap, BTreeSet};

use gateway::{
    rest::api::ApiMethod,
    template::{Facts, Stack, Template},
};
use handlers::routes::{ROUTES, function_of};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The template as the local runner reads it.
pub(crate) fn stack() -> Stack {
    let template = Template::parse("template.yaml", TEMPLATE).unwrap();
    let mut facts = Facts::default();
    for logical_id in template.logical_ids("AWS::Cognito::UserPoolClient") {
        facts.client_secrets.insert(logical_id.to_owned(), "secret".to_owned().into());
    }
    template.stack(&facts).unwrap()
}

#[test]
fn the_template_has_the_routes_of_the_table_and_their_functions() {
    let stack = stack();
    let deployed: BTreeSet<_> = stack
        .api
        .methods
        .iter()
        .filter(|method| !is_open(method))
        .map(|method| {
            let binary = stack.functions[method.function().unwrap()].binary.as_str();
            (method.verb.as_str(), method.resource.as_str(), binary)
        })
        .collect();
    let table = ROUTES.routes().iter().map(|route| {
        (
            route.method().as_str(),
            route.path(),
            function_of(route.name()).unwrap_or_else(|| panic!("{route} is served")),
        )
    });
    assert_eq!(deployed, table.collect());
    assert_eq!(stack.api.methods.len(), ROUTES.routes().len() + 1);
}

/// The token endpoint is not in the route table, because its callers have no token yet.
fn is_open(method: &ApiMethod) -> bool {
    (method.verb.as_str(), method.resource.as_str()) == ("POST", "/token")
}

#[test]
fn every_method_asks_the_authorizer_and_for_an_api_key() {
    let stack = stack();
    for method in &stack.api.methods {
        let name = format!("{} {}", method.verb, method.resource);
        if is_open(method) {
            assert_eq!(stack.functions[method.function().unwrap()].binary, "token");
            assert!(method.authorizer().is_none() && !method.api_key_required);
            continue;
        }
        let authorizer = method.authorizer().unwrap_or_else(|| panic!("{name} is open"));
        let function = &stack.api.authorizers[authorizer].function;
        assert_eq!(stack.functions[function].binary, "authorizer", "{name}");
        assert!(method.api_key_required, "{name}");
    }
}

#[test]
fn the_resource_servers_have_the_scopes_of_the_table() {
    let stack = stack();
    let pool = stack.user_pool.unwrap();
    let declared: BTreeSet<String> = pool
        .resource_servers
        .iter()
        .flat_map(|(server, names)| names.iter().map(move |name| format!("{server}/{name}")))
        .collect();
    let asked = ROUTES.routes().iter().flat_map(access::Route::scopes).map(ToString::to_string);
    assert_eq!(declared, asked.collect());
}

#[test]
fn the_clients_have_the_documented_scopes() {
    let pool = stack().user_pool.unwrap();
    let clients: BTreeMap<_, _> =
        pool.clients.values().map(|client| (client.name.as_str(), client.scopes.join(" "))).collect();
    insta::assert_debug_snapshot!(clients, @r#"
    {
        "order-service": "inventory/read inventory/write",
        "payment-service": "orders/read orders/status",
        "report-service": "orders/read payments/read",
        "storefront": "inventory/read inventory/write orders/read orders/write payments/read payments/write reports/read reports/write",
    }
    "#);
}

#[test]
fn every_client_has_a_usage_plan_and_the_authorizer_lets_every_client_in() {
    let stack = stack();
    let pool = stack.user_pool.unwrap();
    let authorizer = stack.functions.values().find(|function| function.binary == "authorizer").unwrap();
    let listed: BTreeSet<&str> = authorizer.environment["CLIENT_IDS"].split(',').collect();
    let planned: BTreeSet<&str> =
        stack.api.usage_plans.iter().flat_map(|plan| &plan.api_keys).map(String::as_str).collect();
    let clients: BTreeSet<&str> = pool.clients.values().map(|client| client.id.as_str()).collect();
    assert_eq!(listed, clients);
    assert_eq!(planned, clients);
}
