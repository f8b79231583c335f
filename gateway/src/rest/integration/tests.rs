//! Functions' answers, good and malformed.

use serde_json::{Value, json};

use crate::{
    invoke::InvokeError,
    rest::tests::support::{Stage, authorized},
};

const BAD_GATEWAY: &str = r#"{"message":"Internal server error"}"#;

#[tokio::test]
async fn row_22_a_failing_function_is_502_and_shows_nothing_of_it() {
    let trace = "at main.rs:7 with secret";
    let function = InvokeError::Function { error_type: "Panic".into(), error_message: trace.into() };
    let cases =
        [(function, 502), (InvokeError::TimedOut, 502), (InvokeError::Unavailable(trace.into()), 500)];
    for (error, status) in cases {
        let stage = Stage::new(|_| ());
        stage.set("Handler", Err(error.clone()));
        let response = stage.answer(authorized("GET", "/orders")).await;
        assert_eq!((response.status, response.body.as_slice()), (status, BAD_GATEWAY.as_bytes()), "{error}");
        assert_eq!(response.headers.first("x-amzn-ErrorType"), Some("InternalServerErrorException"));
    }
}

#[tokio::test]
async fn row_22_a_malformed_answer_is_502() {
    let stage = Stage::new(|_| ());
    let cases = [
        json!(""),
        json!("null"),
        json!("\"text\""),
        json!("[]"),
        json!({}),
        json!({"body": "x"}),
        json!({"statusCode": null}),
        json!({"statusCode": "ok"}),
        json!({"statusCode": "+200"}),
        json!({"statusCode": ""}),
        json!({"statusCode": 200.5}),
        json!({"statusCode": -200}),
        json!({"statusCode": 100}),
        json!({"statusCode": 600}),
        json!({"statusCode": 65736}),
        json!({"statusCode": 200, "body": {"a": 1}}),
        json!({"statusCode": 200, "headers": []}),
        json!({"statusCode": 200, "headers": {"a": null}}),
        json!({"statusCode": 200, "headers": {"a": ["b"]}}),
        json!({"statusCode": 200, "multiValueHeaders": {"a": "b"}}),
        json!({"statusCode": 200, "isBase64Encoded": "true"}),
        json!({"statusCode": 200, "cookies": []}),
        json!({"statusCode": 200, "body": "x".repeat(6 * 1024 * 1024)}),
    ];
    for answer in cases {
        let name: String = answer.to_string().chars().take(60).collect();
        stage.set("Handler", Ok(answer));
        assert_eq!(stage.ask(authorized("GET", "/orders")).await, (502, BAD_GATEWAY.into()), "{name}");
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
