//! `MethodArn`, which API Gateway sends to an authorizer, and the ARNs of routes in the same partition, region, account, API
//! and stage.

use std::{fmt, str::FromStr};

use crate::route::{Method, Route, Segment};

/// The longest resource of a policy that API Gateway accepts.
// SPEC: Amazon API Gateway, "Output from an API Gateway Lambda authorizer": a resource ARN of 512 characters at most
const RESOURCE_CHARACTERS: usize = 512;

/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/{VERB}/{path}`, every part of it checked.
///
/// Only the path can have a wildcard, so an ARN printed from this one never matches another stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodArn<'a> {
    /// `arn:…/{stage}/`
    stage_prefix: &'a str,
    verb: &'a str,
    path: &'a str,
}

/// Why a string is not a method ARN. Names the part, never its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Not six parts separated by colons, or the last is not `api/stage/VERB/path`.
    #[error("method ARN is not `arn:partition:execute-api:region:account:api/stage/VERB/path`")]
    Shape,
    /// The partition is not of the form `aws`, `aws-cn`, `aws-us-gov`, ….
    #[error("method ARN names no AWS partition")]
    Partition,
    /// The service is not `execute-api`.
    #[error("method ARN is not of execute-api")]
    Service,
    /// The region has other characters than lower-case letters, digits and hyphens.
    #[error("method ARN names no region")]
    Region,
    /// The account is not twelve digits.
    #[error("method ARN names no account")]
    Account,
    /// The API id has other characters than letters and digits.
    #[error("method ARN names no API")]
    Api,
    /// The stage has other characters than letters, digits, `_`, `-` and `$`.
    #[error("method ARN names no stage")]
    Stage,
    /// The verb is not in capital letters.
    #[error("method ARN names no verb")]
    Verb,
}

impl<'a> MethodArn<'a> {
    /// Reads an ARN, borrowing from it.
    // SPEC: AWS, "Amazon Resource Name (ARN) format of API executing resources in API Gateway"
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().ok_or(ArnError::Shape);
        let (arn, partition, service, region, account, rest) =
            (part()?, part()?, part()?, part()?, part()?, part()?);
        let mut rest = rest.splitn(4, '/');
        let mut part = || rest.next().ok_or(ArnError::Shape);
        let (api, stage, verb, path) = (part()?, part()?, part()?, part()?);

        let all =
            |text: &str, allowed: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| allowed(&b));
        let is_name = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        if arn != "arn" {
            return Err(ArnError::Shape);
        }
        if !(all(partition, is_name) && (partition == "aws" || partition.starts_with("aws-"))) {
            return Err(ArnError::Partition);
        }
        if service != "execute-api" {
            return Err(ArnError::Service);
        }
        if !all(region, is_name) {
            return Err(ArnError::Region);
        }
        if !(account.len() == 12 && all(account, u8::is_ascii_digit)) {
            return Err(ArnError::Account);
        }
        if !all(api, u8::is_ascii_alphanumeric) {
            return Err(ArnError::Api);
        }
        if !all(stage, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$')) {
            return Err(ArnError::Stage);
        }
        if !all(verb, u8::is_ascii_uppercase) {
            return Err(ArnError::Verb);
        }
        let prefix_length = text.len() - verb.len() - path.len() - 1;
        let stage_prefix = text.get(..prefix_length).ok_or(ArnError::Shape)?;
        Ok(Self { stage_prefix, verb, path })
    }

    /// The ARN up to and including the slash after the stage. Every resource of a policy begins with it.
    pub const fn stage_prefix(&self) -> &'a str {
        self.stage_prefix
    }

    /// The verb that was called.
    pub const fn verb(&self) -> &'a str {
        self.verb
    }

    /// The real path that was called, without its leading slash.
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Whether the resource that the parts of a pattern, such as `GET` and `/orders/*`, name in this stage is short
    /// enough for API Gateway.
    pub fn has_room_for(&self, pattern: &[&str]) -> bool {
        // The part before the pattern is ASCII.
        let characters = pattern.iter().map(|part| part.chars().count()).sum::<usize>();
        self.stage_prefix.len() + characters <= RESOURCE_CHARACTERS
    }

    /// The resource that `pattern`, such as `GET/orders/*`, names in a policy for this stage; `None` if it is longer than
    /// API Gateway accepts.
    pub fn resource(&self, pattern: &str) -> Option<String> {
        self.has_room_for(&[pattern]).then(|| [self.stage_prefix, pattern].concat())
    }
}

/// The part of a route's resource after the stage, with `*` for each parameter: `GET/orders/*`.
pub fn pattern(route: &Route) -> String {
    let mut text = route.method().as_str().to_owned();
    if route.segments().is_empty() {
        text.push('/');
    }
    for segment in route.segments() {
        text.push('/');
        text.push_str(match segment {
            Segment::Literal(literal) => literal,
            Segment::Parameter(_) | Segment::Greedy(_) => "*",
        });
    }
    text
}

impl fmt::Display for MethodArn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/{}", self.stage_prefix, self.verb, self.path)
    }
}

impl MethodArn<'_> {
    /// The verb as a method; `None` for a verb that no route can have.
    pub fn method(&self) -> Option<Method> {
        Method::from_str(self.verb).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::Table;

    const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/7";

    #[test]
    fn every_partition_is_read_and_printed_again() {
        for text in [
            ARN,
            "arn:aws-cn:execute-api:cn-north-1:123456789012:abc/prod/GET/orders",
            "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abc/prod/PATCH/orders/1/2/3",
            "arn:aws-iso-b:execute-api:us-isob-east-1:123456789012:abc/test-invoke-stage/GET/",
            "arn:aws-eusc:execute-api:eusc-de-east-1:123456789012:abc/prod/GET/a:b/*?",
        ] {
            assert_eq!(MethodArn::parse(text).unwrap().to_string(), text);
        }
        let arn = MethodArn::parse(ARN).unwrap();
        assert_eq!((arn.verb(), arn.path(), arn.method()), ("GET", "orders/7", Some(Method::Get)));
        assert_eq!(arn.stage_prefix(), "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/");
    }

    #[test]
    fn a_resource_has_512_characters_at_most() {
        let arn = MethodArn::parse(ARN).unwrap();
        let longest = "\u{e9}".repeat(512 - arn.stage_prefix().len());
        assert!(arn.has_room_for(&[&longest]));
        assert_eq!(arn.resource(&longest).unwrap().chars().count(), 512);
        let longer = format!("{longest}x");
        assert!(!arn.has_room_for(&[&longest, "x"]));
        assert_eq!(arn.resource(&longer), None);
    }

    #[test]
    fn malformed_arns_say_which_part() {
        let cases = [
            ("", ArnError::Shape),
            ("arn:aws:execute-api", ArnError::Shape),
            ("urn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET/x", ArnError::Shape),
            ("arn:aws:execute-api:eu-west-1:123456789012:abc/prod/GET", ArnError::Shape),
            ("arn:gcp:execute-api:eu-west-1:123456789012:abc/prod/GET/x", ArnError::Partition),
            ("arn:*:execute-api:eu-west-1:123456789012:abc/prod/GET/x", ArnError::Partition),
            ("arn:awsx:execute-api:eu-west-1:123456789012:abc/prod/GET/x", ArnError::Partition),
            ("arn:aws:lambda:eu-west-1:123456789012:abc/prod/GET/x", ArnError::Service),
            ("arn:aws:execute-api:*:123456789012:abc/prod/GET/x", ArnError::Region),
            ("arn:aws:execute-api::123456789012:abc/prod/GET/x", ArnError::Region),
            ("arn:aws:execute-api:eu-west-1:12345678901:abc/prod/GET/x", ArnError::Account),
            ("arn:aws:execute-api:eu-west-1:12345678901*:abc/prod/GET/x", ArnError::Account),
            ("arn:aws:execute-api:eu-west-1:123456789012:*/prod/GET/x", ArnError::Api),
            ("arn:aws:execute-api:eu-west-1:123456789012:/prod/GET/x", ArnError::Api),
            ("arn:aws:execute-api:eu-west-1:123456789012:abc/*/GET/x", ArnError::Stage),
            ("arn:aws:execute-api:eu-west-1:123456789012:abc/pr?d/GET/x", ArnError::Stage),
            ("arn:aws:execute-api:eu-west-1:123456789012:abc/prod/*/x", ArnError::Verb),
            ("arn:aws:execute-api:eu-west-1:123456789012:abc/prod/get/x", ArnError::Verb),
        ];
        for (text, error) in cases {
            assert_eq!(MethodArn::parse(text), Err(error), "`{text}`");
        }
    }

    #[test]
    fn resources_stay_in_the_stage_and_under_the_limit() {
        let arn = MethodArn::parse(ARN).unwrap();
        let text =
            r#"{"GET /": [], "POST /orders": [], "GET /orders/{id}/lines": [], "PUT /files/{path+}": []}"#;
        let table = Table::from_json(text).unwrap();
        let resources = table.routes().iter().map(|route| arn.resource(&pattern(route)).unwrap());
        let patterns =
            resources.map(|resource| resource.strip_prefix(arn.stage_prefix()).unwrap().to_owned());
        assert_eq!(
            patterns.collect::<Vec<_>>(),
            ["GET/", "POST/orders", "GET/orders/*/lines", "PUT/files/*"]
        );
        let long = format!("arn:aws:execute-api:eu-west-1:123456789012:abc/{}/GET/x", "s".repeat(500));
        assert_eq!(MethodArn::parse(&long).unwrap().resource("GET/x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_round_trips(text in ".{0,80}|arn:aws:execute-api:[a-z*-]{0,9}:[0-9]{11,13}:.{0,40}") {
            if let Ok(arn) = MethodArn::parse(&text) {
                prop_assert_eq!(arn.to_string(), text.as_str());
                prop_assert!(!arn.stage_prefix().contains(['*', '?']));
            }
        }
    }
}
