//! The two kinds of calls, and the correct answers to them.

use anyhow::{Result, bail, ensure};

use test_support::Outcome;

use crate::figure::Program;

/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A valid token that the process has not seen.
    Fresh,
    /// A malformed token.
    Malformed,
    /// A read that a function answers from its table.
    Read,
}

impl Call {
    /// Fails on a wrong answer.
    pub(crate) fn check(self, program: Program, outcome: &Outcome) -> Result<()> {
        let part = match (self, program) {
            (Self::Malformed, Program::Authorizer | Program::Wide) => {
                let is_refused = matches!(outcome, Outcome::Failed { error_message, .. } if error_message == "Unauthorized");
                ensure!(is_refused, "a malformed token is not refused");
                return Ok(());
            }
            (Self::Fresh | Self::Read, Program::Authorizer | Program::Wide) => r#""Allow""#,
            (Self::Read, Program::Echo) => r#""requestContext""#,
            // There is no report of that day.
            (_, Program::Report) => r#""statusCode":404"#,
            (_, Program::Inventory | Program::Order | Program::Payment | Program::Token | Program::Local) => {
                r#""statusCode":200"#
            }
            (_, Program::Echo) => r#""authorizationToken""#,
            (_, Program::Floor) => r#""principalId""#,
        };
        match outcome {
            // The echo's answer is the event with its token: only errors are quoted.
            Outcome::Answer(answer) => {
                ensure!(answer.to_string().contains(part), "an answer without `{part}`");
            }
            Outcome::Failed { error_type, error_message } => {
                bail!("a failure: {error_type}: {error_message}")
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_the_right_answer_counts() {
        use {Call::*, Program::*};
        let failed =
            |message: &str| Outcome::Failed { error_type: "x".into(), error_message: message.into() };
        let answer = |answer: Value| Outcome::Answer(answer);
        for (name, call, program, outcome, right) in [
            ("allowed", Fresh, Authorizer, answer(json!({"Effect":"Allow"})), true),
            ("denied", Fresh, Authorizer, answer(json!({"Effect":"Deny"})), false),
            ("refused", Fresh, Authorizer, failed("Unauthorized"), false),
            ("refused", Malformed, Authorizer, failed("Unauthorized"), true),
            ("no decision", Malformed, Authorizer, failed("no decision"), false),
            ("verified", Fresh, Floor, answer(json!({"principalId":"floor"})), true),
            ("refused", Fresh, Floor, failed("Unauthorized"), false),
            ("a page", Read, Inventory, answer(json!({"statusCode":200})), true),
            ("no caller", Read, Inventory, answer(json!({"statusCode":401})), false),
        ] {
            assert_eq!(call.check(program, &outcome).is_ok(), right, "{name}: {call:?} of {program:?}");
        }
    }
}
