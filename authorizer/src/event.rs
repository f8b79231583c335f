//! The event of a TOKEN authorizer.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequest;
use serde::{Deserialize, Deserializer};

use crate::{
    json::{Json, Members},
    refusal::Fault,
};

/// What Lambda passes in: an event of API Gateway, or other JSON.
///
/// Our strict reader fills the type of `aws_lambda_events`: its own accepts the fields as a list, and its errors
/// would end the invocation before our log line is written.
// No `Debug`: the event holds the token.
pub(crate) struct Event(Option<ApiGatewayCustomAuthorizerRequest>);

impl Event {
    /// Reads one event, all of `text`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(Json::parse(text).ok().and_then(|event| request(&event)))
    }

    /// The event, if it is one of a TOKEN authorizer. A member that is missing or `null` is `None`; the type is not kept.
    pub(crate) fn token_request(self) -> Result<ApiGatewayCustomAuthorizerRequest, Fault> {
        self.0.ok_or(Fault::Event)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(|event| Self(request(&event)))
    }
}

fn request(event: &Json<'_>) -> Option<ApiGatewayCustomAuthorizerRequest> {
    let Json::Object(members) = event else { return None };
    if members.text("type")? != "TOKEN" {
        return None;
    }
    let mut request = ApiGatewayCustomAuthorizerRequest::default();
    request.authorization_token = member(members, "authorizationToken")?;
    request.method_arn = member(members, "methodArn")?;
    Some(request)
}

/// A string that may be missing or `null`; the outer `None` if it is anything else.
#[expect(clippy::option_option, reason = "the outer one is the error")]
fn member(members: &Members<'_>, name: &str) -> Option<Option<String>> {
    match members.get(name) {
        None | Some(Json::Null) => Some(None),
        Some(value) => value.as_text().map(|text| Some(text.clone().into_owned())),
    }
}
