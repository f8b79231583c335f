//! Random tables, each policy of them held against what a model works out call by call.

use access::route::Segment;
use proptest::prelude::*;

use super::*;

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
            prop_assert!(made(&policies, &held, &arn).unwrap().closes(&arn), "{example}");
            prop_assert!(!route(denied).is_covered_by(&scopes));
        }
    }
}
