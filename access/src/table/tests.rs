//! Tables that are refused, and the router compared with a slower one.

use proptest::prelude::*;

use super::*;
use crate::{
    route::{PathError, Segment},
    scope::ScopeSet,
};

fn names(table: &Table) -> Vec<&str> {
    table.routes().iter().map(Route::name).collect()
}

#[test]
fn our_own_table_is_sound() {
    let text = include_str!("../../../routes.json");
    let entries: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    let table = Table::from_json(text).unwrap();
    assert_eq!(table.routes().len(), entries.len());
    assert!(table.routes().iter().all(|route| route.to_string() == route.name()));
}

#[test]
fn a_route_is_covered_by_whoever_holds_all_of_its_scopes() {
    let table = Table::from_json(r#"{"GET /o": ["a/a", "b/b"], "GET /p": []}"#).unwrap();
    for (held, expected) in
        [("", false), ("a/a", false), ("b/b c/c", false), ("a/a b/bb", false), ("b/b x/x a/a", true)]
    {
        let held = ScopeSet::parse(held).unwrap();
        let covered = table.routes().iter().map(|route| route.is_covered_by(&held));
        assert_eq!(covered.collect::<Vec<_>>(), [expected, true], "{held}");
    }
}

#[test]
fn any_is_each_verb_that_the_path_does_not_have_itself() {
    let table = Table::from_json(r#"{"ANY /o": ["a/a"], "GET /o": ["b/b"], "GET /o/x": ["a/a"]}"#).unwrap();
    insta::assert_snapshot!(
        names(&table).join(", "),
        @"DELETE /o, HEAD /o, OPTIONS /o, PATCH /o, POST /o, PUT /o, GET /o, GET /o/x"
    );
    assert_eq!(table.route_of(Method::Get, "o").unwrap().scopes()[0].as_str(), "b/b");
}

#[test]
fn unsound_tables_are_refused() {
    let path = |route: &str, error| TableError::Path(route.to_owned(), error);
    let scope = |scope: &str, error| TableError::Scope("GET /o".to_owned(), scope.to_owned(), error);
    let parameters = |a: &str, b: &str| TableError::Parameters(a.to_owned(), b.to_owned());
    let name = "GET /o".to_owned();
    let cases = [
        ("no routes", "{}", TableError::Empty),
        ("no path", r#"{"GET": []}"#, TableError::Form("GET".to_owned())),
        ("no verb", r#"{"/o": []}"#, TableError::Form("/o".to_owned())),
        ("small verb", r#"{"get /o": []}"#, TableError::Verb("get /o".to_owned())),
        ("other verb", r#"{"TRACE /o": []}"#, TableError::Verb("TRACE /o".to_owned())),
        ("two spaces", r#"{"GET  /o": []}"#, path("GET  /o", PathError::Slash)),
        ("space at the end", r#"{"GET /o ": []}"#, path("GET /o ", PathError::Segment)),
        ("slash at the end", r#"{"ANY /o/": []}"#, path("ANY /o/", PathError::Empty)),
        ("one scope", r#"{"GET /o": "a/a"}"#, TableError::Scopes(name.clone())),
        ("no list", r#"{"GET /o": null}"#, TableError::Scopes(name.clone())),
        ("a number", r#"{"GET /o": ["a/a", 1]}"#, TableError::Scopes(name.clone())),
        ("no resource server", r#"{"GET /o": ["read:o"]}"#, scope("read:o", ScopeError::Shape)),
        ("two in one", r#"{"GET /o": ["a/a b/b"]}"#, scope("a/a b/b", ScopeError::Character)),
        ("key twice", r#"{"GET /o": ["a/a"], "GET /o": ["a/a"]}"#, TableError::Twice(name.clone())),
        ("escaped key twice", r#"{"GET /o": [], "GET \u002fo": []}"#, TableError::Twice(name)),
        (
            "only the parameter's name differs",
            r#"{"GET /o/{a}": [], "GET /o/{b}": []}"#,
            parameters("GET /o/{a}", "GET /o/{b}"),
        ),
        (
            "names at one place",
            r#"{"GET /o/{a}": [], "POST /o/{b}/x": []}"#,
            parameters("GET /o/{a}", "POST /o/{b}/x"),
        ),
        (
            "greedy beside a parameter",
            r#"{"GET /o/{a}/x": [], "ANY /o/{a+}": []}"#,
            parameters("GET /o/{a}/x", "DELETE /o/{a+}"),
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(Table::from_json(text).unwrap_err(), expected, "{name}");
    }
    for text in ["", "[]", "null", r#"["GET /o"]"#, r#"{"GET /o": []} x"#, r#"{"GET /o": []"#, "{]"] {
        assert!(matches!(Table::from_json(text), Err(TableError::Json(_))), "{text}");
    }
    for text in [
        r#"{"GET /o/{a}": [], "GET /o/{a}/x": [], "GET /o/latest": [], "POST /o/{a}": []}"#,
        r#"{"GET /o/{a+}": [], "GET /o/x/{b}": [], "GET /o": [], "GET /": []}"#,
    ] {
        Table::from_json(text).unwrap();
    }
}

#[test]
fn a_table_has_500_routes_and_512_kib_at_most() {
    let table = |routes: usize, blanks: usize| {
        let routes: Vec<String> = (0..routes).map(|number| format!(r#""GET /r{number}": []"#)).collect();
        Table::from_json(&format!("{{{}{}}}", routes.join(","), " ".repeat(blanks)))
    };
    assert_eq!(table(500, 0).unwrap().routes().len(), 500);
    assert_eq!(table(501, 0).unwrap_err(), TableError::Many(501));
    let most = 512 * 1024 - r#"{"GET /r0": []}"#.len();
    assert_eq!(table(1, most).unwrap().routes().len(), 1);
    assert_eq!(table(1, most + 1).unwrap_err(), TableError::Large);
}

#[test]
fn the_most_specific_resource_takes_a_call() {
    let text = r#"{
        "GET /": [], "GET /o": [], "GET /o/latest": [], "GET /o/{id}": [], "POST /o/{id}/{line}": [],
        "PUT /o/new": [], "GET /o/{id}/tax": [], "ANY /f/{path+}": [], "GET /f/a/b": []
    }"#;
    let table = Table::from_json(text).unwrap();
    let cases = [
        ("", Some("GET /")),
        ("/", None),
        ("o", Some("GET /o")),
        ("o/", Some("GET /o")),
        ("o//", None),
        ("o/latest", Some("GET /o/latest")),
        ("o/latest/", Some("GET /o/latest")),
        ("o/Latest", Some("GET /o/{id}")),
        ("o/a%2Fb", Some("GET /o/{id}")),
        ("o/new", None),
        ("o/7/tax", Some("GET /o/{id}/tax")),
        ("o/latest/tax", Some("GET /o/{id}/tax")),
        ("o/7/lines", None),
        ("f", None),
        ("f/a", Some("GET /f/{path+}")),
        ("f/a/b", Some("GET /f/a/b")),
        ("f/a/b/c/", Some("GET /f/{path+}")),
        ("f/a//b", None),
        ("x", None),
    ];
    for (path, expected) in cases {
        assert_eq!(table.route_of(Method::Get, path).map(Route::name), expected, "{path}");
    }
}

#[test]
fn lookup_takes_method_and_resource_to_the_letter() {
    let table = Table::from_json(r#"{"GET /orders/{id}": []}"#).unwrap();
    assert!(table.by_resource("GET", "/orders/{id}").is_some());
    for (method, resource) in
        [("get", "/orders/{id}"), ("GET", "/orders/7"), ("DELETE", "/orders/{id}"), ("GET", "/orders/{id}/")]
    {
        assert!(table.by_resource(method, resource).is_none(), "{method} {resource}");
    }
}

/// A path of up to four segments, its parameters named after their place.
fn paths() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "a", "b", "{}", "{}", "{+}"]);
    prop::collection::vec(segment, 0..5).prop_map(|segments| {
        let end = segments.iter().position(|segment| *segment == "{+}").map_or(segments.len(), |at| at + 1);
        let name = |(depth, segment): (usize, &&str)| {
            let kind = if *segment == "{+}" { "g" } else { "p" };
            segment.replace('{', &format!("{{{kind}{depth}"))
        };
        let named: Vec<String> = segments[..end].iter().enumerate().map(name).collect();
        format!("/{}", named.join("/"))
    })
}

/// How specific a resource is that matches these parts, if it does: one rank for each segment.
fn ranks(route: &Route, parts: &[&str]) -> Option<Vec<u8>> {
    let mut ranks = Vec::new();
    for (at, segment) in route.segments().iter().enumerate() {
        match segment {
            Segment::Literal(text) if text == parts.get(at)? => ranks.push(0),
            Segment::Literal(_) => return None,
            Segment::Parameter(_) => ranks.push(parts.get(at).map(|_| 1)?),
            Segment::Greedy(_) => return parts.get(at).map(|_| [ranks, vec![2]].concat()),
        }
    }
    (parts.len() == route.segments().len()).then_some(ranks)
}

proptest! {
    #[test]
    fn the_router_takes_the_first_of_all_that_match(
        mut routes in prop::collection::vec((prop::sample::select(vec!["GET", "POST", "ANY"]), paths()), 1..6),
        call in prop::collection::vec(prop::sample::select(vec!["a", "b", "x"]), 0..6),
    ) {
        routes.sort();
        routes.dedup();
        let text: Vec<String> = routes.iter().map(|(verb, path)| format!(r#""{verb} {path}": []"#)).collect();
        let table = Table::from_json(&format!("{{{}}}", text.join(",")));
        prop_assume!(table.is_ok());
        let table = table.unwrap();
        let best = table.routes().iter().filter_map(|route| ranks(route, &call)).min();
        let expected = table.routes().iter().find(|route| {
            route.method() == Method::Get && best.is_some() && ranks(route, &call) == best
        });
        for end in ["", "/"] {
            if end.is_empty() || !call.is_empty() {
                let path = format!("{}{end}", call.join("/"));
                prop_assert_eq!(table.route_of(Method::Get, &path), expected, "{}", path);
            }
        }
    }

    #[test]
    fn any_text_is_refused_or_read(text in r#".{0,60}|\{"(GET|ANY|get) /[a{}+/.]{0,12}":( )?\[("[a/]{0,4}")?\]\}"#) {
        if let Ok(table) = Table::from_json(&text) {
            for route in table.routes() {
                prop_assert_eq!(table.by_resource(route.method().as_str(), route.path()), Some(route));
            }
        }
    }
}
