//! Policies against a small evaluator and a router of the tests' own: over our table, and over random ones.

use serde::Deserialize;

use super::*;
use crate::testing::ROUTES;

mod random;

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

/// A policy document as IAM reads it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: String,
    statement: Vec<Read>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Read {
    action: String,
    effect: String,
    resource: Vec<String>,
}

/// The policy for who holds these scopes, made and not kept.
fn made(policies: &Policies, scopes: &str, arn: &MethodArn<'_>) -> Result<Policy, Fault> {
    let held = policies.held(&ScopeSet::parse(scopes).unwrap());
    Policy::new(&policies.statements(&held), arn)
}

/// Effect and resource of every statement, for who holds these scopes, as the text says it.
fn policy(policies: &Policies, scopes: &str) -> Vec<(String, String)> {
    let arn = MethodArn::parse(ARN).unwrap();
    read(&made(policies, scopes, &arn).unwrap().document)
}

fn read(text: &RawValue) -> Vec<(String, String)> {
    let Document { version, statement } = serde_json::from_str(text.get()).unwrap();
    assert_eq!(version, "2012-10-17");
    let pairs = statement.into_iter().flat_map(|statement| {
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

fn subsets(scopes: &[&str]) -> Vec<String> {
    let chosen = |bits: usize| {
        let held = scopes.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        held.map(|(_, scope)| *scope).collect::<Vec<_>>().join(" ")
    };
    (0..1_usize << scopes.len()).map(chosen).collect()
}

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
fn what_a_more_specific_greedy_route_takes_is_not_denied() {
    let policies = token_policies(&[("GET /{proxy+}", "a/a"), ("GET /a/{rest+}", "b/b")]);
    insta::assert_snapshot!(shown(&policies, "b/b"), @r"
    Allow GET/a/*
    Deny GET/a/
    ");
}

#[test]
fn longer_calls_that_only_a_greedy_route_takes_are_denied() {
    let policies = token_policies(&[("GET /a/{y}", "a/a"), ("GET /{x+}", "b/b")]);
    for (held, expected) in [("a/a", false), ("a/a b/b", true)] {
        let is_allowed = allows(&policy(&policies, held), &format!("{STAGE}GET/a/1/2"));
        assert_eq!(is_allowed, expected, "held {held}");
    }
}

#[test]
fn a_wildcard_that_follows_a_repeated_literal_is_found() {
    let policies = token_policies(&[("GET /{x}/a/{y}", "a/a"), ("GET /x/a/a/y", "b/b"), ("GET /p/q", "c/c")]);
    insta::assert_snapshot!(shown(&policies, "a/a"), @r"
    Allow GET/*/a/*
    Deny GET/x/a/a/y
    Deny GET/x/a/a/y/
    ");
}

#[test]
fn at_most_ten_closed_calls_of_a_verb_are_told() {
    let literals: Vec<String> = (0..15).map(|number| format!("GET /orders/l{number}")).collect();
    let mut routes = vec![("GET /{a}/{b}", "a/a"), ("GET /orders/{b}", "b/b")];
    routes.extend(literals.iter().map(|route| (route.as_str(), "a/a")));
    assert_eq!(token_policies(&routes).ambiguities().len(), 10);
}

#[test]
fn telling_a_closed_call_costs_steps_for_each_scope() {
    let routes =
        table(&[("GET /{a}/{b}", "a/a"), ("GET /orders/{b}", "b/b c/c"), ("GET /orders/latest", "a/a")]);
    let is_told = |steps_for_closed: &usize| {
        let budget = Budget { steps_for_closed: *steps_for_closed, ..Budget::default() };
        !Policies::within(routes.clone(), Coverage::Token, budget).ambiguities().is_empty()
    };
    assert_eq!((0..100).find(is_told), Some(52));
}

#[test]
fn a_resource_may_have_512_characters() {
    let policies = token_policies(&[("GET /a", "a/a")]);
    let statements = |stage: usize| {
        let text = format!("arn:aws:execute-api:eu-west-1:123456789012:abc/{}/GET/a", "s".repeat(stage));
        let length = text.len();
        let arn = MethodArn::parse(&text).unwrap();
        (length, made(&policies, "a/a", &arn).is_ok())
    };
    assert_eq!(statements(459), (512, true));
    assert_eq!(statements(460), (513, false));
}

#[test]
fn the_policy_of_a_call_covers_that_call_alone() {
    let routes = [("GET /{a}/{b}", "a/a"), ("GET /orders/{b}", "b/b"), ("GET /orders/latest", "a/a")];
    let policies = Policies::new(table(&routes), Coverage::Call);
    assert_eq!(policies.ambiguities(), []);
    assert!(policies.is_per_call() && !token_policies(&routes).is_per_call());
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
        let (answer, is_closed) = policies.answer(&caller, &arn, policies.called(&arn)).unwrap();
        assert!(!is_closed, "{call}");
        let statements = read(&answer.policy_document.document);
        let [(effect, resource)] = statements.try_into().unwrap();
        assert_eq!(format!("{effect} {}", resource.strip_prefix(STAGE).unwrap()), expected, "{call}");
    }
}
