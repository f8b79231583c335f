//! Where a route table and the API of a template differ.

use std::collections::BTreeSet;

use access::{Method, Table};
use gateway::rest::api::{Api, ApiMethod};

/// One line for each difference; none if every route behind an authorizer is in the table, and no other.
pub(super) fn between(table: &Table, api: &Api) -> Vec<String> {
    let methods = || api.methods.iter().flat_map(|method| verbs(method, api).map(move |verb| (verb, method)));
    let name = |(verb, method): (Method, &ApiMethod)| format!("{verb} {}", method.resource);
    let guarded: BTreeSet<String> = methods().filter(|(_, m)| m.authorizer().is_some()).map(name).collect();
    let open: BTreeSet<String> = methods().filter(|(_, m)| m.authorizer().is_none()).map(name).collect();
    let known: BTreeSet<&str> = table.routes().iter().map(access::Route::name).collect();
    let missing = guarded.iter().filter(|route| !known.contains(route.as_str()));
    let missing =
        missing.map(|route| format!("`{route}` is in the template only: every call of it would be 403"));
    let left = known.iter().filter(|route| !guarded.contains(**route)).map(|route| {
        if open.contains(*route) {
            format!("`{route}` is in the table, but the template asks no authorizer about it")
        } else {
            format!("`{route}` is in the table only: the template does not serve it")
        }
    });
    missing.chain(left).collect()
}

/// The verbs that a method of the template answers: `ANY` those that the resource does not have itself.
fn verbs<'a>(method: &'a ApiMethod, api: &'a Api) -> impl Iterator<Item = Method> + 'a {
    let is_own = |verb: Method, resource: &str| {
        api.methods.iter().any(|other| other.resource == resource && other.verb == verb.as_str())
    };
    Method::ALL.into_iter().filter(move |verb| {
        method.verb == verb.as_str() || (method.verb == "ANY" && !is_own(*verb, &method.resource))
    })
}
