//! The proxy event, member by member.

use serde_json::{Value, json};

use crate::rest::tests::support::{Stage, authorized};

#[tokio::test]
async fn row_19_and_20_the_event_is_the_one_that_api_gateway_sends() {
    let stage = Stage::new(|_| ());
    let mut request = authorized("GET", "/orders/a%2Fb?x=1&x=2&y=a+b%26&empty");
    request.headers.push("User-Agent", "curl/8");
    request.headers.push("x_under-SCORE", "1");
    request.headers.push("X_UNDER-score", "2");
    request.headers.push("X-Forwarded-For", "10.0.0.1");
    request.headers.push("X-Forwarded-Proto", "https");
    request.headers.push("X-Amzn-Trace-Id", "Root=1-1-1");
    request.headers.push("Connection", "keep-alive");
    stage.answer(request).await;
    let mut event = stage.last_event("Handler");
    event.as_object_mut().unwrap().remove("requestContext");
    insta::assert_json_snapshot!(event, @r#"
    {
      "body": null,
      "headers": {
        "Authorization": "Bearer token",
        "Host": "127.0.0.1:3000",
        "User-Agent": "curl/8",
        "X-Amzn-Trace-Id": "Root=1-1-1",
        "X-Forwarded-For": "10.0.0.1, 127.0.0.1",
        "X-Forwarded-Port": "3000",
        "X-Forwarded-Proto": "http",
        "x_under-SCORE": "2"
      },
      "httpMethod": "GET",
      "isBase64Encoded": false,
      "multiValueHeaders": {
        "Authorization": [
          "Bearer token"
        ],
        "Host": [
          "127.0.0.1:3000"
        ],
        "User-Agent": [
          "curl/8"
        ],
        "X-Amzn-Trace-Id": [
          "Root=1-1-1"
        ],
        "X-Forwarded-For": [
          "10.0.0.1, 127.0.0.1"
        ],
        "X-Forwarded-Port": [
          "3000"
        ],
        "X-Forwarded-Proto": [
          "http"
        ],
        "x_under-SCORE": [
          "1",
          "2"
        ]
      },
      "multiValueQueryStringParameters": {
        "empty": [
          ""
        ],
        "x": [
          "1",
          "2"
        ],
        "y": [
          "a b&"
        ]
      },
      "path": "/orders/a%2Fb",
      "pathParameters": {
        "id": "a%2Fb"
      },
      "queryStringParameters": {
        "empty": "",
        "x": "2",
        "y": "a b&"
      },
      "resource": "/orders/{id}",
      "stageVariables": null
    }
    "#);
}

#[tokio::test]
async fn rows_12_and_18_the_request_context_names_the_call_and_the_caller() {
    let stage = Stage::new(|_| ());
    let mut request = authorized("GET", "/orders/a%2Fb?x=1");
    request.headers.push("User-Agent", "curl/8");
    stage.answer(request).await;
    let mut context = stage.last_event("Handler")["requestContext"].clone();
    for id in ["requestId", "extendedRequestId"] {
        assert!(context[id].as_str().is_some_and(|id| id.len() >= 16), "{id}");
        context[id] = "[id]".into();
    }
    insta::assert_json_snapshot!(context, @r#"
    {
      "accountId": "123456789012",
      "apiId": "abc123",
      "authorizer": {
        "client_id": "order-service",
        "exp": "1700000000",
        "integrationLatency": 0,
        "principalId": "order-service",
        "trusted": "true"
      },
      "domainName": "abc123.execute-api.eu-west-1.amazonaws.com",
      "domainPrefix": "abc123",
      "extendedRequestId": "[id]",
      "httpMethod": "GET",
      "identity": {
        "accessKey": null,
        "accountId": null,
        "caller": null,
        "cognitoAuthenticationProvider": null,
        "cognitoAuthenticationType": null,
        "cognitoIdentityId": null,
        "cognitoIdentityPoolId": null,
        "principalOrgId": null,
        "sourceIp": "127.0.0.1",
        "user": null,
        "userAgent": "curl/8",
        "userArn": null
      },
      "path": "/prod/orders/a%2Fb",
      "protocol": "HTTP/1.1",
      "requestId": "[id]",
      "requestTime": "21/Sep/2026:14:13:20 +0000",
      "requestTimeEpoch": 1790000000000,
      "resourceId": "8113ed",
      "resourcePath": "/orders/{id}",
      "stage": "prod"
    }
    "#);
}

#[tokio::test]
async fn row_19_what_is_not_there_is_null() {
    let stage = Stage::new(|_| ());
    stage.answer(authorized("GET", "/orders")).await;
    let event = stage.last_event("Handler");
    for name in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(event.get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(event["isBase64Encoded"], json!(false));
    stage.answer(authorized("GET", "/orders?")).await;
    assert_eq!(stage.last_event("Handler")["queryStringParameters"], Value::Null);
}

#[tokio::test]
async fn row_20_a_trailing_slash_reaches_the_resource_under_its_own_path() {
    let stage = Stage::new(|_| ());
    stage.answer(authorized("GET", "/orders/")).await;
    let event = stage.last_event("Handler");
    assert_eq!((&event["resource"], &event["path"]), (&json!("/orders"), &json!("/orders/")));
}

#[tokio::test]
async fn row_24_bodies_travel_as_base64_by_media_type() {
    type Case<'a> = (&'a [&'a str], &'a str, &'a [u8], Value, bool);
    let cases: [Case<'_>; 7] = [
        (&[], "image/png", b"\xff\x00", json!("\u{fffd}\u{0}"), false),
        (&["image/png"], "image/png", b"\xff\x00", json!("/wA="), true),
        (&["image/png"], "IMAGE/png; a=b", b"\xff\x00", json!("/wA="), true),
        (&["image/png"], "application/json", b"{}", json!("{}"), false),
        (&["*/*"], "application/json", b"{}", json!("e30="), true),
        (&["*/*"], "", b"{}", json!("e30="), true),
        (&["*/*"], "application/json", b"", Value::Null, false),
    ];
    for (types, content_type, body, expected, is_base64) in cases {
        let stage = Stage::new(|api| api.binary_media_types = types.iter().map(|t| (*t).into()).collect());
        let mut request = authorized("POST", "/orders");
        if !content_type.is_empty() {
            request.headers.push("Content-Type", content_type);
        }
        request.body = body.to_vec();
        stage.answer(request).await;
        let event = stage.last_event("Handler");
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&expected, &json!(is_base64)),
            "{content_type}"
        );
    }
}
