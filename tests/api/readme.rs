//! The README's tables agree with the code.

use handlers::routes::{ROUTES, function_of};

use crate::template;

const README: &str = include_str!("../../README.md");

/// The rows of the table with this head, without the line below it.
fn table(head: &str) -> Vec<&'static str> {
    let (_, rest) = README.split_once(head).unwrap_or_else(|| panic!("no table `{head}`"));
    rest.lines().skip(2).take_while(|line| line.starts_with('|')).collect()
}

#[test]
fn the_routes_are_those_of_the_table() {
    let rows = ROUTES.routes().iter().map(|route| {
        let scopes: Vec<&str> = route.scopes().iter().map(access::Scope::as_str).collect();
        format!("| {route} | {} | {} |", scopes.join(" "), function_of(route.name()).unwrap())
    });
    assert_eq!(table("| Route | Scope | Function |"), rows.collect::<Vec<_>>());
}

#[test]
fn the_clients_are_those_of_the_template() {
    let pool = template::stack().user_pool.unwrap();
    let mut rows: Vec<String> = pool
        .clients
        .values()
        .map(|client| format!("| {} | {} |", client.name, client.scopes.join(" ")))
        .collect();
    rows.sort();
    assert_eq!(table("| Client | Scopes |"), rows);
}
