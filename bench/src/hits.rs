//! Hits of the shared token cache: the function `token` compared with echo, with a stand-in for `DynamoDB` that returns
//! the item that the function stored, at once and from memory.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    call::Call,
    cores::Cores,
    figure::{Figure, Program},
    function::Function,
    measure::{Plan, Samples, WARM_UP, add, count},
};
use bench::runtime;
use test_support::{Stub, open};

const JSON: &str = "content-type: application/json\r\n";

/// CPU and wall time of each hit, one process of each program taking turns.
pub(crate) fn measure(programs: &[(Program, PathBuf)], cores: &Cores, plan: Plan) -> Result<Samples> {
    let token = json!({ "access_token": "t".repeat(900), "expires_in": 86_400, "token_type": "Bearer" });
    let issuer = runtime().block_on(Stub::always(open(200, JSON, token.to_string())));
    let table = runtime().block_on(table());
    let vars = [
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
        ("AWS_ENDPOINT_URL", table.url("")),
        ("TOKEN_URL", issuer.url("/oauth2/token")),
        ("TOKENS_TABLE", "bench".to_owned()),
    ];
    let event = event().to_string();
    let mut functions = Vec::new();
    for (program, path) in programs {
        let mut function = Function::start(path, &vars, None, cores)?;
        for _ in 0..WARM_UP {
            Call::Read.check(*program, &function.invoke(&event)?.outcome)?;
        }
        functions.push((*program, function));
    }
    let mut samples = Samples::new();
    for _ in 0..plan.runs * plan.batches {
        for (program, function) in &mut functions {
            let mut took = Vec::new();
            let before = function.cpu()?;
            for _ in 0..plan.calls {
                let ended = function.invoke(&event)?;
                Call::Read.check(*program, &ended.outcome)?;
                took.push(ended.took);
            }
            let cpu = function.cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / count(plan.calls);
            took.sort_unstable();
            let middle = took.get(took.len() / 2).context("no calls")?;
            add(&mut samples, Figure::HitCpu, *program, cpu);
            add(&mut samples, Figure::HitWall, *program, middle.as_secs_f64() * 1e6);
        }
        functions.rotate_left(1);
    }
    ensure!(issuer.count() == 1, "{} tokens were asked of the issuer", issuer.count());
    Ok(samples)
}

/// A table of one item.
async fn table() -> Stub {
    let stored: Mutex<Option<Value>> = Mutex::default();
    Stub::new(move |_, request| {
        let mut stored = stored.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = request.header("x-amz-target").unwrap_or_default().rsplit('.').next();
        let answer = match (operation, &*stored) {
            (Some("PutItem"), _) => {
                let put: Value = serde_json::from_str(&request.body).unwrap_or_default();
                *stored = put.get("Item").cloned();
                json!({})
            }
            (Some("GetItem"), Some(item)) => json!({ "Item": item }),
            _ => json!({}),
        };
        open(200, JSON, answer.to_string())
    })
    .await
}

fn event() -> Value {
    let headers = json!({ "Content-Type": "application/x-www-form-urlencoded", "Host": "bench" });
    json!({
        "resource": "/token",
        "path": "/token",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": null,
        "requestContext": { "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd", "resourcePath": "/token", "stage": "prod" },
        "body": "grant_type=client_credentials&client_id=4example23456789abcdefghij&client_secret=bench&scope=orders%2Fread",
        "isBase64Encoded": false,
    })
}
