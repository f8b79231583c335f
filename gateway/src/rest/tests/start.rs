//! What stops the start.

use std::collections::BTreeMap;

use super::support::Stage;
use crate::rest::{
    GatewayError,
    api::{Api, ApiKey, GatewayResponse, Identity, UsagePlan},
};

fn authorizer(api: &mut Api) -> &mut crate::rest::api::LambdaAuthorizer {
    api.authorizers.get_mut("Token").unwrap()
}

fn plan(name: &str) -> UsagePlan {
    UsagePlan { name: name.into(), api_keys: vec!["key".into()], throttle: None, quota: None }
}

#[test]
fn row_15_what_cannot_be_honoured_stops_the_start() {
    type Change = fn(&mut Api);
    let cases: [(&str, Change, GatewayError); 8] = [
        (
            "an authorizer that is not there",
            |api| api.authorizers.clear(),
            GatewayError::UnknownAuthorizer { method: "GET /orders".into(), authorizer: "Token".into() },
        ),
        (
            "answers cached for everybody",
            |api| authorizer(api).identity = Identity::Request(Vec::new()),
            GatewayError::IdentitySources("Token".into()),
        ),
        (
            "an unknown verb",
            |api| api.methods[0].verb = "FETCH".into(),
            GatewayError::Verb("FETCH /orders".into()),
        ),
        (
            "an unknown response",
            |api| api.responses = response("TEAPOT", |_| ()),
            GatewayError::ResponseType("TEAPOT".into()),
        ),
        (
            "a header from nowhere",
            |api| {
                api.responses =
                    response("THROTTLED", |r| drop(r.headers.insert("A".into(), "integration.x".into())));
            },
            GatewayError::ResponseHeader { response: "THROTTLED".into(), header: "A".into() },
        ),
        (
            "a template that computes",
            |api| {
                api.responses = response("THROTTLED", |r| {
                    r.templates.insert("application/json".into(), "$input.json('$')".into());
                });
            },
            GatewayError::ResponseTemplate("THROTTLED".into()),
        ),
        (
            "a plan with an unknown key",
            |api| api.usage_plans = vec![plan("a")],
            GatewayError::UnknownKey("a".into()),
        ),
        (
            "a key in two plans",
            |api| {
                api.api_keys = vec![ApiKey { value: "key".into(), enabled: true }];
                api.usage_plans = vec![plan("a"), plan("b")];
            },
            GatewayError::SharedKey("b".into()),
        ),
    ];
    for (name, change, expected) in cases {
        assert_eq!(Stage::try_new(change).err(), Some(expected), "{name}");
    }
}

fn response(kind: &str, change: fn(&mut GatewayResponse)) -> BTreeMap<String, GatewayResponse> {
    let mut response = GatewayResponse::default();
    change(&mut response);
    BTreeMap::from([(kind.to_owned(), response)])
}
