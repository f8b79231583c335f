//! How an explanation looks on a terminal. Whatever comes from a token is written in ASCII: nothing in it moves a cursor or
//! turns text around.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Access, Check, CheckVerdict, Explanation, Outcome};

/// What stands in place of a policy.
const PER_CALL: &str = "one for each call (`POLICY=call`): name a call with `--route` to see it";

/// The verdict, what failed, the routes and the policy; with all checks, the header and the claims if it is `verbose`.
pub(super) fn page(explanation: &Explanation, verbose: bool) -> String {
    let mut page = verdict(explanation);
    let checks = explanation
        .checks
        .iter()
        .filter(|check| verbose || matches!(check.verdict, CheckVerdict::Failed | CheckVerdict::Undecided));
    section(&mut page, if verbose { "Checks" } else { "Failed check" }, checks.map(check));
    if verbose {
        section(&mut page, "Header", json(explanation.header.as_ref()));
        section(&mut page, "Claims", json(explanation.claims.as_ref()));
    }
    section(&mut page, "Routes", explanation.routes.iter().map(route));
    match &explanation.policy {
        Some(policy) => section(&mut page, "Policy", json(Some(policy))),
        None if explanation.routes.is_empty() => {}
        None => section(&mut page, "Policy", [PER_CALL.to_owned()]),
    }
    page
}

/// The first line, which says it all.
fn verdict(explanation: &Explanation) -> String {
    let outcome = match explanation.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Denied => "denied",
        Outcome::Refused => "refused",
        Outcome::Undecided => "undecided",
    };
    let call = explanation.call.as_ref().map(|call| format!("{}: ", ascii(call))).unwrap_or_default();
    let status = explanation.status.map(|status| format!(" ({status})")).unwrap_or_default();
    let why = match (explanation.reason, &explanation.because) {
        (Some(reason), Some(because)) => format!(", {reason}: {because}"),
        (None, Some(because)) => format!(": {because}"),
        (Some(_) | None, None) => String::new(),
    };
    format!("{call}{outcome}{status}{why}\n")
}

/// A title and its lines, unless there are none.
fn section(page: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_some() {
        // Writing to a string does not fail.
        _ = writeln!(page, "\n{title}");
        for line in lines {
            _ = writeln!(page, "  {line}");
        }
    }
}

fn check(Check { check, verdict, reason }: &Check) -> String {
    let verdict = match verdict {
        CheckVerdict::Passed => "passed",
        CheckVerdict::Failed => "FAILED",
        CheckVerdict::Undecided => "UNDECIDED",
        CheckVerdict::NotAsked => "not asked",
        CheckVerdict::NotReached => "not reached",
    };
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{verdict:<11}  {check}{reason}")
}

fn route(Access { route, allowed, missing, .. }: &Access) -> String {
    let verdict =
        if *allowed { "allowed".to_owned() } else { format!("denied  needs {}", missing.join(" ")) };
    format!("{route:<24} {verdict}")
}

fn json(value: Option<&Value>) -> Vec<String> {
    let text = value.map_or_else(|| "not readable as strict JSON".to_owned(), |value| format!("{value:#}"));
    ascii(&text).lines().map(str::to_owned).collect()
}

/// The same JSON with every character that is not ASCII escaped.
fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || (character.is_ascii() && !character.is_ascii_control()) {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}
