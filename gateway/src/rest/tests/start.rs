//! What stops the start.

use std::{collections::BTreeMap, time::Duration};

use super::support::{Stage, token, within};
use crate::rest::{
    GatewayError,
    api::{Api, ApiKey, GatewayResponse, Throttle, UsagePlan},
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
    let cases: [(&str, Change, GatewayError); 14] = [
        (
            "an authorizer that is not there",
            |api| api.authorizers.clear(),
            GatewayError::UnknownAuthorizer { method: "GET /orders".into(), authorizer: "Token".into() },
        ),
        (
            "an identity header that is none",
            |api| authorizer(api).identity = token("method.request header", None),
            GatewayError::IdentityHeader("Token".into()),
        ),
        (
            "no identity header",
            |api| authorizer(api).identity = token("", None),
            GatewayError::IdentityHeader("Token".into()),
        ),
        (
            "an expression that cannot be made whole",
            |api| authorizer(api).identity = token("Authorization", Some("(?x)a # open")),
            GatewayError::Validation("Token".into()),
        ),
        (
            "a cache time over an hour",
            |api| authorizer(api).cache_time = Duration::from_secs(3601),
            GatewayError::CacheTime("Token".into()),
        ),
        (
            "an integration that waits too long",
            |api| api.methods[0].integration = within(Duration::from_secs(30)),
            GatewayError::Timeout("GET /orders".into()),
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
            "a status that is none",
            |api| api.responses = response("THROTTLED", |r| r.status = Some(99)),
            GatewayError::ResponseStatus("THROTTLED".into()),
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
            "a rate that is no number",
            |api| api.throttle = Some(Throttle { rate: f64::NAN, burst: 1 }),
            GatewayError::Throttle("prod".into()),
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
