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

    /// One question a line, with the word that answers it. None was answered by API Gateway itself: they follow IAM's
    /// documentation, and what is stricter here is `error`.
    const VECTORS: &str = include_str!("policy_command/vectors.jsonl");

    #[test]
    fn rows_5_to_8_every_policy_vector_gets_its_word() {
        for line in VECTORS.lines() {
            let mut vector: Value = serde_json::from_str(line).unwrap();
            let members = vector.as_object_mut().unwrap();
            let [name, expected] = ["name", "expected"].map(|name| members.remove(name).unwrap());
            let word = answers(format!("{vector}\n").as_bytes());
            assert_eq!(Some(word.trim_end()), expected.as_str(), "{name}");
        }
        assert_eq!(VECTORS.lines().count(), 206);
    }

    #[test]
    fn each_line_gets_one_word() {
        let mut more = question("Allow", "*");
        more["context"] = json!({});
        let cases = [
            ("allowed", question("Allow", "api/dev/GET/*").to_string(), "allow"),
            ("denied", question("Deny", "*").to_string(), "deny"),
            ("not mentioned", question("Allow", "api/prod/*").to_string(), "neutral"),
            ("no JSON", "{".to_owned(), "error"),
            ("nothing", String::new(), "error"),
            ("a member that would be ignored", more.to_string(), "error"),
            ("no resource", json!({"policy": more["policy"], "action": "a"}).to_string(), "error"),
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
