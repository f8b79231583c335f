//! Every sample event has the expected outcome. A sample without an expectation fails the test, as does an expectation
//! without a sample.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use gateway::invoke::InvokeError;
use local::event::Sample;
use serde_json::Value;
use tests::{System, unix_now};

/// The expected outcome of a sample.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// A policy that allows this many routes.
    Policy(usize),
    /// An error of this type and message.
    Failure(&'static str, &'static str),
    /// A proxy answer with this status.
    Status(u16),
    /// Success without an answer.
    Done,
}

use Expected::{Done, Failure, Policy, Status};

/// In this order, because some depend on others.
const EXPECTED: &[(&str, Expected)] = &[
    ("authorizer/storefront", Policy(11)),
    ("authorizer/order-service", Policy(3)),
    ("authorizer/no-token-at-all", Failure("not_three_parts", "Unauthorized")),
    ("authorizer/malformed-arn", Failure("method_arn", "no decision")),
    ("inventory/without-context", Status(401)),
    ("inventory/scope-missing", Status(403)),
    ("inventory/move-stock", Status(200)),
    ("inventory/list-items", Status(200)),
    ("inventory/read-item", Status(200)),
    ("order/place-order", Status(201)),
    ("order/list-orders", Status(200)),
    ("order/read-order", Status(404)),
    ("order/cancel-order", Status(404)),
    ("payment/settle-payment", Status(404)),
    ("payment/list-payments", Status(200)),
    ("payment/read-payment", Status(404)),
    ("report/make-report", Status(201)),
    ("report/read-report", Status(200)),
    ("report/schedule", Done),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../events"))
}

#[test]
fn every_sample_has_an_expectation_and_every_expectation_a_sample() {
    let mut samples = BTreeSet::new();
    for function in fs::read_dir(folder()).unwrap() {
        let function = function.unwrap();
        for sample in fs::read_dir(function.path()).unwrap() {
            let name = sample.unwrap().path().with_extension("");
            samples.insert(name.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(samples, EXPECTED.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn samples_hold_no_tokens_and_no_accounts_but_the_documentations() {
    for (name, _) in EXPECTED {
        let text = fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
        assert!(!text.contains("eyJ"), "{name} holds a token");
        let accounts = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 12);
        for account in accounts.filter(|account| !account.starts_with("000000000")) {
            assert_eq!(account, "123456789012", "{name}");
        }
    }
}

#[tokio::test]
async fn every_sample_does_what_it_shows() {
    let system = System::start().await;
    let mut tokens = BTreeMap::new();
    for name in system.local().clients().0.keys() {
        tokens.insert(name.as_str(), system.token(name).await);
    }
    for (name, expected) in EXPECTED {
        let text = fs::read_to_string(folder().join(name).with_extension("json")).unwrap();
        let sample = Sample::parse(&text).unwrap();
        let event = sample.fill(&tokens, unix_now().plus(Duration::from_hours(1))).unwrap();
        let (function, _) = name.split_once('/').unwrap();
        let outcome = system.local().invoke(function, event.into_bytes()).await;
        let outcome = outcome.map(|answer| serde_json::from_slice::<Value>(&answer).unwrap());
        match (expected, &outcome) {
            (Policy(routes), Ok(answer)) => {
                let statements = answer["policyDocument"]["Statement"].as_array().unwrap();
                let allowed = statements.iter().find(|statement| statement["Effect"] == "Allow").unwrap();
                assert_eq!(allowed["Resource"].as_array().map(Vec::len), Some(*routes), "{name}: {answer}");
            }
            (Failure(error_type, error_message), Err(failed)) => {
                let expected = InvokeError::Function {
                    error_type: (*error_type).to_owned(),
                    error_message: (*error_message).to_owned(),
                };
                assert_eq!(*failed, expected, "{name}");
            }
            (Status(status), Ok(answer)) => assert_eq!(answer["statusCode"], *status, "{name}: {answer}"),
            (Done, Ok(Value::Null)) => {}
            _ => panic!("{name}: {expected:?}, but {outcome:?}"),
        }
    }
}
