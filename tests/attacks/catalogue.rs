//! The rows of the catalogue, and how each is tried: a cold authorizer, one event, an endpoint that counts requests.

use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

use authorizer::{Authorizer, Config, Refusal};
use serde_json::Value;

use test_support::{
    FIRST, Lines, SECOND, Stub, look_up, reply, settings,
    signer::{self, CLIENT, ISSUER, NOW, changed, jwks},
};

/// One attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    source: &'static str,
    outcome: Outcome,
    build: fn() -> Case,
}

/// The expected outcome.
pub(crate) enum Outcome {
    /// 401.
    Refused(Refusal),
    /// 500, with this label.
    Fault(&'static str),
    /// A policy that denies the whole stage: 403.
    Nothing,
    /// The token is valid, attack or not. Says why that is harmless.
    Harmless(&'static str),
}

/// What the attacker sends, and what the issuer serves.
pub(crate) struct Case {
    event: Vec<u8>,
    keys: Vec<u8>,
    settings: Settings,
}

#[derive(Clone, Copy)]
pub(crate) enum Settings {
    Cognito,
    /// As for an issuer whose tokens have an audience.
    Oidc,
}

pub(crate) const fn attack(
    name: &'static str,
    source: &'static str,
    outcome: Outcome,
    build: fn() -> Case,
) -> Attack {
    Attack { name, source, outcome, build }
}

pub(crate) const fn refused(
    name: &'static str,
    source: &'static str,
    refusal: Refusal,
    build: fn() -> Case,
) -> Attack {
    attack(name, source, Outcome::Refused(refusal), build)
}

impl Case {
    pub(crate) fn event(event: impl Into<Vec<u8>>) -> Self {
        let keys = jwks([FIRST.jwk(), SECOND.jwk()]);
        Self { event: event.into(), keys, settings: Settings::Cognito }
    }

    /// A value of the `Authorization` header.
    pub(crate) fn value(value: &str) -> Self {
        Self::event(signer::event(value).to_string())
    }

    pub(crate) fn token(token: &str) -> Self {
        Self::value(&format!("Bearer {token}"))
    }

    /// A valid token except for these members of its header, properly signed.
    pub(crate) fn header(changes: Value) -> Self {
        let header = changed(FIRST.header(), changes).to_string();
        Self::token(&FIRST.sign(header, signer::claims().to_string()))
    }

    /// A valid token except for these claims, properly signed.
    pub(crate) fn claims(changes: Value) -> Self {
        Self::token(&FIRST.token(&changed(signer::claims(), changes)))
    }

    /// A valid token except for this part of the payload's text, properly signed.
    pub(crate) fn payload(from: &str, to: &str) -> Self {
        let payload = signer::claims().to_string();
        assert!(payload.contains(from), "the payload has `{from}`");
        Self::token(&FIRST.sign(FIRST.header().to_string(), payload.replace(from, to)))
    }

    /// The same, with this key set served instead of the pool's two keys.
    pub(crate) fn served(self, keys: Vec<u8>) -> Self {
        Self { keys, ..self }
    }

    pub(crate) fn as_event(&self) -> &[u8] {
        &self.event
    }

    pub(crate) fn of_oidc(self) -> Self {
        Self { settings: Settings::Oidc, ..self }
    }
}

impl Attack {
    /// Tries the attack, and checks the outcome, the number of key requests, and that the log reveals nothing.
    pub(crate) async fn hold(&self) {
        let name = self.name;
        let Case { event, keys, settings } = (self.build)();
        let endpoint = Stub::always(reply(200, "", keys)).await;
        let lines = Lines::default();
        let settings = settings.variables(&endpoint.url("/jwks.json"));
        let config = Config::from_vars(look_up(&settings)).unwrap();
        let clock = || UNIX_EPOCH + Duration::from_secs(NOW);
        let authorizer = Authorizer::new(config, clock, lines.log()).unwrap();
        let answer = authorizer.handle(&event, "request-1").await;
        let answer = answer.map(|answer| serde_json::from_str::<Value>(answer.get()).unwrap());
        match (&self.outcome, answer) {
            (Outcome::Refused(refusal), Err(failure)) => {
                assert_eq!(
                    (failure.error_type, failure.error_message),
                    (refusal.label(), "Unauthorized"),
                    "{name}"
                );
            }
            (Outcome::Fault(label), Err(failure)) => {
                assert_eq!((failure.error_type, failure.error_message), (*label, "no decision"), "{name}");
            }
            (Outcome::Nothing, Ok(answer)) => {
                let statements = &answer["policyDocument"]["Statement"];
                assert_eq!(statements.as_array().map(Vec::len), Some(1), "{name}");
                assert_eq!(statements[0]["Effect"], "Deny", "{name}");
                let resource = statements[0]["Resource"][0].as_str().unwrap();
                assert!(resource.ends_with(":a1b2c3d4e5/prod/*"), "{name}: {resource}");
            }
            (Outcome::Harmless(_), Ok(answer)) => assert_eq!(answer["principalId"], CLIENT, "{name}"),
            (_, answer) => panic!("{name}: {answer:?}"),
        }
        assert_eq!(endpoint.count(), self.requests(), "{name}: requests for keys");
        let text = lines.text();
        assert_eq!(text.matches("\"outcome\"").count(), 1, "{name}: one line for a decision: {text}");
        for secret in pieces(&event) {
            assert!(!text.contains(secret), "{name}: the log holds a piece of the token");
        }
    }

    /// How many key requests a cold authorizer makes: none where the outcome does not depend on keys.
    fn requests(&self) -> usize {
        let is_free = match self.outcome {
            Outcome::Refused(refusal) => refusal <= Refusal::UnknownIssuer,
            Outcome::Fault(label) => label == "event" || label == "method_arn",
            Outcome::Nothing | Outcome::Harmless(_) => false,
        };
        usize::from(!is_free)
    }
}

/// The row of the page.
impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match &self.outcome {
            Outcome::Refused(refusal) => format!("401 `{}`", refusal.label()),
            Outcome::Fault(label) => format!("500 `{label}`"),
            Outcome::Nothing => "403: a Deny for the whole stage".to_owned(),
            Outcome::Harmless(why) => format!("harmless: {why}"),
        };
        write!(f, "| {} | {} | {outcome} | {} |", self.name, self.source, self.requests())
    }
}

impl Settings {
    fn variables(self, url: &str) -> Vec<(&'static str, String)> {
        let mut variables = settings(url);
        variables.push(("JWKS_TIMEOUT_MS", "10000".to_owned()));
        if let Self::Oidc = self {
            variables.retain(|(name, _)| *name != "USER_POOL_ID");
            variables.push(("TOKEN_ISSUER", ISSUER.to_owned()));
            variables.push(("TOKEN_AUDIENCE", "https://api.example".to_owned()));
        }
        variables
    }
}

/// The long parts of a token in an event, none of which may be logged.
fn pieces(event: &[u8]) -> Vec<&str> {
    let text = std::str::from_utf8(event).unwrap_or_default();
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    parts.filter(|part| part.len() > 40).collect()
}
