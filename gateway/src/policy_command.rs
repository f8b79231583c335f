//! The command `policy`: JSON lines in, one word a line out.

use std::io::{self, BufRead, Read as _, Write};

use serde::Deserialize;
use serde_json::Value;

use crate::rest::policy::{Decision, Policy};

/// The longest line that is read: a policy for every route of a large API, and room.
const LONGEST_LINE: u64 = 1024 * 1024;

/// One line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    /// A policy document, or an authorizer's answer that holds one.
    policy: Value,
    action: String,
    resource: String,
}

/// Answers each line of `questions` with `allow`, `deny` (explicitly), `neutral` (nothing matches: denied too) or
/// `error` (the line or its policy is malformed). Empty lines are answered as well: line by line the two match.
///
/// # Errors
/// If a line cannot be read, or an answer not be written.
pub fn answer(mut questions: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        questions.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return answers.flush();
        }
        let is_whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE;
        let word = if is_whole {
            decide(&line)
        } else {
            // The rest of an overlong line belongs to it.
            questions.skip_until(b'\n')?;
            "error"
        };
        writeln!(answers, "{word}")?;
    }
}

fn decide(line: &[u8]) -> &'static str {
    let Ok(Question { policy, action, resource }) = serde_json::from_slice(line) else { return "error" };
    // An answer has a policy in it, and a policy document no such member.
    let document = policy.get("policyDocument").unwrap_or(&policy);
    match Policy::deserialize(document).map(|policy| policy.evaluate(&action, &resource)) {
        Ok(Decision::Allow) => "allow",
        Ok(Decision::ExplicitDeny) => "deny",
        Ok(Decision::ImplicitDeny) => "neutral",
        Err(_) => "error",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(questions: &[u8]) -> String {
        let mut answers = Vec::new();
        answer(questions, &mut answers).unwrap();
        String::from_utf8(answers).unwrap()
    }

    fn question(effect: &str, pattern: &str) -> Value {
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": pattern});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        json!({"policy": policy, "action": "execute-api:Invoke", "resource": "api/dev/GET/orders"})
    }

    #[test]
    fn each_line_gets_one_word() {
        let allow = question("Allow", "api/dev/GET/*");
        let answer = json!({"principalId": "a", "policyDocument": allow["policy"], "context": {}});
        let mut whole = allow.clone();
        whole["policy"] = answer;
        let mut more = allow.clone();
        more["context"] = json!({});
        let mut conditional = allow.clone();
        conditional["policy"]["Statement"][0]["Condition"] = json!({"Bool": {"aws:SecureTransport": "true"}});
        let cases = [
            ("allowed", allow.to_string(), "allow"),
            ("denied", question("Deny", "*").to_string(), "deny"),
            ("not mentioned", question("Allow", "api/prod/*").to_string(), "neutral"),
            ("an authorizer's answer", whole.to_string(), "allow"),
            ("no JSON", "{".to_owned(), "error"),
            ("nothing", String::new(), "error"),
            ("a member that would be ignored", more.to_string(), "error"),
            ("a condition, which is not evaluated", conditional.to_string(), "error"),
            (
                "no policy",
                json!({"policy": {"Version": "2012-10-17"}, "action": "a", "resource": "b"}).to_string(),
                "error",
            ),
            ("no resource", json!({"policy": allow["policy"], "action": "a"}).to_string(), "error"),
        ];
        for (name, line, expected) in &cases {
            assert_eq!(answers(format!("{line}\n").as_bytes()), format!("{expected}\n"), "{name}");
        }
        let all: Vec<&str> = cases.iter().map(|(_, line, _)| line.as_str()).collect();
        let words: Vec<&str> = cases.iter().map(|(.., word)| *word).collect();
        assert_eq!(answers(all.join("\r\n").as_bytes()), format!("{}\n", words.join("\n")));
        assert_eq!(answers(b""), "");
        assert_eq!(answers(b"\xff\n"), "error\n");
    }

    #[test]
    fn an_overlong_line_is_an_error_and_the_next_one_is_read() {
        let allow = question("Allow", "*").to_string();
        let longest = usize::try_from(LONGEST_LINE).unwrap();
        for blanks in [longest - allow.len(), longest, 3 * longest] {
            let lines = format!("{allow}{}\n{allow}\n", " ".repeat(blanks));
            let first = if blanks + allow.len() < longest { "allow" } else { "error" };
            assert_eq!(answers(lines.as_bytes()), format!("{first}\nallow\n"), "{blanks}");
        }
        let unended = " ".repeat(2 * longest);
        assert_eq!(answers(unended.as_bytes()), "error\n");
    }
}
