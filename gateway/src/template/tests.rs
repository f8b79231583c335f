//! Tests of the reader as a whole, on one small template that has everything.

mod definitions;
mod evaluation;
mod refusals;
mod robustness;
mod service;

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::{Facts, Stack, Template, TemplateError};
use crate::rest::api::{ApiKeySource, Identity, Integration, Quota, QuotaPeriod, Throttle};

/// A template as production ones are.
pub(super) const TEMPLATE: &str = include_str!("tests/template.yaml");

/// Reads `text` with all secrets given.
pub(super) fn read(text: &str) -> Result<Stack, TemplateError> {
    read_with(text, Facts::default())
}

/// Reads `text` with these facts and all secrets given.
pub(super) fn read_with(text: &str, mut facts: Facts) -> Result<Stack, TemplateError> {
    let template = Template::parse("template.yaml", text)?;
    for logical_id in template.logical_ids("AWS::Cognito::UserPoolClient") {
        facts.client_secrets.insert(logical_id.to_owned(), "hush".to_owned().into());
    }
    template.stack(&facts)
}

#[test]
fn api_and_its_methods_are_read() {
    let api = read(TEMPLATE).unwrap().api;

    assert_eq!((api.partition.as_str(), api.region.as_str()), ("aws", "us-east-1"));
    assert_eq!((api.account_id.as_str(), api.api_id.as_str()), ("123456789012", "localapi01"));
    assert_eq!(api.stage, "dev");
    assert_eq!(api.binary_media_types, ["image/png"]);
    assert_eq!(api.api_key_source, ApiKeySource::Authorizer);
    assert_eq!(api.throttle, Some(Throttle { rate: 200.0, burst: 400 }));
    let methods: Vec<_> = api
        .methods
        .iter()
        .map(|method| {
            let authorizer = method.authorizer();
            (
                &*method.verb,
                &*method.resource,
                method.function().unwrap(),
                authorizer,
                method.api_key_required,
            )
        })
        .collect();
    assert_eq!(
        methods,
        [
            ("GET", "/items/{id}", "ItemFunction", Some("Scopes"), true),
            ("ANY", "/open", "ItemFunction", None, false),
        ]
    );
    for (method, seconds) in api.methods.iter().zip([29, 5]) {
        let Integration::Function { timeout, .. } = method.integration else { panic!("{method:?}") };
        assert_eq!(timeout, Duration::from_secs(seconds));
    }
}

#[test]
fn authorizer_is_read() {
    let api = read(TEMPLATE).unwrap().api;
    let authorizer = &api.authorizers["Scopes"];

    assert_eq!(authorizer.function, "AuthorizerFunction");
    let Identity::Token { header, validation } = &authorizer.identity else { panic!("{authorizer:?}") };
    assert_eq!(header, "Authorization");
    assert_eq!(authorizer.cache_time, Duration::from_mins(5));
    let validation = validation.as_ref().unwrap();
    assert!(validation.is_match("bEARER a.b.c"));
    assert!(!validation.is_match("Bearer a.b.c\n"));
    assert!(!validation.is_match("x Bearer a.b.c"));
}

#[test]
fn gateway_responses_are_read() {
    let api = read(TEMPLATE).unwrap().api;

    let unauthorized = &api.responses["UNAUTHORIZED"];
    assert_eq!(unauthorized.status, Some(401));
    assert_eq!(unauthorized.headers["WWW-Authenticate"], "'Bearer realm=\"shop\"'");
    assert_eq!(unauthorized.templates["application/json"], r#"{"error":"invalid_token"}"#);
    assert_eq!(api.responses["DEFAULT_5XX"].status, None);
}

#[test]
fn functions_are_read_with_what_globals_say() {
    let functions = read(TEMPLATE).unwrap().functions;

    let item = &functions["ItemFunction"];
    assert_eq!(item.binary, "item");
    assert_eq!(item.timeout, Duration::from_mins(1));
    let environment: Vec<_> = item.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        environment,
        [
            ("CREDENTIALS_SECRET", "local/shop"),
            ("CURRENCY", "EUR"),
            ("TABLE_NAME", "ItemTable"),
            ("VERBOSE", "true"),
        ]
    );
    let schedules: Vec<_> = item
        .schedules
        .iter()
        .map(|schedule| (&*schedule.name, &*schedule.expression, schedule.input.as_deref(), schedule.enabled))
        .collect();
    assert_eq!(
        schedules,
        [
            ("Daily", "cron(15 0 * * ? *)", None, true),
            ("Hourly", "rate(1 hour)", Some("{\"hour\":true}"), false),
        ]
    );
    assert_eq!(item.schedules[1].time_zone.as_deref(), Some("Europe/Paris"));

    let authorizer = &functions["AuthorizerFunction"];
    assert_eq!(authorizer.timeout, Duration::from_secs(15));
    assert_eq!(authorizer.environment["CURRENCY"], "EUR");
    assert_eq!(authorizer.environment["USER_POOL_ID"], "us-east-1_Local0001");
    assert!(!authorizer.environment.contains_key("JWKS_URI"));
}

#[test]
fn user_pool_is_read() {
    let stack = read(TEMPLATE).unwrap();
    let pool = stack.user_pool.unwrap();

    assert_eq!(pool.id, "us-east-1_Local0001");
    assert_eq!(pool.resource_servers["items"], ["read", "write"]);
    let client = &pool.clients["ShopClient"];
    assert_eq!(client.name, "shop");
    assert_eq!(client.scopes, ["items/read"]);
    assert_eq!(client.token_life, Duration::from_hours(1));
    assert_eq!(client.id.len(), 26);
    assert_eq!(stack.functions["AuthorizerFunction"].environment["CLIENT_IDS"], client.id);
}

#[test]
fn usage_plans_count_the_keys_of_clients() {
    let stack = read(TEMPLATE).unwrap();
    let client_id = &stack.user_pool.unwrap().clients["ShopClient"].id;

    assert_eq!(&stack.api.api_keys[0].value, client_id);
    assert!(stack.api.api_keys[0].enabled);
    let plan = &stack.api.usage_plans[0];
    assert_eq!(plan.name, "ShopPlan");
    assert_eq!(plan.api_keys, [client_id.as_str()]);
    assert_eq!(plan.throttle, Some(Throttle { rate: 0.5, burst: 100 }));
    assert_eq!(plan.quota, Some(Quota { limit: 1_000_000, offset: 0, period: QuotaPeriod::Day }));
}

#[test]
fn tables_are_read() {
    let tables = read(TEMPLATE).unwrap().tables;

    assert_eq!(tables["ItemTable"].name, "ItemTable");
    let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let projection = json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"] });
    let expected = json!({
        "TableName": "ItemTable",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk", "S"), attribute("sk", "S"), attribute("at", "N")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes":
            [{ "IndexName": "by_time", "KeySchema": [key("at", "HASH")], "Projection": projection }],
    });
    assert_eq!(tables["ItemTable"].request, expected);
}

#[test]
fn secrets_are_filled_in_and_stay_out_of_debug_output() {
    let stack = read(TEMPLATE).unwrap();
    let client_id = &stack.user_pool.as_ref().unwrap().clients["ShopClient"].id;
    let secret = &stack.secrets["ShopSecret"];

    assert_eq!(secret.name, "local/shop");
    assert_eq!(secret.arn, "arn:aws:secretsmanager:us-east-1:123456789012:secret:local/shop-Local1");
    assert_eq!(
        secret.value.expose_secret(),
        format!(
            r#"{{"client_id":"{client_id}","client_secret":"hush","api_url":"https://localapi01.execute-api.us-east-1.amazonaws.com/dev"}}"#
        )
    );
    assert!(!format!("{stack:?}").contains("hush"));
}

#[test]
fn custom_resources_are_left_alone() {
    for kind in ["Custom::Anything", "AWS::CloudFormation::CustomResource"] {
        let text = TEMPLATE.replace("Type: AWS::IAM::Role", &format!("Type: {kind}"));
        assert_ne!(text, TEMPLATE);
        assert_eq!(read(&text).unwrap().tables.len(), read(TEMPLATE).unwrap().tables.len(), "{kind}");
    }
}

#[test]
fn json_is_read_too() {
    let text = "{\n\t\"Transform\": [\"AWS::Serverless-2016-10-31\"],\n\t\"Resources\": {\"Api\": {\n\t\t\"Type\": \
        \"AWS::Serverless::Api\",\n\t\t\"Properties\": {\"StageName\": {\"Fn::Sub\": \"${AWS::Region}\"}}}}\n}\n";

    assert_eq!(read(text).unwrap().api.stage, "us-east-1");
}
