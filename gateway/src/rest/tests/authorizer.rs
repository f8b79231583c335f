//! Rows about the authorizer: who is called, what is kept, what is decided.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{ARN, Outcome, Stage, authorized, policy, request, token};
use crate::{
    invoke::InvokeError,
    rest::{api::Access, served::Authorization},
};

const UNAUTHORIZED: &str = r#"{"message":"Unauthorized"}"#;
const DENIED: &str = r#"{"Message":"User is not authorized to access this resource"}"#;
const EXPLICITLY_DENIED: &str =
    r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#;
const NO_DECISION: &str = r#"{"message":null}"#;

fn failure(message: &str) -> Outcome {
    Err(InvokeError::Function { error_type: "expired".into(), error_message: message.into() })
}

#[tokio::test]
async fn row_1_an_answer_is_kept_for_its_token_and_evaluated_again_for_each_method() {
    let stage = Stage::new(|_| ());
    stage.set("Authorizer", Ok(policy(&[("Allow", &format!("{ARN}/GET/orders"))])));
    assert_eq!(stage.ask(authorized("GET", "/orders")).await.0, 200);
    assert_eq!(stage.ask(authorized("GET", "/orders/7")).await, (403, DENIED.into()), "another route");
    assert_eq!(stage.ask(authorized("POST", "/orders")).await.0, 403, "another verb");
    assert_eq!(stage.ask(authorized("GET", "/orders")).await.0, 200);
    assert_eq!(stage.count("Authorizer"), 1);
    assert_eq!(stage.last_served().authorization, Authorization::Cached);

    let mut other = request("GET", "/orders");
    other.headers.push("authorization", "Bearer token2");
    assert_eq!(stage.ask(other).await.0, 200);
    assert_eq!(stage.count("Authorizer"), 2, "another token");
    let seconds_left =
        || stage.gateway.cached_answers().iter().map(|answer| answer.left.as_secs()).collect::<Vec<_>>();
    assert_eq!(seconds_left(), [300; 2]);

    stage.pass(Duration::from_secs(299));
    stage.ask(authorized("GET", "/orders")).await;
    assert_eq!(stage.count("Authorizer"), 2);
    assert_eq!(seconds_left(), [1; 2]);
    stage.pass(Duration::from_secs(1));
    stage.ask(authorized("GET", "/orders")).await;
    assert_eq!(stage.count("Authorizer"), 3, "the time is over");
}

#[tokio::test]
async fn row_1_a_cache_time_of_zero_keeps_nothing() {
    let stage = Stage::new(|api| {
        api.authorizers.values_mut().for_each(|authorizer| authorizer.cache_time = Duration::ZERO);
    });
    for _ in 0..3 {
        assert_eq!(stage.ask(authorized("GET", "/orders")).await.0, 200);
    }
    assert_eq!(stage.count("Authorizer"), 3);
}

#[tokio::test]
async fn row_2_a_denial_is_kept_and_an_error_or_a_malformed_answer_is_not() {
    let cases = [
        ("denial", Ok(policy(&[("Deny", "*")])), 403, 1),
        ("refusal", failure("Unauthorized"), 401, 2),
        ("fault", failure("no keys"), 500, 2),
        ("time-out", Err(InvokeError::TimedOut), 500, 2),
        ("malformed", Ok(json!({"principalId": "x"})), 500, 2),
    ];
    for (name, outcome, status, calls) in cases {
        let stage = Stage::new(|_| ());
        stage.set("Authorizer", outcome);
        for _ in 0..2 {
            assert_eq!(stage.ask(authorized("GET", "/orders")).await.0, status, "{name}");
        }
        assert_eq!(stage.count("Authorizer"), calls, "{name}");
        assert_eq!(stage.count("Handler"), 0, "{name}");
    }
}

#[tokio::test]
async fn row_3_without_a_valid_token_the_function_is_not_called() {
    let stage = Stage::new(|api| {
        let identity = token("Authorization", Some("Bearer [a-z]+|Bearer [a-z]+\\.x"));
        api.authorizers.values_mut().for_each(|authorizer| authorizer.identity = identity.clone());
    });
    let tokens = [
        None,
        Some(""),
        Some("Bearer"),
        Some("bearer token"),
        Some("Basic token"),
        Some("Bearer token "),
        Some("Bearer token1"),
        Some("x Bearer token"),
        Some("Bearer token, Bearer token"),
    ];
    for token in tokens {
        let mut request = request("GET", "/orders");
        if let Some(token) = token {
            request.headers.push("Authorization", token);
        }
        let response = stage.answer(request).await;
        assert_eq!((response.status, response.body.as_slice()), (401, UNAUTHORIZED.as_bytes()), "{token:?}");
        assert_eq!(response.headers.first("x-amzn-ErrorType"), Some("UnauthorizedException"), "{token:?}");
    }
    assert_eq!(stage.count("Authorizer"), 0);
    let mut good = request("GET", "/orders");
    good.headers.push("AUTHORIZATION", "Bearer token.x");
    assert_eq!(stage.ask(good).await.0, 200, "the whole value may match a later alternative");
}

#[tokio::test]
async fn row_4_errors_and_malformed_answers_have_their_statuses() {
    let malformed = |change: fn(&mut Value)| {
        let mut answer = policy(&[("Allow", "*")]);
        change(&mut answer);
        Ok(answer)
    };
    let cases = [
        ("unauthorized", failure("Unauthorized"), 401, "UnauthorizedException"),
        ("in lower case", failure("unauthorized"), 500, "AuthorizerFailureException"),
        ("with more text", failure("Unauthorized."), 500, "AuthorizerFailureException"),
        ("another error", failure("no keys"), 500, "AuthorizerFailureException"),
        ("a time-out", Err(InvokeError::TimedOut), 500, "AuthorizerFailureException"),
        ("out of reach", Err(InvokeError::Unavailable("x".into())), 500, "AuthorizerConfigurationException"),
        ("null", Ok(json!("null")), 500, "AuthorizerConfigurationException"),
        ("no JSON", Ok(json!("{")), 500, "AuthorizerConfigurationException"),
        ("nothing", Ok(json!("")), 500, "AuthorizerConfigurationException"),
        (
            "no principal",
            malformed(|a| a["principalId"] = Value::Null),
            500,
            "AuthorizerConfigurationException",
        ),
        (
            "no policy",
            malformed(|a| a["policyDocument"] = Value::Null),
            500,
            "AuthorizerConfigurationException",
        ),
        (
            "a list in the context",
            malformed(|a| a["context"]["a"] = json!([])),
            500,
            "AuthorizerConfigurationException",
        ),
        (
            "a condition",
            malformed(|a| a["policyDocument"]["Statement"][0]["Condition"] = json!({"Bool": {}})),
            500,
            "AuthorizerConfigurationException",
        ),
    ];
    for (name, outcome, status, error_type) in cases {
        let stage = Stage::new(|_| ());
        stage.set("Authorizer", outcome);
        let response = stage.answer(authorized("GET", "/orders")).await;
        assert_eq!(response.status, status, "{name}");
        assert_eq!(response.headers.first("x-amzn-ErrorType"), Some(error_type), "{name}");
        let expected = if status == 401 { UNAUTHORIZED } else { NO_DECISION };
        assert_eq!(response.body, expected.as_bytes(), "{name}");
        assert_eq!(stage.count("Handler"), 0, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_4_an_authorizer_that_never_answers_is_a_failure() {
    let stage = Stage::new(|_| ());
    *stage.functions.delay.lock().unwrap() = Duration::from_hours(1);
    assert_eq!(stage.ask(authorized("GET", "/orders")).await, (500, NO_DECISION.into()));
}

#[tokio::test]
async fn rows_5_to_9_the_policy_decides_on_the_real_call() {
    type Case<'a> = (&'a str, Vec<(&'a str, String)>, u16, &'a str);
    let arn = |rest: &str| format!("{ARN}/{rest}");
    let all = ("Allow", "*".to_owned());
    let cases: [Case<'_>; 7] = [
        ("allowed", vec![("Allow", arn("GET/orders/*"))], 200, "{}"),
        (
            "row 5: a deny among allows",
            vec![("Deny", arn("GET/orders/7")), all.clone()],
            403,
            EXPLICITLY_DENIED,
        ),
        ("row 5: a deny of another path", vec![("Deny", arn("GET/orders/8")), all.clone()], 200, "{}"),
        (
            "row 7: another stage",
            vec![("Allow", arn("GET/orders/*").replace("/prod/", "/pro/"))],
            403,
            DENIED,
        ),
        ("row 7: unanchored", vec![("Allow", "/GET/orders/*".into())], 403, DENIED),
        ("row 9: nothing", vec![], 403, DENIED),
        ("row 10: the template", vec![("Allow", arn("GET/orders/{id}"))], 403, DENIED),
    ];
    for (name, statements, status, body) in cases {
        let stage = Stage::new(|_| ());
        let statements: Vec<_> =
            statements.iter().map(|(effect, resource)| (*effect, resource.as_str())).collect();
        stage.set("Authorizer", Ok(policy(&statements)));
        assert_eq!(stage.ask(authorized("GET", "/orders/7")).await, (status, body.into()), "{name}");
    }
}

#[tokio::test]
async fn rows_10_and_11_the_function_sees_the_token_and_the_real_path_only() {
    let stage = Stage::new(|_| ());
    let cases = [
        ("/orders", "GET/orders"),
        ("/orders/", "GET/orders/"),
        ("/orders/a%2Fb", "GET/orders/a%2Fb"),
        ("/orders/7?x=*&stage=dev", "GET/orders/7"),
        ("/orders/*", "GET/orders/*"),
    ];
    for (number, (target, expected)) in cases.into_iter().enumerate() {
        let mut request = request("GET", target);
        request.headers.push("Authorization", &format!("Bearer {number}"));
        request.headers.push("X-Other", "1");
        request.body = b"secret".to_vec();
        stage.answer(request).await;
        let event = json!({
            "type": "TOKEN",
            "authorizationToken": format!("Bearer {number}"),
            "methodArn": format!("{ARN}/{expected}"),
        });
        assert_eq!(stage.last_event("Authorizer"), event);
    }
}

#[tokio::test]
async fn row_10_an_arn_over_1600_bytes_is_414() {
    let stage = Stage::new(|_| ());
    let room = 1600 - format!("{ARN}/GET/orders/").len();
    assert_eq!(stage.ask(authorized("GET", &format!("/orders/{}", "x".repeat(room)))).await.0, 200);
    let long = authorized("GET", &format!("/orders/{}", "x".repeat(room + 1)));
    assert_eq!(stage.ask(long).await, (414, r#"{"message":"Request URI Too Long"}"#.into()));
}

#[tokio::test]
async fn rows_12_and_13_handlers_get_the_authorizers_word_and_no_clients() {
    let stage = Stage::new(|_| ());
    let mut answer = policy(&[("Allow", "*")]);
    answer["context"]["principalId"] = json!("somebody-else");
    answer["context"]["integrationLatency"] = json!("long");
    stage.set("Authorizer", Ok(answer));
    let mut request = authorized("GET", "/orders");
    for name in ["sls-offline-authorizer-override", "X-Amzn-Principal", "principalId", "requestContext"] {
        request.headers.push(name, r#"{"principalId":"admin","client_id":"admin"}"#);
    }
    stage.answer(request).await;
    let expected = json!({
        "principalId": "order-service",
        "client_id": "order-service",
        "exp": "1700000000",
        "trusted": "true",
        "integrationLatency": 0,
    });
    assert_eq!(stage.last_event("Handler")["requestContext"]["authorizer"], expected);
    assert_eq!(stage.last_served().principal_id.as_deref(), Some("order-service"));
}

#[tokio::test]
async fn an_open_method_asks_no_authorizer_and_names_no_caller() {
    let stage = Stage::new(|_| ());
    assert_eq!(stage.ask(authorized("GET", "/open")).await.0, 200);
    assert_eq!(stage.count("Authorizer"), 0);
    assert_eq!(stage.last_event("Handler")["requestContext"].get("authorizer"), None);
}

#[tokio::test]
async fn row_14_a_refusal_comes_before_anything_else_about_the_request() {
    let stage = Stage::new(|api| api.methods.iter_mut().for_each(|method| method.api_key_required = true));
    let mut broken = request("POST", "/orders");
    broken.body = b"{".to_vec();
    assert_eq!(stage.ask(broken).await, (401, UNAUTHORIZED.into()));
    stage.set("Authorizer", Ok(policy(&[])));
    let known = stage.ask(authorized("GET", "/orders/there")).await;
    assert_eq!(known, stage.ask(authorized("GET", "/orders/not-there")).await);
    assert_eq!((known.0, stage.count("Handler")), (403, 0));
}

#[tokio::test]
async fn row_25_two_authorization_headers_do_not_combine() {
    let stage = Stage::new(|_| ());
    for second in ["Bearer token", "Bearer other", ""] {
        let mut request = authorized("GET", "/orders");
        request.headers.push("authorization", second);
        assert_eq!(stage.ask(request).await, (401, UNAUTHORIZED.into()), "{second}");
    }
    let mut request = request("GET", "/orders");
    request.headers.push("Authorization", "");
    request.headers.push("Authorization", "Bearer token");
    assert_eq!(stage.ask(request).await.0, 401, "an empty one first");
    assert_eq!(stage.count("Authorizer"), 0);
}

#[tokio::test]
async fn row_15_a_method_whose_authorizer_is_not_played_is_never_opened() {
    let stage = Stage::new(|api| api.methods[0].access = Access::NotPlayed("AWS_IAM"));
    let method = stage.gateway.api.methods[0].clone();
    let (status, body) = stage.ask(authorized(&method.verb, &method.resource)).await;
    assert_eq!((status, body.as_str()), (500, NO_DECISION));
    assert_eq!(stage.functions.calls.lock().unwrap().len(), 0);
    assert_eq!(stage.last_served().detail.as_deref(), Some("AWS_IAM"));
}

#[tokio::test]
async fn what_is_wrong_with_an_authorizers_answer_is_in_the_log_and_not_in_the_body() {
    let cases = [
        (Ok(json!(null)), "the authorizer's answer is not a JSON object"),
        (
            Ok(json!(["client", {"Version": "2012-10-17", "Statement": []}, null, null])),
            "the authorizer's answer is not a JSON object",
        ),
        (Ok(json!({"isAuthorized": true})), "the authorizer's answer has no principalId"),
        (Ok(json!({"principalId": "a"})), "the authorizer's answer has no policyDocument"),
        (
            Ok(json!({"principalId": "a", "policyDocument": {"Statement": {"Effect": "allow"}}})),
            "the policyDocument of the authorizer's answer is malformed",
        ),
        (failure("secret"), "the authorizer failed"),
        (Err(InvokeError::TimedOut), "the authorizer did not answer in time"),
        (Err(InvokeError::Unavailable("no such function".into())), "no such function"),
    ];
    for (outcome, expected) in cases {
        let stage = Stage::new(|_| ());
        stage.set("Authorizer", outcome);
        assert_eq!(
            stage.ask(authorized("GET", "/orders")).await,
            (500, NO_DECISION.to_owned()),
            "{expected}"
        );
        assert_eq!(stage.last_served().detail.as_deref(), Some(expected));
    }
}
