//! The two kinds of calls, and the correct answers to them.

use anyhow::{Result, ensure};

use crate::{
    figure::Program,
    runtime_api::{Answer, Kind},
};

/// What a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A good token that the process has not seen.
    Fresh,
    /// A token that fails on its shape.
    Malformed,
    /// A read that a function answers from its table.
    Read,
}

impl Call {
    /// Fails on a wrong answer: its time is not worth knowing.
    pub(crate) fn check(self, program: Program, answer: &Answer) -> Result<()> {
        let (kind, part) = match (self, program) {
            (Self::Fresh | Self::Read, Program::Authorizer | Program::Wide) => (Kind::Response, r#""Allow""#),
            (Self::Malformed, Program::Authorizer | Program::Wide) => (Kind::Error, r#""Unauthorized""#),
            (Self::Read, Program::Echo) => (Kind::Response, r#""requestContext""#),
            // There is no report of that day.
            (_, Program::Report) => (Kind::Response, r#""statusCode":404"#),
            (_, Program::Inventory | Program::Order | Program::Payment | Program::Local) => {
                (Kind::Response, r#""statusCode":200"#)
            }
            (_, Program::Echo) => (Kind::Response, r#""authorizationToken""#),
            (_, Program::Floor) => (Kind::Response, r#""principalId""#),
        };
        // The echo's answer is the event, token and all: only errors are quoted.
        let quote = match answer.kind {
            Kind::Response => format!("a response without `{part}`").into(),
            Kind::Error => String::from_utf8_lossy(&answer.body),
        };
        let found = answer.body.windows(part.len()).any(|window| window == part.as_bytes());
        ensure!(answer.kind == kind && found, "a wrong answer: {quote}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use bench::clock;

    #[test]
    fn only_the_right_answer_counts() {
        use {Call::*, Kind::*, Program::*};
        for (name, call, program, kind, body, right) in [
            ("allowed", Fresh, Authorizer, Response, r#"{"Effect":"Allow"}"#, true),
            ("denied", Fresh, Authorizer, Response, r#"{"Effect":"Deny"}"#, false),
            ("refused", Fresh, Authorizer, Error, r#"{"errorMessage":"Unauthorized"}"#, false),
            ("refused", Malformed, Authorizer, Error, r#"{"errorMessage":"Unauthorized"}"#, true),
            ("no decision", Malformed, Authorizer, Error, r#"{"errorMessage":"no decision"}"#, false),
            ("verified", Fresh, Floor, Response, r#"{"principalId":"floor"}"#, true),
            ("refused", Fresh, Floor, Error, r#"{"errorMessage":"Unauthorized"}"#, false),
            ("a page", Read, Inventory, Response, r#"{"statusCode":200}"#, true),
            ("no caller", Read, Inventory, Response, r#"{"statusCode":401}"#, false),
        ] {
            let answer = Answer { kind, body: body.into(), took: Duration::ZERO, at: clock::now() };
            assert_eq!(call.check(program, &answer).is_ok(), right, "{name}: {call:?} of {program:?}");
        }
    }
}
