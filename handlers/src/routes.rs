//! The routes of the API, as the file `routes.json` at the root has them: a copy of it is compiled in.

use std::sync::LazyLock;

use access::Table;

use crate::{
    entry::Service, inventory::Inventory, orders::Orders, payments::Payments, reports::Reports,
    upstream::ClientApi,
};

/// Every route of the API and the scopes that it needs.
#[expect(clippy::expect_used, reason = "the file is a part of the program: every test would fail")]
pub static ROUTES: LazyLock<Table> = LazyLock::new(|| {
    Table::from_json(include_str!("../../routes.json")).expect("routes.json is a route table")
});

/// Each function, by the name of its binary, with the routes that it serves.
pub const FUNCTIONS: [(&str, &[&str]); 4] = [
    ("inventory", <Inventory as Service>::ROUTES),
    ("order", <Orders<ClientApi> as Service>::ROUTES),
    ("payment", <Payments<ClientApi> as Service>::ROUTES),
    ("report", <Reports<ClientApi> as Service>::ROUTES),
];

/// The function that serves the route of this name.
pub fn function_of(route: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(_, routes)| routes.contains(&route)).map(|(function, _)| *function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_served_by_one_function_and_nothing_else_is_served() {
        let mut served: Vec<&str> = FUNCTIONS.iter().flat_map(|(_, routes)| *routes).copied().collect();
        let mut routes: Vec<&str> = ROUTES.routes().iter().map(access::Route::name).collect();
        served.sort_unstable();
        routes.sort_unstable();
        assert_eq!(served, routes);
    }
}
