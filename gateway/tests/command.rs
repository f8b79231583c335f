//! The command `gateway`: a template and a Lambda Invoke endpoint in, an API on loopback out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use gateway::loopback;
use serde_json::{Value, json};
use test_support::{Stub, reply};

const TEMPLATE: &str = r#"
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String }
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      Auth:
        DefaultAuthorizer: Mine
        Authorizers: { Mine: { FunctionArn: !GetAtt Guard.Arn } }
  Guard:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: guard.handler, CodeUri: . }
  Books:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: books.handler
      CodeUri: .
      Events:
        Read: { Type: Api, Properties: { RestApiId: !Ref Api, Path: "/books/{id}", Method: GET } }
"#;

/// What the functions of the template answer: the authorizer lets one token call the route that it asks about.
fn invoked(name: &str, event: &Value) -> (Value, bool) {
    match (name, event["authorizationToken"].as_str()) {
        ("Guard", Some("Bearer good" | "Bearer large")) => {
            let statement =
                json!({ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"] });
            let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
            (json!({ "principalId": "caller", "policyDocument": policy, "context": { "n": 1 } }), true)
        }
        ("Guard", _) => (json!({ "errorMessage": "Unauthorized", "errorType": "bad_token" }), false),
        _ => {
            let context = &event["requestContext"]["authorizer"];
            if event["pathParameters"]["id"] == "large" {
                return (json!({ "statusCode": 200, "body": "x".repeat(6 * 1024 * 1024) }), true);
            }
            let seen = json!([event["pathParameters"], context["principalId"], context["n"]]);
            (json!({ "statusCode": 200, "body": seen.to_string() }), true)
        }
    }
}

/// A Lambda Invoke endpoint.
async fn endpoint() -> Stub {
    Stub::new(|_, request| {
        let name = request.path().split('/').nth(3).unwrap();
        let (answer, is_success) = invoked(name, &serde_json::from_str(&request.body).unwrap());
        let error = if is_success { "" } else { "X-Amz-Function-Error: Unhandled\r\n" };
        reply(200, error, answer.to_string())
    })
    .await
}

/// Ended with the test.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn gateway(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn get(port: u16, path: &str, token: Option<&str>) -> (u16, Value) {
    let http = loopback::client(Duration::from_secs(10)).unwrap();
    let mut request = http.get(format!("http://127.0.0.1:{port}{path}"));
    if let Some(token) = token {
        request = request.header("Authorization", token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_template_is_served_with_functions_that_run_elsewhere() {
    let folder = std::env::temp_dir().join(format!("gateway-command-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("template.yaml");
    std::fs::write(&path, TEMPLATE).unwrap();
    let (template, functions) = (path.to_str().unwrap(), endpoint().await.url(""));
    let options = ["--template", template, "--functions", &functions, "--port", "0"];

    let refused = gateway(&options).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("Stage"), "a parameter without a value: {said}");

    let mut running = Gateway(gateway(&options).args(["--parameter", "Stage=dev"]).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let serving = lines.find(|line| line.starts_with("Serving ")).unwrap();
    thread::spawn(move || lines.for_each(drop));
    let after = serving.split("127.0.0.1:").nth(1).unwrap();
    let port = after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();

    for (name, path, token, status, body) in [
        ("no token", "/books/1", None, 401, json!({ "message": "Unauthorized" })),
        ("a bad token", "/books/1", Some("Bearer bad"), 401, json!({ "message": "Unauthorized" })),
        (
            "a valid token",
            "/books/a%2Fb",
            Some("Bearer good"),
            200,
            json!([{ "id": "a%2Fb" }, "caller", "1"]),
        ),
        (
            "the cached policy for another call",
            "/books/2",
            Some("Bearer good"),
            403,
            json!({ "Message": "User is not authorized to access this resource" }),
        ),
        (
            "an answer over 6 MB",
            "/books/large",
            Some("Bearer large"),
            502,
            json!({ "message": "Internal server error" }),
        ),
        ("no route", "/pens", None, 403, json!({ "message": "Missing Authentication Token" })),
    ] {
        assert_eq!(get(port, path, token).await, (status, body), "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
