//! `--functions URL`: the functions run elsewhere, behind the Invoke API as `cargo lambda watch` serves it.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use local::gateway::{
    http::{Handle, Refused, Request, Response},
    invoke::InvokeError,
    server,
};
use reqwest::Method;
use serde_json::json;
use tests::System;
use tokio::{net::TcpListener, sync::oneshot};

/// The Invoke API in front of a system's functions. `cargo lambda watch` hands a failure out with 500 and no mark.
struct Elsewhere(Arc<System>);

impl Handle for Elsewhere {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let binary = request
                .path()
                .strip_prefix("/2015-03-31/functions/")
                .and_then(|rest| rest.strip_suffix("/invocations"))
                .unwrap();
            match self.0.local().invoke(binary, request.body.clone()).await {
                Ok(answer) => Response::json(200, answer),
                Err(InvokeError::Function { error_type, error_message }) => {
                    let failure = json!({ "errorType": error_type, "errorMessage": error_message });
                    Response::json(500, failure.to_string())
                }
                Err(_) => Response::json(404, r#"{"title":"Function not found"}"#),
            }
        })
    }

    fn refuse(&self, _: Refused, _: SocketAddr) -> Response {
        Response::json(400, "{}")
    }
}

#[tokio::test]
async fn functions_elsewhere_decide_and_answer() {
    let elsewhere = Arc::new(System::start().await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (_stop, stopped) = oneshot::channel::<()>();
    let handler = Arc::new(Elsewhere(Arc::clone(&elsewhere)));
    tokio::spawn(server::serve(listener, handler, || SystemTime::UNIX_EPOCH, async { _ = stopped.await }));
    let system = System::start_with(|options| options.functions = Some(url)).await;

    // The other system's functions know the other system's tokens.
    let token = elsewhere.token("order-service").await;
    let movement = json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 7 }] });
    assert_eq!(system.send(Method::POST, "/inventory", &token, &movement).await.status, 200);
    assert_eq!(elsewhere.get("/inventory/A-1", &token).await.json()["on_hand"], 7);
    assert_eq!(system.get("/orders", &token).await.status, 403);
    let stranger = system.token("order-service").await;
    assert_eq!(system.get("/inventory", &stranger).await.status, 401);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_a_500_for_the_authorizer() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    };
    let system = System::start_with(|options| options.functions = Some(gone)).await;
    let token = system.token("order-service").await;
    assert_eq!(system.get("/inventory", &token).await.status, 500);
    assert_eq!(system.outcomes().get("fault function_unavailable"), Some(&1));
}
