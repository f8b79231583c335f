//! Gateway responses as templates change them.

use std::collections::BTreeMap;

use crate::rest::{
    api::GatewayResponse,
    tests::support::{Stage, authorized, policy, request},
};

fn response(status: Option<u16>, headers: &[(&str, &str)], template: Option<&str>) -> GatewayResponse {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let json = |template: &str| ("application/json".to_owned(), template.to_owned());
    GatewayResponse {
        status,
        headers: headers.iter().map(owned).collect(),
        templates: template.map(json).into_iter().collect(),
    }
}

fn stage(responses: &[(&str, GatewayResponse)]) -> Stage {
    let responses: BTreeMap<_, _> =
        responses.iter().map(|(name, response)| ((*name).to_owned(), response.clone())).collect();
    Stage::new(|api| api.responses = responses)
}

#[tokio::test]
async fn row_17_a_type_has_its_own_answer_or_its_familys() {
    let stage = stage(&[
        ("UNAUTHORIZED", response(None, &[("WWW-Authenticate", "'Bearer realm=\"api\"'")], None)),
        ("MISSING_AUTHENTICATION_TOKEN", response(Some(404), &[], Some(r#"{"error":"not_found"}"#))),
        (
            "DEFAULT_4XX",
            response(Some(418), &[("X-Family", "'four'")], Some(r#"{"m":$context.error.messageString}"#)),
        ),
        (
            "DEFAULT_5XX",
            response(
                None,
                &[],
                Some(r#"{"m":$context.error.messageString,"t":"$context.error.responseType"}"#),
            ),
        ),
    ]);
    let unauthorized = stage.answer(request("GET", "/orders")).await;
    assert_eq!(
        (unauthorized.status, unauthorized.body.as_slice()),
        (401, &br#"{"message":"Unauthorized"}"#[..])
    );
    assert_eq!(unauthorized.headers.first("www-authenticate"), Some(r#"Bearer realm="api""#));
    assert_eq!(unauthorized.headers.first("X-Family"), None, "an entry of its own is all it has");

    assert_eq!(stage.ask(request("GET", "/nothing")).await, (404, r#"{"error":"not_found"}"#.into()));

    stage.set("Authorizer", Ok(policy(&[])));
    let denied = stage.answer(authorized("GET", "/orders")).await;
    assert_eq!(denied.status, 418);
    assert_eq!(denied.body, br#"{"m":"User is not authorized to access this resource"}"#);
    assert_eq!(denied.headers.first("X-Family"), Some("four"));

    stage.set("Authorizer", Ok("null".into()));
    let mut other = request("GET", "/orders");
    other.headers.push("Authorization", "Bearer other");
    assert_eq!(stage.ask(other).await, (500, r#"{"m":null,"t":"AUTHORIZER_CONFIGURATION_ERROR"}"#.into()));
}

#[tokio::test]
async fn row_17_a_denial_knows_the_caller_and_a_401_does_not() {
    let template = r#"{"who":"$context.authorizer.client_id","id":"${context.authorizer.principalId}"}"#;
    let headers = [("X-Client", "context.authorizer.client_id")];
    let stage = stage(&[
        ("ACCESS_DENIED", response(None, &headers, Some(template))),
        ("UNAUTHORIZED", response(None, &headers, Some(template))),
    ]);
    stage.set("Authorizer", Ok(policy(&[])));
    let denied = stage.answer(authorized("GET", "/orders")).await;
    assert_eq!(denied.body, br#"{"who":"order-service","id":"order-service"}"#);
    assert_eq!(denied.headers.first("X-Client"), Some("order-service"));
    let unauthorized = stage.answer(request("GET", "/orders")).await;
    assert_eq!(unauthorized.body, br#"{"who":"","id":""}"#);
    assert_eq!(unauthorized.headers.first("X-Client"), None);
}

#[tokio::test]
async fn row_17_mappings_and_templates_read_context_and_request() {
    let template = "$context.httpMethod $context.path $context.resourcePath $context.stage \
        $context.identity.sourceIp $context.requestTime $context.requestTimeEpoch $context.error.message. \
        [$context.unknown$stageVariables.x] $5 $ $foo ${bar} $method.request.path.id \
        $method.request.querystring.q $method.request.header.x-a";
    let headers = [
        ("X-Path", "method.request.path.id"),
        ("X-Query", "method.request.querystring.q"),
        ("X-Header", "method.request.header.x-a"),
        ("X-None", "method.request.header.none"),
        ("X-Type", "context.error.responseType"),
        ("x-amzn-errortype", "'Mine'"),
    ];
    let stage = stage(&[("ACCESS_DENIED", response(None, &headers, Some(template)))]);
    stage.set("Authorizer", Ok(policy(&[])));
    let mut request = authorized("GET", "/orders/a%0D%0Ab?q=1&q=2%22%0a");
    request.headers.push("X-A", "first");
    request.headers.push("X-A", "last");
    let denied = stage.answer(request).await;
    insta::assert_snapshot!(String::from_utf8(denied.body).unwrap(), @r#"GET /prod/orders/a%0D%0Ab /orders/{id} prod 127.0.0.1 21/Sep/2026:14:13:20 +0000 1790000000000 User is not authorized to access this resource. [] $5 $ $foo ${bar} a%0D%0Ab 2\"\n last"#);
    let value = |name| denied.headers.all(name).collect::<Vec<_>>();
    assert_eq!(value("X-Path"), ["a%0D%0Ab"]);
    assert_eq!(value("X-Query"), ["2\""], "no line is broken");
    assert_eq!(value("X-Header"), ["last"]);
    assert_eq!(value("X-Type"), ["ACCESS_DENIED"]);
    assert_eq!(value("x-amzn-ErrorType"), ["Mine"]);
    assert!(value("X-None").is_empty());
}

#[tokio::test]
async fn values_end_no_string_of_a_json_template() {
    let stage = stage(&[(
        "MISSING_AUTHENTICATION_TOKEN",
        response(None, &[], Some(r#"{"q":"$method.request.querystring.q"}"#)),
    )]);
    let (_, body) = stage.ask(request("GET", "/nothing?q=%22%2C%22admin%22%3A%22%0A")).await;
    assert_eq!(body, r#"{"q":"\",\"admin\":\"\n"}"#);
}

#[tokio::test]
async fn a_template_of_another_media_type_is_answered_as_that() {
    let mut response = response(None, &[], None);
    response.templates.insert("text/plain".into(), "no: $context.error.message".into());
    let stage = stage(&[("DEFAULT_4XX", response)]);
    let answer = stage.answer(request("GET", "/nothing")).await;
    assert_eq!(answer.headers.all("Content-Type").collect::<Vec<_>>(), ["text/plain"]);
    assert_eq!(answer.body, b"no: Missing Authentication Token");
}
