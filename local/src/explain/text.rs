//! Owns how an explanation looks on a terminal. Whatever comes from a token is written in ASCII: nothing in it moves a
//! cursor or turns text around.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::{Access, Check, CheckVerdict, Explanation, Outcome};

pub(super) fn write(explanation: &Explanation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    json("Header", explanation.header.as_ref(), f)?;
    json("Claims", explanation.claims.as_ref(), f)?;
    f.write_str("Checks\n")?;
    for Check { check, verdict, reason } in &explanation.checks {
        let verdict = match verdict {
            CheckVerdict::Passed => "passed",
            CheckVerdict::Failed => "FAILED",
            CheckVerdict::Undecided => "UNDECIDED",
            CheckVerdict::NotAsked => "not asked",
            CheckVerdict::NotReached => "not reached",
        };
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(f, "  {verdict:<11}  {check}{reason}")?;
    }
    f.write_char('\n')?;
    if explanation.policy.is_some() {
        json("Policy", explanation.policy.as_ref(), f)?;
        f.write_str("Routes\n")?;
        for Access { route, allowed, missing, .. } in &explanation.routes {
            let verdict = if *allowed { "allowed" } else { "denied" };
            let missing = if *allowed { String::new() } else { format!("  needs {}", missing.join(" ")) };
            writeln!(f, "  {route:<24} {verdict}{missing}")?;
        }
        f.write_char('\n')?;
    }
    verdict(explanation, f)
}

/// The last line, which says it all.
fn verdict(explanation: &Explanation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let outcome = match explanation.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Denied => "denied",
        Outcome::Refused => "refused",
        Outcome::Undecided => "undecided",
    };
    match &explanation.call {
        Some(call) => write!(f, "{}: {outcome}", ascii(call))?,
        None => f.write_str(outcome)?,
    }
    if let Some(status) = explanation.status {
        write!(f, " ({status})")?;
    }
    if let (Some(reason), Some(because)) = (explanation.reason, &explanation.because) {
        write!(f, ", {reason}: {because}")?;
    }
    f.write_char('\n')
}

fn json(title: &str, value: Option<&Value>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = value.map_or_else(|| "not readable as strict JSON".to_owned(), |value| format!("{value:#}"));
    writeln!(f, "{title}")?;
    for line in ascii(&text).lines() {
        writeln!(f, "  {line}")?;
    }
    f.write_char('\n')
}

/// A text of JSON with everything but ASCII escaped, which is the same JSON.
fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || (character.is_ascii() && !character.is_ascii_control()) {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a text does not fail.
                _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}
