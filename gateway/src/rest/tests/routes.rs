//! Rows about unknown routes and about what every answer carries.

use serde_json::json;

use super::support::{Stage, authorized, request};
use crate::http::{Handle, Refused};

#[tokio::test]
async fn row_16_an_unknown_route_or_method_is_403() {
    let stage = Stage::new(|_| ());
    for (verb, path) in [("GET", "/nothing"), ("DELETE", "/orders"), ("GET", "/"), ("GET", "/prod/orders")] {
        let response = stage.answer(authorized(verb, path)).await;
        assert_eq!(response.status, 403, "{verb} {path}");
        assert_eq!(response.body, br#"{"message":"Missing Authentication Token"}"#, "{verb} {path}");
        let error_type = response.headers.first("x-amzn-ErrorType");
        assert_eq!(error_type, Some("MissingAuthenticationTokenException"), "{verb} {path}");
    }
    assert_eq!(stage.functions.calls.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn row_18_every_answer_has_an_id_of_its_own() {
    let stage = Stage::new(|_| ());
    let claimed = json!({"statusCode": 200, "headers": {"X-Amzn-RequestId": "mine"}});
    stage.set("Handler", Ok(claimed));
    let mut ids = Vec::new();
    for request in [authorized("GET", "/orders"), request("GET", "/orders"), request("GET", "/nothing")] {
        ids.push(stage.answer(request).await);
    }
    let peer = ([127, 0, 0, 1], 1).into();
    ids.push(Handle::refuse(stage.gateway.as_ref(), Refused::Malformed, peer));
    assert_eq!(ids.last().map(|response| response.status), Some(400));
    let mut ids: Vec<String> = ids
        .iter()
        .map(|response| {
            assert_eq!(response.headers.all("x-amzn-requestid").count(), 1);
            response.headers.first("x-amzn-RequestId").unwrap().to_owned()
        })
        .collect();
    assert_eq!(stage.last_served().request_id, ids[3]);
    assert!(
        ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 4)),
        "{ids:?}"
    );
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}
