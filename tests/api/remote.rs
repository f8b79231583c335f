//! `--functions URL`: the functions run elsewhere, behind the Invoke API as `cargo lambda watch` serves it.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::System;
use tokio::net::TcpListener;

use crate::elsewhere;

#[tokio::test]
async fn functions_elsewhere_decide_and_answer() {
    let elsewhere = Arc::new(System::start().await);
    let functions = Arc::clone(&elsewhere);
    let url = elsewhere::serve(move |binary, event| {
        let functions = Arc::clone(&functions);
        Box::pin(async move { functions.local().invoke(&binary, event).await })
    })
    .await;
    let system = System::start_with(|options| options.functions = Some(url)).await;

    // The other system's functions accept the other system's tokens.
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

#[tokio::test]
async fn functions_elsewhere_have_a_database_of_their_own() {
    for (functions, has_tables) in [(None, true), (Some("http://127.0.0.1:1".parse().unwrap()), false)] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let system = System::start_with(|options| {
            options.data = Some(data.clone());
            options.functions = functions;
        })
        .await;
        let names = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
        let names: Vec<_> = names.filter_map(|name| name.into_string().ok()).collect();
        let is_table_file = |name: &String| name.starts_with("tables.");
        assert_eq!(names.iter().any(is_table_file), has_tables, "{names:?}");
        drop(system);
    }
}
