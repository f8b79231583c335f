//! Policies against a small evaluator and a router of the tests' own: over our table, and over random ones.

use access::route::Segment;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::testing::ROUTES;

const ARN: &str = "arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/GET/orders";
const STAGE: &str = "arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/";

/// A table of these routes, each with its scopes.
fn table(routes: &[(&str, &str)]) -> Table {
    let row = |(route, scopes): &(&str, &str)| {
        let scopes: Vec<&str> = scopes.split_whitespace().collect();
        format!("{}: {}", serde_json::to_string(route).unwrap(), serde_json::to_string(&scopes).unwrap())
    };
    let rows: Vec<String> = routes.iter().map(row).collect();
    Table::from_json(&format!("{{{}}}", rows.join(", "))).unwrap()
}

fn token_policies(routes: &[(&str, &str)]) -> Policies {
    Policies::new(table(routes), Coverage::Token)
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
fn policy(policies: &Policies, scopes: &str) -> Vec<(String, String)> {
    let arn = MethodArn::parse(ARN).unwrap();
    read(&written(&policies.statements(&ScopeSet::parse(scopes).unwrap()), &arn).unwrap())
}

fn read(text: &RawValue) -> Vec<(String, String)> {
    let statements: Vec<Read> = serde_json::from_str(text.get()).unwrap();
    let pairs = statements.into_iter().flat_map(|statement| {
        assert_eq!(statement.action, "execute-api:Invoke");
        let effect = statement.effect;
        statement.resource.into_iter().map(move |resource| (effect.clone(), resource))
    });
    pairs.collect()
}

/// A policy without its stage, one line for each resource.
fn shown(policies: &Policies, scopes: &str) -> String {
    let lines: Vec<String> =
        policy(policies, scopes).iter().map(|(e, r)| format!("{e} {}", r.replace(STAGE, ""))).collect();
    lines.join("\n")
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

/// The router's choice among all that match: segment by segment a literal, then a parameter, then a greedy one. It
/// chooses a resource, whatever verbs that has.
fn routed<'r>(routes: &'r [Route], verb: &str, path: &str) -> Option<&'r Route> {
    fn ranks(segments: &[Segment], parts: &[&str]) -> Option<Vec<u8>> {
        match (segments, parts) {
            ([], []) => Some(Vec::new()),
            ([Segment::Greedy(_)], [_, ..]) => Some(vec![2]),
            ([segment, segments @ ..], [part, parts @ ..]) => {
                let rank = match segment {
                    Segment::Literal(text) if text == part => 0,
                    Segment::Parameter(_) => 1,
                    Segment::Literal(_) | Segment::Greedy(_) => return None,
                };
                Some([vec![rank], ranks(segments, parts)?].concat())
            }
            ([], [_, ..]) | ([_, ..], []) => None,
        }
    }
    let parts: Vec<&str> = match path {
        "" => Vec::new(),
        _ => path.strip_suffix('/').unwrap_or(path).split('/').collect(),
    };
    let rank = |route: &Route| ranks(route.segments(), &parts);
    let best = routes.iter().filter_map(rank).min()?;
    routes.iter().find(|route| route.method().as_str() == verb && rank(route).as_ref() == Some(&best))
}

/// Every path of up to `most` segments over these.
fn paths(segments: &[&str], most: usize) -> Vec<String> {
    let mut level = vec![String::new()];
    let mut all = vec![String::new()];
    for _ in 0..most {
        let longer = |path: &String, segment: &&str| {
            if path.is_empty() { (*segment).to_owned() } else { format!("{path}/{segment}") }
        };
        level =
            level.iter().flat_map(|path| segments.iter().map(move |segment| longer(path, segment))).collect();
        all.extend(level.iter().cloned());
    }
    all
}

fn subsets(scopes: &[&str]) -> Vec<String> {
    let chosen = |bits: usize| {
        let held = scopes.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        held.map(|(_, scope)| *scope).collect::<Vec<_>>().join(" ")
    };
    (0..1_usize << scopes.len()).map(chosen).collect()
}

/// What a policy has to say of calls, worked out call by call.
struct Model<'c> {
    routes: &'c [Route],
    held: ScopeSet<'c>,
    /// Every pattern that has to be denied: the calls of routes that are not covered, which an allowed pattern matches.
    denied: Vec<String>,
}

impl<'c> Model<'c> {
    fn new(routes: &'c [Route], held: &'c str, verb: &str, paths: &[String]) -> Self {
        let held = ScopeSet::parse(held).unwrap();
        let patterns: Vec<String> =
            routes.iter().filter(|route| route.is_covered_by(&held)).map(access::arn::pattern).collect();
        let is_open = |path: &&String| {
            routed(routes, verb, path).is_some_and(|route| !route.is_covered_by(&held))
                && patterns.iter().any(|p| glob(p.as_bytes(), format!("{verb}/{path}").as_bytes()))
        };
        // What is no literal can be anything.
        let star = |path: &String| {
            let parts = path.split('/').map(|part| if part == FRESH { "*" } else { part });
            format!("{verb}/{}", parts.collect::<Vec<_>>().join("/"))
        };
        let denied = paths.iter().filter(is_open).map(star).collect();
        Self { routes, held, denied }
    }

    /// Whether the call may be made, and whether its policy can allow it.
    fn expects(&self, verb: &str, path: &str) -> Option<(bool, bool)> {
        let is_covered = routed(self.routes, verb, path)?.is_covered_by(&self.held);
        let call = format!("{verb}/{path}");
        let is_closed = self.denied.iter().any(|pattern| glob(pattern.as_bytes(), call.as_bytes()));
        Some((is_covered, is_covered && !is_closed))
    }
}

/// A segment that is none of a table's literals.
const FRESH: &str = "x";

#[test]
fn our_table_has_an_exact_policy_for_every_set_of_scopes() {
    let table = Table::from_json(ROUTES).unwrap();
    let policies = Policies::new(table.clone(), Coverage::Token);
    assert_eq!(policies.ambiguities(), []);
    let mut scopes: Vec<&str> =
        table.routes().iter().flat_map(|route| route.scopes().iter().map(Scope::as_str)).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let odd = ["7", "A-1", "a%2Fb", "..", "*", "?", "orders", "%2e%2e", "x y", "${id}"];
    for held in subsets(&scopes) {
        let (policy, held) = (policy(&policies, &held), ScopeSet::parse(held.as_str()).unwrap());
        for (route, value) in table.routes().iter().flat_map(|route| odd.map(|value| (route, value))) {
            let value = |part| if str::starts_with(part, "{") { value } else { part };
            let parts: Vec<&str> = route.path().split('/').skip(1).map(value).collect();
            let call = format!("{STAGE}{}/{}", route.method(), parts.join("/"));
            assert_eq!(allows(&policy, &call), route.is_covered_by(&held), "{call}, held {held}");
            assert!(
                !allows(&policy, &format!("{call}/")) || route.is_covered_by(&held),
                "{call}/, held {held}"
            );
        }
    }
}

#[test]
fn a_call_that_a_wildcard_crosses_into_is_denied() {
    let policies = token_policies(&[
        ("GET /orders/{id}", "a/a"),
        ("GET /orders", "b/b"),
        ("GET /orders/{id}/lines", "c/c"),
        ("GET /other", "c/c"),
    ]);
    insta::assert_snapshot!(shown(&policies, "a/a"), @r#"
    Allow GET/orders/*
    Deny GET/orders/
    Deny GET/orders/*/lines
    Deny GET/orders/*/lines/
    "#);
    insta::assert_snapshot!(shown(&policies, "a/a b/b"), @r#"
    Allow GET/orders/*
    Allow GET/orders
    Deny GET/orders/*/lines
    Deny GET/orders/*/lines/
    "#);
    insta::assert_snapshot!(shown(&policies, "a/a b/b c/c"), @r#"
    Allow GET/orders/*
    Allow GET/orders
    Allow GET/orders/*/lines
    Allow GET/other
    "#);
    insta::assert_snapshot!(shown(&policies, "b/b"), @"Allow GET/orders");
    insta::assert_snapshot!(shown(&policies, "d/d"), @"Deny *");
}

#[test]
fn a_route_without_scopes_is_open_to_every_token() {
    let policies = token_policies(&[("GET /health", ""), ("GET /{proxy+}", "a/a"), ("GET /", "b/b")]);
    insta::assert_snapshot!(shown(&policies, ""), @"Allow GET/health");
    insta::assert_snapshot!(shown(&policies, "a/a"), @r"
    Allow GET/health
    Allow GET/*
    Deny GET/
    ");
    insta::assert_snapshot!(shown(&policies, "b/b"), @r"
    Allow GET/health
    Allow GET/
    ");
}

#[test]
fn only_the_calls_that_a_pattern_matches_are_denied() {
    let policies = token_policies(&[
        ("GET /repos/{owner}/{repo}/contents/{path+}", "a/a"),
        ("GET /repos/{owner}/{repo}/pulls/{number}/merge", "b/b"),
    ]);
    insta::assert_snapshot!(shown(&policies, "a/a"), @r"
    Allow GET/repos/*/*/contents/*
    Deny GET/repos/*/*/pulls/contents/merge
    Deny GET/repos/*/*/pulls/contents/merge/
    ");
    insta::assert_debug_snapshot!(policies.ambiguities(), @r#"
    [
        Ambiguity {
            allowed: "GET /repos/{owner}/{repo}/contents/{path+}",
            denied: "GET /repos/{owner}/{repo}/pulls/{number}/merge",
            closed: "GET /repos/{owner}/{repo}/contents/{path+}",
            example: "GET /repos/1/1/contents/1/1/pulls/contents/merge",
        },
    ]
    "#);
}

#[test]
fn a_literal_under_a_parameter_that_is_not_covered_stays_allowed() {
    let policies = token_policies(&[("GET /orders/latest", "a/a"), ("GET /orders/{id}", "b/b")]);
    insta::assert_snapshot!(shown(&policies, "a/a"), @"Allow GET/orders/latest");
    insta::assert_snapshot!(shown(&policies, "b/b"), @r"
    Allow GET/orders/*
    Deny GET/orders/latest
    Deny GET/orders/latest/
    ");
}

#[test]
fn calls_that_no_policy_tells_apart_are_closed_and_told() {
    let routes = [("GET /{a}/{b}", "a/a"), ("GET /orders/{b}", "b/b"), ("GET /orders/latest", "a/a")];
    let policies = token_policies(&routes);
    insta::assert_snapshot!(shown(&policies, "a/a"), @r"
    Allow GET/*/*
    Allow GET/orders/latest
    Deny GET/orders/*
    ");
    let told = serde_json::to_string(policies.ambiguities()).unwrap();
    insta::assert_snapshot!(told, @r#"[{"allowed":"GET /{a}/{b}","denied":"GET /orders/{b}","closed":"GET /orders/latest","example":"GET /orders/latest"}]"#);
    let same_scope = [("GET /{a}/{b}", "a/a"), ("GET /orders/{b}", "a/a"), ("GET /orders/latest", "a/a")];
    assert_eq!(token_policies(&same_scope).ambiguities(), []);
}

#[test]
fn a_resource_may_have_512_characters() {
    let policies = token_policies(&[("GET /a", "a/a")]);
    let statements = |stage: usize| {
        let text = format!("arn:aws:execute-api:eu-west-1:123456789012:abc/{}/GET/a", "s".repeat(stage));
        let length = text.len();
        let arn = MethodArn::parse(&text).unwrap();
        (length, written(&policies.statements(&ScopeSet::parse("a/a").unwrap()), &arn).is_ok())
    };
    assert_eq!(statements(459), (512, true));
    assert_eq!(statements(460), (513, false));
}

#[test]
fn the_policy_of_a_call_covers_that_call_alone() {
    let routes = [("GET /{a}/{b}", "a/a"), ("GET /orders/{b}", "b/b"), ("GET /orders/latest", "a/a")];
    let policies = Policies::new(table(&routes), Coverage::Call);
    assert_eq!(policies.ambiguities(), []);
    let caller = crate::testing::caller("a/a");
    let cases = [
        ("GET/orders/latest", "Allow GET/orders/latest"),
        ("GET/orders/latest/", "Allow GET/orders/latest/"),
        ("GET/orders/7", "Deny *"),
        ("GET/x/7", "Allow GET/x/7"),
        ("GET/x/*?", "Allow GET/x/${*}${?}"),
        ("GET/x/${a}\"\\", "Allow GET/x/${$}{a}\"\\"),
        ("POST/x/7", "Deny *"),
        ("GET/x", "Deny *"),
    ];
    for (call, expected) in cases {
        let text = format!("{STAGE}{call}");
        let arn = MethodArn::parse(&text).unwrap();
        let (answer, _) = policies.answer(&caller, &arn, policies.called(&arn)).unwrap();
        let statements = read(&answer.policy_document.statement);
        let [(effect, resource)] = statements.try_into().unwrap();
        assert_eq!(format!("{effect} {}", resource.strip_prefix(STAGE).unwrap()), expected, "{call}");
    }
}

/// Tables of up to seven routes over two literals and both kinds of parameters, each with up to two of three scopes.
fn tables() -> impl Strategy<Value = Table> {
    let segment = prop::sample::select(vec!["a", "a", "b", "b", "{}", "{}", "{}", "{+}"]);
    let path = prop::collection::vec(segment, 0..5).prop_map(|segments| {
        let end = segments.iter().position(|segment| *segment == "{+}").map_or(segments.len(), |at| at + 1);
        let name = |(depth, segment): (usize, &&str)| segment.replace('{', &format!("{{p{depth}"));
        let named: Vec<String> = segments[..end].iter().enumerate().map(name).collect();
        format!("/{}", named.join("/"))
    });
    let scopes = prop::sample::select(vec!["a/a", "a/a", "b/b", "b/b", "c/c", "a/a b/b", "b/b c/c", ""]);
    let verb = prop::sample::select(vec!["GET", "GET", "GET", "POST", "ANY"]);
    prop::collection::vec((verb, path, scopes), 1..8).prop_filter_map("a sound table", |mut rows| {
        rows.sort();
        rows.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
        let rows: Vec<_> = rows
            .iter()
            .map(|(verb, path, scopes)| {
                let scopes: Vec<&str> = scopes.split_whitespace().collect();
                format!(r#""{verb} {path}": {}"#, serde_json::to_string(&scopes).unwrap())
            })
            .collect();
        Table::from_json(&format!("{{{}}}", rows.join(","))).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_local_rejects: 1_000_000, max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    /// Nothing is open that is not covered; and but for greedy parameters, exactly the calls are closed that the Deny of a
    /// call that must be closed cannot be told from.
    #[test]
    fn policies_open_nothing_and_close_no_more_than_they_must(table in tables()) {
        let policies = Policies::new(table.clone(), Coverage::Token);
        // As if no other verb was there: what the router then gives to a route, it gives to it or to none.
        let routes: Vec<Route> = table.routes().iter().filter(|route| route.method() == Method::Get).cloned().collect();
        let is_greedy = |route: &Route| matches!(route.segments().last(), Some(Segment::Greedy(_)));
        let has_greedy = routes.iter().any(is_greedy);
        let paths = paths(&["a", "b", FRESH], 5);
        let mut is_exact = true;
        for held in subsets(&["a/a", "b/b", "c/c"]) {
            let policy = policy(&policies, &held);
            let model = Model::new(&routes, &held, "GET", &paths);
            for path in &paths {
                let Some((is_covered, is_open)) = model.expects("GET", path) else { continue };
                let is_allowed = |end: &str| allows(&policy, &format!("{STAGE}GET/{path}{end}"));
                let is_slashed = !path.is_empty() && is_allowed("/");
                prop_assert!(is_covered || !(is_allowed("") || is_slashed), "open: /{path}, held `{held}`");
                prop_assert!(is_allowed("") || !is_open || has_greedy, "closed: /{path}, held `{held}`");
                let is_fresh = path.split('/').all(|part| part == FRESH);
                prop_assert!(is_allowed("") || !is_open || !is_fresh, "closed: /{path}, held `{held}`");
                is_exact &= is_allowed("") == is_covered;
            }
            prop_assert!(policy.iter().all(|(_, resource)| resource.starts_with(STAGE)));
        }
        // What is told at start: GET may be exact where another verb is not.
        let is_told = policies.ambiguities().iter().any(|told| told.closed.starts_with("GET "));
        prop_assert!(is_exact != is_told || has_greedy, "exact {is_exact}, told {:?}", policies.ambiguities());
    }

    /// Where finding the overlaps takes more than it may, more is denied, and still nothing is open.
    #[test]
    fn policies_open_nothing_however_little_work_is_allowed(table in tables(), steps in 0_usize..400, denials in 0_usize..6) {
        let policies = Policies::within(table.clone(), Coverage::Token, Budget { steps, denials, steps_for_closed: 0 });
        let routes: Vec<Route> = table.routes().iter().filter(|route| route.method() == Method::Get).cloned().collect();
        let paths = paths(&["a", "b", FRESH], 5);
        for held in subsets(&["a/a", "b/b", "c/c"]) {
            let policy = policy(&policies, &held);
            let scopes = ScopeSet::parse(held.as_str()).unwrap();
            for path in &paths {
                let is_covered = routed(&routes, "GET", path).is_none_or(|route| route.is_covered_by(&scopes));
                let is_allowed = |end: &str| allows(&policy, &format!("{STAGE}GET/{path}{end}"));
                let is_slashed = !path.is_empty() && is_allowed("/");
                prop_assert!(is_covered || !(is_allowed("") || is_slashed), "open: /{path}, held `{held}`");
            }
        }
    }

    #[test]
    fn a_star_is_any_characters(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
        prop_assert_eq!(matches(&pattern, &text), glob(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn every_example_is_a_call_that_is_closed_to_a_holder(table in tables()) {
        let policies = Policies::new(table.clone(), Coverage::Token);
        for Ambiguity { allowed, denied, closed, example } in policies.ambiguities() {
            let route = |name: &str| table.routes().iter().find(|route| route.name() == name).unwrap();
            let scopes = [route(allowed), route(closed)].map(|route| route.scopes().iter().map(Scope::as_str));
            let held: Vec<&str> = scopes.into_iter().flatten().collect();
            let held = held.join(" ");
            let (verb, path) = example.split_once(" /").unwrap();
            let is_allowed = allows(&policy(&policies, &held), &format!("{STAGE}{verb}/{path}"));
            prop_assert!(!is_allowed, "{example}, held `{held}`");
            let arn = format!("{STAGE}{verb}/{path}");
            let arn = MethodArn::parse(&arn).unwrap();
            let scopes = ScopeSet::parse(held.as_str()).unwrap();
            prop_assert!(is_closed(&policies.statements(&scopes), &arn), "{example}");
            prop_assert!(!route(denied).is_covered_by(&scopes));
        }
    }
}
