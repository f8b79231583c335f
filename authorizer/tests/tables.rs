//! What starting with a hostile route table costs: every table of 500 routes is ready within 100 ms of CPU and 20 MB.
//! Each is measured in a process of its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test code")]

use std::{collections::BTreeSet, env, fs, process::Command, time::SystemTime};

use access::log::Log;
use authorizer::{Authorizer, Config};

const MOST_MS: u64 = 100;
const MOST_KB: u64 = 20_000;
/// How much longer it may take without optimization, on a busy machine.
const ROOM: u64 = if cfg!(debug_assertions) { 30 } else { 1 };

const VERBS: [&str; 8] = ["ANY", "GET", "PUT", "POST", "HEAD", "PATCH", "DELETE", "OPTIONS"];
const TEST: &str = "any_table_is_ready_in_little_time_and_memory";
/// Tells a child of the test which table is its own.
const NUMBER: &str = "TABLE_NUMBER";

/// `cargo test --release -p authorizer --test tables -- --nocapture` prints the figures.
#[test]
fn any_table_is_ready_in_little_time_and_memory() {
    let tables = tables();
    #[expect(clippy::disallowed_methods, reason = "from the parent")]
    if let Ok(number) = env::var(NUMBER) {
        let (name, json) = &tables[number.parse::<usize>().unwrap()];
        let (cpu, memory) = start(json);
        println!("{name}: {} bytes, {cpu} ms, {memory} kB", json.len());
        assert!(cpu <= MOST_MS * ROOM && memory <= MOST_KB);
        return;
    }
    for number in 0..tables.len() {
        let mut child = Command::new(env::current_exe().unwrap());
        let child = child.args([TEST, "--exact", "--nocapture"]).env(NUMBER, number.to_string());
        let output = child.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        print!(
            "{}",
            printed
                .lines()
                .filter(|line| line.ends_with(" kB"))
                .fold(String::new(), |all, line| all + line + "\n")
        );
        assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// CPU time in milliseconds and memory in kB that starting takes.
fn start(json: &str) -> (u64, u64) {
    let vars = |name: &str| match name {
        "USER_POOL_ID" => Some("eu-central-1_Ab12cd34E".to_owned()),
        "CLIENT_IDS" => Some("*".to_owned()),
        "ROUTES" => Some(json.to_owned()),
        _ => None,
    };
    let (cpu, memory) = (cpu_ms(), resident_kb("VmRSS"));
    // The peak is what is resident now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let log = Log::from_vars(vars, |_| {});
    #[expect(clippy::disallowed_methods, reason = "the authorizer's own clock")]
    let authorizer = Authorizer::new(Config::from_vars(vars).unwrap(), SystemTime::now, log).unwrap();
    let taken = (cpu_ms() - cpu, resident_kb("VmHWM").saturating_sub(memory));
    drop(authorizer);
    taken
}

/// CPU time of this thread, where nothing else works.
fn cpu_ms() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000_000
}

fn resident_kb(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// `/{p0}/{p1}` and so on.
fn parameters(range: std::ops::Range<usize>) -> String {
    range.map(|at| format!("/{{p{at}}}")).collect::<Vec<_>>().concat()
}

/// Up to 500 of these routes as a table, number `n` needing scope `n % 40`, as far as 512 KiB go.
fn table(routes: impl IntoIterator<Item = String>) -> String {
    let mut json = String::from("{");
    let routes: BTreeSet<String> = routes.into_iter().take(500).collect();
    for (number, route) in routes.iter().enumerate() {
        let row = format!("\"{route}\":[\"s/{}\"]", number % 40);
        if json.len() + row.len() > 512 * 1024 - 2 {
            break;
        }
        json.extend([if number == 0 { "" } else { "," }, &row]);
    }
    json + "}"
}

/// Tables that were slow or large once, or that were made up to be.
fn tables() -> Vec<(&'static str, String)> {
    let literals = |many: usize, depth: usize| {
        (0..many).map(move |number| format!("GET {}/l{number}", parameters(0..number % depth)))
    };
    let of = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    // One route of each verb alone keeps `ANY` from being worked out once for all.
    let apart = || VERBS.iter().skip(1).map(|verb| format!("{verb} /only-{verb}"));
    let any_at_depths = |depths: usize, most: usize| {
        (0..500).map(move |n| {
            let (before, after) = (n % depths, (n / depths) % most);
            format!("ANY {}/l{}{}", parameters(0..before), n % 3, parameters(before + 1..before + 1 + after))
        })
    };
    let long = "x".repeat(960);
    let mut tables = vec![
        ("100 literals, three parameters", table(literals(100, 1).chain(of(&["GET /{p0}/{p1}/{p2}"])))),
        (
            "40 literals, paths of four",
            table(literals(40, 4).chain(of(&["GET /a/{p1}/{p2}/{p3}", "GET /b/{p1}/{p2}/{p3}"]))),
        ),
        (
            "499 literals at ten depths, a greedy route",
            table(literals(499, 10).chain([format!("GET {}/{{p10+}}", parameters(0..10))])),
        ),
        ("ANY at twenty depths", table(any_at_depths(20, 25))),
        ("ANY at twenty depths, no two verbs alike", table(apart().chain(any_at_depths(20, 25)))),
        ("ANY at fifty depths, no two verbs alike", table(apart().chain(any_at_depths(50, 10)))),
        ("long paths", table((1..500).map(|n| format!("GET /x{}/y{}", n % 7, parameters(2..n % 60 + 2))))),
        (
            "a literal second, 62 parameters after it",
            table(apart().chain((0..493).map(|n| format!("ANY /{{p0}}/l{n}{}", parameters(2..3 + n % 62))))),
        ),
        (
            "greedy routes behind literals and parameters",
            table(apart().chain((0..493).map(|n| {
                let (depth, literal) = (n % 30, n / 30);
                format!("ANY {}/l{literal}/{{rest+}}", parameters(0..depth))
            }))),
        ),
        (
            "two literals in every order",
            table(apart().chain((0..493_usize).map(|n| {
                let bits = (0..9)
                    .map(|at| match (n >> at & 1, at % 3) {
                        (0, _) => format!("/{{p{at}}}"),
                        (_, 0) => "/a".to_owned(),
                        (_, _) => "/b".to_owned(),
                    })
                    .collect::<Vec<_>>()
                    .concat();
                format!("ANY {bits}/{{end+}}")
            }))),
        ),
        (
            "the same literal at any place of 62",
            table(apart().chain((0..493_usize).map(|n| {
                let places = [n % 61, (n * 7 + n / 61) % 61, (n * 13 + n / 61) % 61];
                let segment = |at| if places.contains(&at) { "/a".to_owned() } else { format!("/{{p{at}}}") };
                format!("ANY {}", (0..62).map(segment).collect::<String>())
            }))),
        ),
        (
            "long literals",
            table(
                apart().chain((0..493).map(|n| {
                    format!("ANY {}/{}{n}{}", parameters(0..n % 4), long, parameters(5..5 + n % 5))
                })),
            ),
        ),
        (
            "one literal of 500 kB",
            table([format!("ANY /{{a}}/{}/{{b}}", "y".repeat(500_000)), "ANY /{a}/c/{d+}".to_owned()]),
        ),
    ];
    let scopes =
        |from: usize, to: usize| (from..to).map(|n| format!("\"s/{n}\"")).collect::<Vec<_>>().join(",");
    let rows: Vec<String> = (0..60)
        .map(|n| {
            let (before, after) = (n % 8, n / 8);
            let path =
                format!("{}/l{}{}", parameters(0..before), n % 3, parameters(before + 1..before + 1 + after));
            format!("\"ANY {path}\":[{}]", scopes(0, 800 + n))
        })
        .collect();
    let crowded = format!("{{{}}}", rows.join(","));
    let two_routes = format!("{{\"ANY /{{a}}/b\":[{0}],\"ANY /a/{{b}}\":[{0}]}}", scopes(0, 24_000));
    tables.push(("many scopes on overlapping routes", crowded));
    tables.push(("24,000 scopes on two routes", two_routes));
    tables
}
