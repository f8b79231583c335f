use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use client::Http;
use test_support::{Reply, Request, Stub, reply};

use super::*;

fn config(stub: &Stub) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "example", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(stub.url("/"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .http_client(Http::new().unwrap())
        .build()
}

fn ok(body: &str) -> Reply {
    reply(200, "", body)
}

fn error(code: &str) -> Reply {
    reply(400, "", format!(r#"{{"__type":"{code}","message":"s3cret"}}"#))
}

/// Target and body of each request.
fn heard(stub: &Stub) -> Vec<String> {
    let target = |request: &Request| {
        let target = request.header("x-amz-target").unwrap();
        format!("{} {}", target.split('.').next_back().unwrap(), request.body)
    };
    stub.heard().iter().map(target).collect()
}

#[tokio::test]
async fn secrets_manager_is_asked_in_its_own_words() {
    let stub = Stub::new(|number, _| match number {
        0 => ok(r#"{"VersionIdsToStages":{"v0":["AWSCURRENT"],"v1":["AWSPENDING"]},"Tags":[{"Key":"client_id","Value":"7abc"}]}"#),
        1 => ok(r#"{"SecretString":"{}"}"#),
        2 => error("ResourceNotFoundException"),
        3 | 5 => ok("{}"),
        4 => error("ResourceExistsException"),
        _ => error("AccessDeniedException"),
    })
    .await;
    let secrets = SecretsManager::new(&config(&stub));
    let described = secrets.describe("s").await.unwrap();
    assert_eq!(described.tags, BTreeMap::from([("client_id".into(), "7abc".into())]));
    assert!(described.versions["v1"].contains(PENDING));
    assert!(secrets.value("s", "v0").await.unwrap().is_some());
    assert!(secrets.value("s", "v1").await.unwrap().is_none(), "a version without a value");
    secrets.put_pending("s", "v1", "{}".into()).await.unwrap();
    secrets.put_pending("s", "v1", "{}".into()).await.unwrap();
    secrets.move_label("s", "AWSCURRENT", Some("v0"), Some("v1")).await.unwrap();
    let failed = secrets.describe("s").await.unwrap_err();
    assert_eq!(failed.to_string(), "DescribeSecret failed: AccessDeniedException");
    insta::assert_debug_snapshot!(heard(&stub), @r#"
    [
        "DescribeSecret {\"SecretId\":\"s\"}",
        "GetSecretValue {\"SecretId\":\"s\",\"VersionId\":\"v0\"}",
        "GetSecretValue {\"SecretId\":\"s\",\"VersionId\":\"v1\"}",
        "PutSecretValue {\"SecretId\":\"s\",\"ClientRequestToken\":\"v1\",\"SecretString\":\"{}\",\"VersionStages\":[\"AWSPENDING\"]}",
        "PutSecretValue {\"SecretId\":\"s\",\"ClientRequestToken\":\"v1\",\"SecretString\":\"{}\",\"VersionStages\":[\"AWSPENDING\"]}",
        "UpdateSecretVersionStage {\"SecretId\":\"s\",\"VersionStage\":\"AWSCURRENT\",\"RemoveFromVersionId\":\"v0\",\"MoveToVersionId\":\"v1\"}",
        "DescribeSecret {\"SecretId\":\"s\"}",
    ]
    "#);
}

#[tokio::test]
async fn cognito_is_asked_in_its_own_words() {
    let stub = Stub::new(|number, _| match number {
        0 => ok(r#"{"ClientSecrets":[{"ClientSecretId":"a"},{"ClientSecretId":"b"}]}"#),
        1 => ok(r#"{"ClientSecretDescriptor":{"ClientSecretId":"c"}}"#),
        2 => ok("{}"),
        3 => ok(r#"{"UserPoolClient":{"ClientSecret":"original"}}"#),
        _ => error("LimitExceededException"),
    })
    .await;
    let clients = AppClients::new(&config(&stub), "eu-west-1_Pool".into());
    assert_eq!(clients.list("7abc").await.unwrap(), ["a", "b"]);
    assert_eq!(clients.add("7abc", &"s3cret".into()).await.unwrap(), "c");
    clients.delete("7abc", "a").await.unwrap();
    assert_eq!(clients.original("7abc").await.unwrap().unwrap().expose_secret(), "original");
    let failed = clients.add("7abc", &"s3cret".into()).await.unwrap_err();
    assert_eq!(failed.to_string(), "AddUserPoolClientSecret failed: LimitExceededException");
    insta::assert_debug_snapshot!(heard(&stub), @r#"
    [
        "ListUserPoolClientSecrets {\"UserPoolId\":\"eu-west-1_Pool\",\"ClientId\":\"7abc\"}",
        "AddUserPoolClientSecret {\"UserPoolId\":\"eu-west-1_Pool\",\"ClientId\":\"7abc\",\"ClientSecret\":\"s3cret\"}",
        "DeleteUserPoolClientSecret {\"UserPoolId\":\"eu-west-1_Pool\",\"ClientId\":\"7abc\",\"ClientSecretId\":\"a\"}",
        "DescribeUserPoolClient {\"UserPoolId\":\"eu-west-1_Pool\",\"ClientId\":\"7abc\"}",
        "AddUserPoolClientSecret {\"UserPoolId\":\"eu-west-1_Pool\",\"ClientId\":\"7abc\",\"ClientSecret\":\"s3cret\"}",
    ]
    "#);
}
