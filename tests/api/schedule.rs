//! `POST /_local/invoke/{binary}`: runs a scheduled event for callers who can read the clients file.

use local::clients::Client;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::{Answer, System};

#[tokio::test]
async fn a_schedule_runs_for_a_client_and_for_nobody_else() {
    let system = System::start().await;
    let Client { client_id, client_secret, .. } = system.client("report-service");
    let call = |method: Method, path: &str, secret: Option<&str>| {
        let request = system.request(method, path);
        Answer::to(match secret {
            Some(secret) => request.basic_auth(client_id, Some(secret)),
            None => request,
        })
    };
    let secret = Some(client_secret.expose_secret());
    let cases = [
        ("its client", call(Method::POST, "/_local/invoke/report", secret).await, 200, Value::Null),
        ("nobody", call(Method::POST, "/_local/invoke/report", None).await, 401, json!("invalid_client")),
        (
            "a guess",
            call(Method::POST, "/_local/invoke/report", Some("guess")).await,
            401,
            json!("invalid_client"),
        ),
        (
            "another method",
            call(Method::GET, "/_local/invoke/report", secret).await,
            405,
            json!("method_not_allowed"),
        ),
        (
            "no schedule",
            call(Method::POST, "/_local/invoke/inventory", secret).await,
            404,
            json!("no_schedule"),
        ),
        ("no function", call(Method::POST, "/_local/invoke/", secret).await, 404, json!("no_schedule")),
    ];
    for (name, answer, status, error) in cases {
        assert_eq!((answer.status, &answer.json()["error"]), (status, &error), "{name}: {}", answer.text);
    }
    let bearer = system.token("storefront").await;
    let request = system.request(Method::POST, "/_local/invoke/report").bearer_auth(bearer);
    assert_eq!(Answer::to(request).await.status, 401, "a token is no credentials");
    let runs =
        system.log().iter().filter(|line| line["route"] == "schedule" && line["finished"] == 3).count();
    assert_eq!(runs, 1, "one run, of three days");
}
