//! The calls that are made, and what the route table says about each.

use std::collections::BTreeSet;

pub(crate) const SCOPES: [&str; 9] = [
    "inventory/read",
    "inventory/write",
    "orders/read",
    "orders/status",
    "orders/write",
    "payments/read",
    "payments/write",
    "reports/read",
    "reports/write",
];

/// The route table, repeated so that a change to `routes.json` fails here.
pub(crate) const TABLE: [(&str, &str, &str); 12] = [
    ("GET", "/inventory", "inventory/read"),
    ("GET", "/inventory/{sku}", "inventory/read"),
    ("POST", "/inventory", "inventory/write"),
    ("POST", "/orders", "orders/write"),
    ("GET", "/orders", "orders/read"),
    ("GET", "/orders/{id}", "orders/read"),
    ("PATCH", "/orders/{id}", "orders/status"),
    ("POST", "/payments", "payments/write"),
    ("GET", "/payments", "payments/read"),
    ("GET", "/payments/{id}", "payments/read"),
    ("POST", "/reports", "reports/write"),
    ("GET", "/reports/{date}", "reports/read"),
];

/// Parameter values that match their route.
const VALUES: [&str; 24] = [
    "7",
    "A-1",
    "inventory",
    "orders",
    "%2F",
    "a%2Fb",
    "%2F..%2Finventory",
    "*",
    "%2A",
    "%3F",
    "a:b",
    "a;b",
    "@",
    "$",
    "${id}",
    "{id}",
    "%7Bid%7D",
    "%00",
    "%0D%0A",
    "%E6%97%A5",
    "%FF",
    "%",
    "...",
    "~",
];
/// Parameter values that match no route; a proxy might resolve them.
const NOWHERE: [&str; 6] = [".", "..", "%2e%2e", "%2E", ".%2e", "7/lines"];

/// The stage of the API, as the start of a method ARN.
pub(crate) const STAGE: &str = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/";

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: &'static str,
    pub(crate) target: String,
    /// The row of the table that answers, if any.
    row: Option<usize>,
    /// Whether this is an ordinary call.
    pub(crate) is_plain: bool,
}

/// Every call: each route with each parameter value, with and without a trailing slash, and calls that match no route.
pub(crate) fn all() -> Vec<Call> {
    let mut calls = Vec::new();
    for (row, (verb, path, _)) in TABLE.into_iter().enumerate() {
        let mut add = |target: String, row, is_plain| calls.push(Call { verb, target, row, is_plain });
        match path.split_once('{') {
            None => {
                add(path.to_owned(), Some(row), true);
                add(format!("{path}/"), Some(row), false);
                add(format!("{path}?"), Some(row), false);
                add(format!("{path}?x=/orders/7"), Some(row), false);
                for odd in ["//", "/%2e", "/..", ";x", "%2F", "x", "/a/b/c"] {
                    add(format!("{path}{odd}"), None, false);
                }
            }
            Some((before, _)) => {
                for value in VALUES {
                    add(format!("{before}{value}"), Some(row), value == "7");
                }
                add(format!("{before}7/"), Some(row), false);
                add(format!("{before}{}", "x".repeat(1200)), Some(row), false);
                for value in NOWHERE {
                    add(format!("{before}{value}"), None, false);
                }
            }
        }
    }
    // Verbs without a route, and unknown paths.
    for (verb, target) in [
        ("DELETE", "/inventory/7"),
        ("PUT", "/orders/7"),
        ("HEAD", "/orders"),
        ("OPTIONS", "/orders"),
        ("PATCH", "/inventory/7"),
        ("POST", "/orders/7"),
        ("get", "/orders"),
        ("GET", "/reports"),
        ("GET", "/"),
        ("GET", "//orders"),
        ("GET", "/Orders"),
        ("GET", "/%6frders"),
        ("GET", "/dev/orders"),
        ("GET", "/*"),
    ] {
        calls.push(Call { verb, target: target.to_owned(), row: None, is_plain: false });
    }
    calls
}

impl Call {
    pub(crate) fn is_routed(&self) -> bool {
        self.row.is_some()
    }

    /// Whether the table allows this call to a holder of these scopes.
    pub(crate) fn is_covered(&self, held: &BTreeSet<&str>) -> bool {
        self.row.is_some_and(|row| held.contains(TABLE[row].2))
    }

    /// The same, except calls with a trailing slash that no wildcard matches: a policy may refuse more than the table,
    /// never less.
    pub(crate) fn is_allowed(&self, held: &BTreeSet<&str>) -> bool {
        let is_by_wildcard = |prefix: &str| {
            TABLE.iter().any(|(verb, path, scope)| {
                *verb == self.verb && path.starts_with(prefix) && path.contains('{') && held.contains(scope)
            })
        };
        let path = self.path();
        self.is_covered(held) && (!path.ends_with('/') || self.is_parameter() || is_by_wildcard(path))
    }

    fn is_parameter(&self) -> bool {
        self.row.is_some_and(|row| TABLE[row].1.contains('{'))
    }

    /// The target without its query.
    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The method ARN of the call.
    pub(crate) fn arn(&self, stage: &str) -> String {
        format!("{stage}{}{}", self.verb, self.path())
    }

    /// Compares the outcome with the table: the function of the row answers, or none is reached.
    pub(crate) fn check(&self, held: &BTreeSet<&str>, (status, body): &(u16, String)) {
        let told = format!("{} {}, held {held:?}: {status} {body}", self.verb, self.target);
        let Some(row) = self.row else {
            assert!(*status == 404 && body.contains(r#""error":"not_found""#), "{told}");
            return;
        };
        if self.is_allowed(held) {
            let (verb, path, _) = TABLE[row];
            assert!(*status == 200 && *body == format!("{verb} {path}"), "{told}");
        } else {
            // Refused by the policy: the function was not called.
            assert!(*status == 403 && body.contains("insufficient_scope"), "{told}");
        }
    }
}

/// Other stages, each different in one part of the ARN.
pub(crate) fn elsewhere() -> Vec<String> {
    let changes = [
        ("arn:aws:", "arn:aws-cn:"),
        (":execute-api:", ":execute-apis:"),
        ("us-east-1", "us-east-2"),
        ("us-east-1", "us-east-11"),
        ("123456789012", "123456789013"),
        ("a1b2c3d4e5", "a1b2c3d4e6"),
        ("a1b2c3d4e5", "a1b2c3d4e5x"),
        ("a1b2c3d4e5", "xa1b2c3d4e5"),
        ("/dev/", "/prod/"),
        ("/dev/", "/dev2/"),
        ("/dev/", "/predev/"),
        ("/dev/", "/DEV/"),
        ("/dev/", "/dev/dev/"),
        ("/dev/", "/dev//"),
        ("/dev/", "/"),
    ];
    changes.iter().map(|(from, to)| STAGE.replace(from, to)).collect()
}
