//! Functions' answers, good and malformed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    invoke::InvokeError,
    rest::{
        api::{Integration, Mock},
        tests::support::{Stage, authorized},
    },
};

const BAD_GATEWAY: &str = r#"{"message":"Internal server error"}"#;

#[tokio::test]
async fn row_22_a_failing_function_is_502_and_shows_nothing_of_it() {
    let trace = "at main.rs:7 with secret";
    let function = InvokeError::Function { error_type: "Panic".into(), error_message: trace.into() };
    let cases = [
        (function, 502, "the function `Handler` failed with Panic"),
        (InvokeError::TimedOut, 502, "the function `Handler` ran into its Timeout"),
        (InvokeError::Unavailable(trace.into()), 500, trace),
    ];
    for (error, status, detail) in cases {
        let stage = Stage::new(|_| ());
        stage.set("Handler", Err(error.clone()));
        let response = stage.answer(authorized("GET", "/orders")).await;
        assert_eq!((response.status, response.body.as_slice()), (status, BAD_GATEWAY.as_bytes()), "{error}");
        assert_eq!(response.headers.first("x-amzn-ErrorType"), Some("InternalServerErrorException"));
        assert_eq!(stage.last_served().detail.as_deref(), Some(detail), "{error}");
    }
}

#[tokio::test]
async fn a_mock_answers_by_itself() {
    let headers = BTreeMap::from([
        ("content-type".to_owned(), "text/plain".to_owned()),
        ("X-A".to_owned(), "1".to_owned()),
    ]);
    let mock = Mock { status: 204, headers, body: "x".to_owned() };
    let stage = Stage::new(|api| api.methods[0].integration = Integration::Mock(mock.clone()));
    let response = stage.answer(authorized("GET", "/orders")).await;
    assert_eq!((response.status, response.body.as_slice()), (204, &b"x"[..]));
    assert_eq!(response.headers.all("Content-Type").collect::<Vec<_>>(), ["text/plain"]);
    assert_eq!((response.headers.first("X-A"), stage.count("Handler")), (Some("1"), 0));
    let stage = Stage::new(|api| api.methods[0].integration = Integration::NotPlayed("http"));
    assert_eq!(stage.ask(authorized("GET", "/orders")).await, (500, BAD_GATEWAY.into()));
    assert_eq!(stage.last_served().detail.as_deref(), Some("http"));
}

#[tokio::test]
async fn row_22_a_malformed_answer_is_502() {
    let stage = Stage::new(|_| ());
    let cases = [
        (json!(""), "it is not JSON"),
        (json!("null"), "it is not an object"),
        (json!("\"text\""), "it is not an object"),
        (json!("[]"), "it is not an object"),
        (json!({}), "it has no statusCode"),
        (json!({"body": "x"}), "it has no statusCode"),
        (json!({"statusCode": null}), "it has no statusCode"),
        (json!({"statusCode": "ok"}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": "+200"}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": ""}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": 200.5}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": -200}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": 100}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": 600}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": 65736}), "its statusCode is not a number from 200 to 599"),
        (json!({"statusCode": 200, "body": {"a": 1}}), "its body is not a string"),
        (json!({"statusCode": 200, "headers": []}), "its headers is not an object"),
        (
            json!({"statusCode": 200, "headers": {"a": null}}),
            "its header `a` is not a string, number or boolean",
        ),
        (
            json!({"statusCode": 200, "headers": {"a": ["b"]}}),
            "its header `a` is not a string, number or boolean",
        ),
        (
            json!({"statusCode": 200, "multiValueHeaders": {"a": "b"}}),
            "its multiValueHeaders has a value that is not a list",
        ),
        (
            json!({"statusCode": 200, "isBase64Encoded": "true"}),
            "its isBase64Encoded is neither true nor false",
        ),
        (
            json!({"statusCode": 200, "cookies": []}),
            "it has the member `cookies`, which a REST API does not take",
        ),
        (json!({"statusCode": 200, "body": "x".repeat(6 * 1024 * 1024)}), "it is over 6 MB"),
    ];
    for (answer, detail) in cases {
        let name: String = answer.to_string().chars().take(60).collect();
        stage.set("Handler", Ok(answer));
        assert_eq!(stage.ask(authorized("GET", "/orders")).await, (502, BAD_GATEWAY.into()), "{name}");
        let expected = format!("the function's answer is malformed: {detail}");
        assert_eq!(stage.last_served().detail, Some(expected), "{name}");
    }
}

#[tokio::test]
async fn row_22_a_good_answer_is_mapped() {
    let stage = Stage::new(|_| ());
    let answer = json!({
        "statusCode": "201",
        "headers": {"X-One": "1", "x-both": "b", "X-Number": 7, "X-Flag": true, "Location": "/a\r\nX-Evil: 1"},
        "multiValueHeaders": {"X-Both": ["a", "b"], "Set-Cookie": ["a=1", "b=2"]},
        "body": "made",
    });
    stage.set("Handler", Ok(answer));
    let mut response = stage.answer(authorized("GET", "/orders")).await;
    for name in ["x-amzn-RequestId", "x-amz-apigw-id", "X-Amzn-Trace-Id"] {
        response.headers.remove(name);
    }
    let headers: Vec<_> = response.headers.iter().collect();
    let expected = [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("X-Both", "a"),
        ("X-Both", "b"),
        ("Location", "/aX-Evil: 1"),
        ("X-Flag", "true"),
        ("X-Number", "7"),
        ("X-One", "1"),
        ("Content-Type", "application/json"),
    ];
    assert_eq!(headers, expected);
    assert_eq!((response.status, response.body.as_slice()), (201, &b"made"[..]));
}

#[tokio::test]
async fn row_17_headers_that_are_the_gateways_own_are_renamed() {
    let stage = Stage::new(|_| ());
    for name in ["WWW-Authenticate", "Connection", "content-length", "Date", "Server", "Transfer-Encoding"] {
        stage.set("Handler", Ok(json!({"statusCode": 401, "headers": {name: "x"}})));
        let response = stage.answer(authorized("GET", "/orders")).await;
        assert_eq!(response.headers.first(name), None, "{name}");
        assert_eq!(response.headers.first(&format!("x-amzn-Remapped-{name}")), Some("x"), "{name}");
    }
}

#[tokio::test]
async fn row_24_answers_are_decoded_for_who_accepts_them() {
    let answer = json!({"statusCode": 200, "body": "/wA=", "isBase64Encoded": true});
    let plain = json!({"statusCode": 200, "body": "/wA="});
    let broken = json!({"statusCode": 200, "body": "/wA", "isBase64Encoded": true});
    let cases: [(&Value, &str, u16, &[u8]); 6] = [
        (&answer, "image/png", 200, b"\xff\x00"),
        (&answer, "image/png;q=1, */*", 200, b"\xff\x00"),
        (&answer, "*/*", 200, b"/wA="),
        (&answer, "", 200, b"/wA="),
        (&plain, "image/png", 200, b"/wA="),
        (&broken, "image/png", 500, BAD_GATEWAY.as_bytes()),
    ];
    let stage = Stage::new(|api| api.binary_media_types = vec!["image/png".into()]);
    for (answer, accept, status, body) in cases {
        stage.set("Handler", Ok(answer.clone()));
        let mut request = authorized("GET", "/orders");
        if !accept.is_empty() {
            request.headers.push("Accept", accept);
        }
        let response = stage.answer(request).await;
        assert_eq!((response.status, response.body.as_slice()), (status, body), "{accept} {answer}");
    }
}
