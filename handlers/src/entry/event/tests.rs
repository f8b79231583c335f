//! Events that another reader refuses, and the time that a caller gives.

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use serde_json::json;

use super::*;
use crate::testing::event;

#[test]
fn events_that_aws_lambda_events_refuses_are_read() {
    let event: Value =
        serde_json::from_str(include_str!("../../../../events/inventory/list-items.json")).unwrap();
    let edit = |path: &str, value: Value| {
        let mut event = event.clone();
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let headers = |value: &str| edit("/multiValueHeaders", json!({ "X-Name": [value] }));
    let cases = [
        ("as it is", event.clone(), true),
        ("a header beyond ASCII", headers("Zo\u{eb}"), true),
        ("a control character in a header", headers("a\u{1}b"), false),
        ("an authorizer without context", edit("/requestContext/authorizer", json!("x")), false),
        ("no method in the context", edit("/requestContext/httpMethod", Value::Null), false),
    ];
    for (name, event, is_theirs) in cases {
        assert!(serde_json::from_value::<ProxyRequest>(event.clone()).is_ok(), "{name}");
        assert_eq!(serde_json::from_value::<ApiGatewayProxyRequest>(event).is_ok(), is_theirs, "{name}");
    }
}

#[test]
fn the_callers_time_is_one_header_with_a_number() {
    let cases = [
        (json!(["2500"]), Some(2500)),
        (json!(["0"]), Some(0)),
        (json!(["-1"]), None),
        (json!(["1e9"]), None),
        (json!(["99999999999999999999"]), None),
        (json!(["1", "2"]), None),
        (json!([]), None),
    ];
    for (values, millis) in cases {
        let mut event = event("GET", "/inventory", "inventory/read");
        event["multiValueHeaders"] = json!({"x-time-left-ms": values});
        let request: ProxyRequest = serde_json::from_value(event).unwrap();
        assert_eq!(request.time_left(), millis.map(Duration::from_millis), "{values}");
    }
}
