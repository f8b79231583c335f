//! Policies against a small evaluator and a router of the tests' own: over the table, and over random ones.

use access::{Function, Method, ROUTES, Scope};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

const ARN: &str = "arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/GET/orders";
const STAGE: &str = "arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/";

const A: Scope<'static> = Scope::of_table("a/a");
const B: Scope<'static> = Scope::of_table("b/b");
const C: Scope<'static> = Scope::of_table("c/c");

const fn get(path: &'static str, scopes: &'static [Scope<'static>]) -> Route {
    Route::new(Method::Get, path, scopes, Function::Order)
}

fn leak<T>(value: Vec<T>) -> &'static [T] {
    Vec::leak(value)
}

/// A statement as IAM reads it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Read {
    action: String,
    effect: String,
    resource: Vec<String>,
}

/// Effect and resource of every statement, for who holds these scopes, as the text says it.
fn policy(table: &Table, scopes: &str) -> Vec<(String, String)> {
    let arn = MethodArn::parse(ARN).unwrap();
    let text = written(&table.statements(&ScopeSet::parse(scopes).unwrap()), &arn).unwrap();
    let statements: Vec<Read> = serde_json::from_str(text.get()).unwrap();
    let pairs = statements.into_iter().flat_map(|statement| {
        assert_eq!(statement.action, "execute-api:Invoke");
        let effect = statement.effect;
        statement.resource.into_iter().map(move |resource| (effect.clone(), resource))
    });
    pairs.collect()
}

/// What IAM makes of it: an explicit Deny wins, and nothing is allowed that no Allow names.
fn allows(policy: &[(String, String)], resource: &str) -> bool {
    let is_named = |effect| {
        policy.iter().any(|(e, pattern)| *e == effect && glob(pattern.as_bytes(), resource.as_bytes()))
    };
    is_named("Allow") && !is_named("Deny")
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|from| glob(rest, &text[from..])),
        ([p, rest @ ..], [t, tail @ ..]) => (*p == b'?' || p == t) && glob(rest, tail),
        ([], []) => true,
        ([], _) | (_, []) => false,
    }
}

/// The router's choice, segment by segment: the literal branch first, then the parameter's.
fn routed<'r>(routes: &'r [Route], verb: &str, path: &str) -> Option<&'r Route> {
    fn descend<'r>(candidates: Vec<&'r Route>, depth: usize, parts: &[&str]) -> Option<&'r Route> {
        let segment = |route: &Route| route.segments().nth(depth);
        let [part, rest @ ..] = parts else {
            return candidates.into_iter().find(|route| segment(route).is_none());
        };
        let (mut literal, mut parameter) = (Vec::new(), Vec::new());
        for route in candidates {
            match segment(route) {
                Some(access::route::Segment::Literal(text)) if text == *part => literal.push(route),
                Some(access::route::Segment::Parameter(_)) if !part.is_empty() => parameter.push(route),
                Some(_) | None => {}
            }
        }
        descend(literal, depth + 1, rest).or_else(|| descend(parameter, depth + 1, rest))
    }
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    descend(routes.iter().filter(|route| route.method.as_str() == verb).collect(), 0, &parts)
}

/// Every path of up to three segments over these, with and without a slash at the end, but for the ends that no
/// router takes.
fn paths(segments: &[&str]) -> Vec<String> {
    let mut level = vec![String::new()];
    let mut all = Vec::new();
    for _ in 0..3 {
        let longer = |path: &String, segment: &&str| {
            if path.is_empty() { (*segment).to_owned() } else { format!("{path}/{segment}") }
        };
        level =
            level.iter().flat_map(|path| segments.iter().map(move |segment| longer(path, segment))).collect();
        all.extend(level.iter().flat_map(|path| [path.clone(), format!("{path}/")]));
    }
    all
}

/// The first call, if any, for which the policy is not what the scopes say.
fn mistake(table: &Table, routes: &[Route], scopes: &str, calls: &[(&str, String)]) -> Option<String> {
    let held = ScopeSet::parse(scopes).unwrap();
    let policy = policy(table, scopes);
    calls.iter().find_map(|(verb, path)| {
        let route = routed(routes, verb, path)?;
        let is_allowed = allows(&policy, &format!("{STAGE}{verb}/{path}"));
        let is_covered = route.is_covered_by(&held);
        // A covered route may be refused with a slash at its end, never the other way round.
        let is_right = is_allowed == is_covered || (is_covered && path.ends_with('/'));
        (!is_right).then(|| format!("{verb} /{path} -> {route}, held `{scopes}`, allowed {is_allowed}"))
    })
}

fn subsets(scopes: &[Scope<'_>]) -> Vec<String> {
    let chosen = |bits: usize| {
        let held = scopes.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        held.map(|(_, scope)| scope.as_str()).collect::<Vec<_>>().join(" ")
    };
    (0..1_usize << scopes.len()).map(chosen).collect()
}

#[test]
fn our_table_has_an_exact_policy_for_every_set_of_scopes() {
    let table = Table::new(ROUTES).unwrap();
    let mut scopes: Vec<Scope<'_>> = ROUTES.iter().flat_map(|route| route.scopes.iter().copied()).collect();
    scopes.sort();
    scopes.dedup();
    let odd = ["7", "A-1", "a%2Fb", "..", "*", "?", "orders", "%2e%2e", "x y", "${id}"];
    let mut calls = Vec::new();
    for route in ROUTES {
        for value in odd {
            for end in ["", "/"] {
                let path = route.path.trim_start_matches('/').replace(['{', '}'], "");
                let path = path.replace("/sku", &format!("/{value}")).replace("/id", &format!("/{value}"));
                let path = path.replace("/date", &format!("/{value}"));
                calls.push((route.method.as_str(), format!("{path}{end}")));
            }
        }
    }
    for held in subsets(&scopes) {
        assert_eq!(mistake(&table, ROUTES, &held, &calls), None);
    }
}

#[test]
fn a_route_that_a_wildcard_crosses_into_is_denied() {
    let routes = leak(vec![
        get("/orders/{id}", &[A]),
        get("/orders", &[B]),
        get("/orders/{id}/lines", &[C]),
        get("/other", &[C]),
    ]);
    let table = Table::new(routes).unwrap();
    let shown = |scopes| {
        let lines: Vec<String> =
            policy(&table, scopes).iter().map(|(e, r)| format!("{e} {}", r.replace(STAGE, ""))).collect();
        lines.join("\n")
    };
    insta::assert_snapshot!(shown("a/a"), @r#"
    Allow GET/orders/*
    Deny GET/orders
    Deny GET/orders/
    Deny GET/orders/*/lines
    Deny GET/orders/*/lines/
    "#);
    insta::assert_snapshot!(shown("a/a b/b"), @r#"
    Allow GET/orders/*
    Allow GET/orders
    Deny GET/orders/*/lines
    Deny GET/orders/*/lines/
    "#);
    insta::assert_snapshot!(shown("a/a b/b c/c"), @r#"
    Allow GET/orders/*
    Allow GET/orders
    Allow GET/orders/*/lines
    Allow GET/other
    "#);
    insta::assert_snapshot!(shown("b/b"), @"Allow GET/orders");
    insta::assert_snapshot!(shown("d/d"), @"Deny *");
}

#[test]
fn a_literal_under_a_parameter_that_is_not_covered_stays_allowed() {
    let routes = leak(vec![get("/orders/latest", &[A]), get("/orders/{id}", &[B])]);
    let table = Table::new(routes).unwrap();
    assert_eq!(policy(&table, "a/a"), [("Allow".to_owned(), format!("{STAGE}GET/orders/latest"))]);
    let both = policy(&table, "b/b");
    assert!(both.contains(&("Deny".to_owned(), format!("{STAGE}GET/orders/latest"))));
    assert!(allows(&both, &format!("{STAGE}GET/orders/7")));
}

#[test]
fn a_table_without_an_exact_policy_is_refused() {
    let routes = leak(vec![get("/{a}/{b}", &[A]), get("/orders/{b}", &[B]), get("/orders/latest", &[A])]);
    let refused = Table::new(routes).unwrap_err();
    insta::assert_snapshot!(refused, @"no policy can allow `GET /{a}/{b}` and `GET /orders/latest` but deny `GET /orders/{b}`: change a path, or the scopes");
    let same_scope = leak(vec![get("/{a}/{b}", &[A]), get("/orders/{b}", &[A]), get("/orders/latest", &[A])]);
    assert!(Table::new(same_scope).is_ok());
    assert!(matches!(Table::new(leak(vec![get("/a", &[])])), Err(TableError::Unsound(_))));
}

#[test]
fn a_resource_may_have_512_characters() {
    let table = Table::new(leak(vec![get("/a", &[A])])).unwrap();
    let statements = |stage: usize| {
        let text = format!("arn:aws:execute-api:eu-west-1:123456789012:abc/{}/GET/a", "s".repeat(stage));
        let length = text.len();
        let arn = MethodArn::parse(&text).unwrap();
        (length, written(&table.statements(&ScopeSet::parse("a/a").unwrap()), &arn).is_ok())
    };
    assert_eq!(statements(459), (512, true));
    assert_eq!(statements(460), (513, false));
}

#[test]
fn calls_are_named_as_the_router_gives_them() {
    let routes = leak(vec![get("/orders/latest", &[A]), get("/orders/{id}", &[A]), get("/orders", &[A])]);
    let table = Table::new(routes).unwrap();
    let cases = [
        ("GET/orders", Some("GET /orders")),
        ("GET/orders/", Some("GET /orders")),
        ("GET/orders//", None),
        ("GET/orders/latest", Some("GET /orders/latest")),
        ("GET/orders/latest/", Some("GET /orders/latest")),
        ("GET/orders/Latest", Some("GET /orders/{id}")),
        ("GET/orders/a%2Fb", Some("GET /orders/{id}")),
        ("GET/orders/7/lines", None),
        ("GET/", None),
        ("POST/orders", None),
    ];
    for (call, expected) in cases {
        let text = format!("{STAGE}{call}");
        let arn = MethodArn::parse(&text).unwrap();
        assert_eq!(table.called(&arn).map(|(_, name)| name), expected, "{call}");
    }
}

/// Tables of up to six routes of up to three segments over two literals and a parameter, each with one or two of
/// three scopes.
fn tables() -> impl Strategy<Value = &'static [Route]> {
    let segment = prop::sample::select(vec!["a", "b", "{}"]);
    let path = prop::collection::vec(segment, 1..4).prop_map(|segments| {
        let named =
            segments.iter().enumerate().map(|(depth, text)| text.replace("{}", &format!("{{p{depth}}}")));
        named.fold(String::new(), |path, segment| path + "/" + &segment)
    });
    let scopes = prop::sample::select(vec![&[A][..], &[B], &[C], &[A, B], &[B, C]]);
    let method = prop::sample::select(vec![Method::Get, Method::Get, Method::Post]);
    prop::collection::vec((method, path, scopes), 1..7).prop_map(|mut rows| {
        rows.sort();
        rows.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
        let route =
            |(method, path, scopes): (_, String, _)| Route::new(method, path.leak(), scopes, Function::Order);
        leak(rows.into_iter().map(route).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn policies_are_exact_or_the_table_is_refused(routes in tables()) {
        access::route::check(routes).unwrap();
        let (table, _) = Table::of(routes);
        let paths = paths(&["a", "b", "x", "%2F"]);
        let calls: Vec<(&str, String)> =
            ["GET", "POST"].iter().flat_map(|verb| paths.iter().map(|path| (*verb, path.clone()))).collect();
        let found = subsets(&[A, B, C]).iter().find_map(|held| mistake(&table, routes, held, &calls));
        prop_assert_eq!(found.is_some(), Table::new(routes).is_err(), "{:?}", found);
    }

    #[test]
    fn fewer_scopes_never_allow_more_and_nothing_leaves_the_stage(routes in tables(), held in 0..8_usize, taken in 0..3_usize) {
        let table = Table::new(routes);
        prop_assume!(table.is_ok());
        let table = table.unwrap();
        let sets = subsets(&[A, B, C]);
        let (more, less) = (policy(&table, &sets[held]), policy(&table, &sets[held & !(1 << taken)]));
        for path in paths(&["a", "b", "x"]).into_iter().filter(|path| !path.ends_with('/')) {
            let call = format!("{STAGE}GET/{path}");
            let is_known = routed(routes, "GET", &path).is_some();
            prop_assert!(!is_known || !allows(&less, &call) || allows(&more, &call), "{}", path);
        }
        prop_assert!(more.iter().all(|(_, resource)| resource.starts_with(STAGE)));
    }
}
