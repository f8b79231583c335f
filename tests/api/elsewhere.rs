//! The Lambda Invoke API as `cargo lambda watch` serves it, in front of functions that the test supplies.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use futures_util::future::BoxFuture;
use gateway::{
    http::{Handle, Refused, Request, Response, server},
    invoke::InvokeError,
};
use reqwest::Url;
use serde_json::json;
use tokio::net::TcpListener;

/// Invokes the function of a binary with an event.
type Functions =
    dyn Fn(String, Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, InvokeError>> + Send + Sync + 'static;

struct Elsewhere(Box<Functions>);

impl Handle for Elsewhere {
    fn answer(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            let binary = request
                .path()
                .strip_prefix("/2015-03-31/functions/")
                .and_then(|rest| rest.strip_suffix("/invocations"))
                .unwrap();
            match (self.0)(binary.to_owned(), request.body.clone()).await {
                Ok(answer) => Response::json(200, answer),
                // A failure is a 500 without the header that Lambda sets.
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

/// Serves `functions` for as long as the test runs.
pub(crate) async fn serve(
    functions: impl Fn(String, Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, InvokeError>>
    + Send
    + Sync
    + 'static,
) -> Url {
    listen(Elsewhere(Box::new(functions))).await
}

/// Serves any stand-in on loopback for as long as the test runs.
pub(crate) async fn listen(stand_in: impl Handle) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(server::serve(
        listener,
        Arc::new(stand_in),
        || SystemTime::UNIX_EPOCH,
        std::future::pending(),
    ));
    url
}
