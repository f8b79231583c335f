//! Which paths find which resource.

use proptest::prelude::*;

use super::*;
use crate::rest::tests::support::{api, method};

const ROUTES: [&str; 9] = [
    "GET /",
    "GET /inventory",
    "GET /inventory/{sku}",
    "POST /inventory/search",
    "POST /inventory",
    "GET /orders/{id}/lines/{line}",
    "ANY /any",
    "PUT /any",
    "ANY /files/{rest+}",
];

fn router(routes: &[&str]) -> Result<Router, GatewayError> {
    let mut api = api();
    api.methods = routes
        .iter()
        .map(|route| {
            let (verb, resource) = route.split_once(' ').unwrap();
            method(verb, resource)
        })
        .collect();
    Router::new(&api)
}

/// `VERB /template name=value…`, or nothing.
fn find(verb: &str, path: &str) -> String {
    router(&ROUTES).unwrap().find(verb, path).map_or(String::new(), |matched| {
        let mut found = vec![format!("{} {}", matched.method.verb, matched.method.resource)];
        found.extend(matched.parameters.iter().map(|(name, value)| format!("{name}={value}")));
        found.join(" ")
    })
}

proptest! {
    #[test]
    fn no_path_finds_a_resource_of_another_number_of_segments(path in "/[a-c/.%2eF]{0,12}") {
        let matched = router(&["GET /{a}/{b}"]).unwrap().find("GET", &path);
        let slashes = path.strip_suffix('/').unwrap_or(&path).matches('/').count();
        prop_assert!(matched.is_none() || slashes == 2, "{path}");
    }
}

#[test]
fn row_20_paths_find_their_resource() {
    let cases = [
        ("GET", "/", "GET /"),
        ("GET", "/inventory", "GET /inventory"),
        ("GET", "/inventory/", "GET /inventory"),
        ("GET", "/inventory/A-1", "GET /inventory/{sku} sku=A-1"),
        ("GET", "/inventory/A-1/", "GET /inventory/{sku} sku=A-1"),
        ("GET", "/inventory/a%2Fb", "GET /inventory/{sku} sku=a%2Fb"),
        ("GET", "/inventory/a%252Fb", "GET /inventory/{sku} sku=a%252Fb"),
        ("GET", "/inventory/a+b%20c", "GET /inventory/{sku} sku=a+b%20c"),
        ("GET", "/inventory/...", "GET /inventory/{sku} sku=..."),
        ("POST", "/inventory/search", "POST /inventory/search"),
        ("GET", "/orders/7/lines/2", "GET /orders/{id}/lines/{line} id=7 line=2"),
        ("PUT", "/any", "PUT /any"),
        ("PATCH", "/any", "ANY /any"),
        ("DELETE", "/files/a/b%2Fc", "ANY /files/{rest+} rest=a/b%2Fc"),
    ];
    for (verb, path, expected) in cases {
        assert_eq!(find(verb, path), expected, "{verb} {path}");
    }
}

#[test]
fn row_16_and_20_other_paths_and_verbs_find_nothing() {
    let cases = [
        ("GET", "/nothing"),
        ("GET", ""),
        ("GET", "inventory"),
        ("GET", "//"),
        ("GET", "//inventory"),
        ("GET", "/inventory//"),
        ("GET", "/inventory//A-1"),
        ("GET", "/./inventory"),
        ("GET", "/x/../inventory"),
        ("GET", "/inventory/."),
        ("GET", "/inventory/.."),
        ("GET", "/inventory/%2e%2E"),
        ("GET", "/inventory/.%2e"),
        ("GET", "/Inventory"),
        ("GET", "/INVENTORY"),
        ("GET", "/%69nventory"),
        ("GET", "/inventory%2FA-1"),
        ("GET", "/inventory/A-1/more"),
        ("GET", "/inventory;x=1"),
        ("DELETE", "/inventory"),
        ("HEAD", "/inventory"),
        ("get", "/inventory"),
        ("ANY", "/any"),
        ("PROPFIND", "/any"),
        ("GET", "/inventory/search"),
        ("GET", "/files"),
    ];
    for (verb, path) in cases {
        assert_eq!(find(verb, path), "", "{verb} {path}");
    }
}

#[test]
fn row_15_what_could_not_be_deployed_stops_the_start() {
    let cases: [(&[&str], GatewayError); 9] = [
        (&["FETCH /a"], GatewayError::Verb("FETCH /a".into())),
        (&["get /a"], GatewayError::Verb("get /a".into())),
        (&["GET a"], GatewayError::Path("GET a".into())),
        (&["GET /a//b"], GatewayError::Path("GET /a//b".into())),
        (&["GET /{a+}/b"], GatewayError::Path("GET /{a+}/b".into())),
        (&["GET /{a}/{a}"], GatewayError::Path("GET /{a}/{a}".into())),
        (&["GET /x{a}"], GatewayError::Path("GET /x{a}".into())),
        (&["GET /a/{b}", "GET /a/{b}"], GatewayError::Twice("GET /a/{b}".into())),
        (&["GET /a/{b}", "POST /a/{c}"], GatewayError::Siblings("/a/{c}".into())),
    ];
    for (routes, expected) in cases {
        assert_eq!(router(routes).err(), Some(expected), "{routes:?}");
    }
}
