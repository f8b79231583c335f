//! Cold starts of the four functions: the events, and a stand-in for `DynamoDB` with empty tables.
//!
//! The stand-in answers at once and from memory. The time that a real table, or the embedded one, takes would add to the
//! wall time, and is not the function's work.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    call::Call,
    cores::Cores,
    figure::{Figure, Program},
    function::Function,
    measure::{Samples, add, in_turn, milliseconds},
};
use bench::{issuer::CLIENT_ID, runtime};
use test_support::{Stub, open};

/// The answer to every read of an empty table: `Query` sees no items in it, `GetItem` no item.
const EMPTY: &str = r#"{"Items":[],"Count":0,"ScannedCount":0}"#;

/// Cold starts of each function, and of echo, in rounds.
pub(crate) fn measure(programs: &[(Program, PathBuf)], cores: &Cores, rounds: usize) -> Result<Samples> {
    let database = Stub::always(open(200, "content-type: application/json\r\n", EMPTY));
    let database = runtime().block_on(database);
    let mut samples = Samples::new();
    for round in 0..rounds {
        for (program, path) in in_turn(programs, round) {
            cold_start(program, &path, &database, cores, &mut samples)
                .with_context(|| format!("cold start of {}", program.name()))?;
        }
    }
    Ok(samples)
}

fn cold_start(
    program: Program,
    path: &Path,
    database: &Stub,
    cores: &Cores,
    samples: &mut Samples,
) -> Result<()> {
    let endpoint = database.url("");
    let vars = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_SESSION_TOKEN", "bench"),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("TABLE_NAME", "bench"),
        ("CREDENTIALS_SECRET", "bench"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let event = event(program)?.to_string();
    let mut function = Function::start(path, &vars, Some(&event), cores)?;
    let answer = function.answer()?;
    Call::Read.check(program, &answer.outcome)?;
    let wall = answer.at.duration_since(function.started());
    let cpu = function.cpu()?;
    add(samples, Figure::FunctionCpu, program, milliseconds(cpu));
    add(samples, Figure::FunctionWall, program, milliseconds(wall));
    Ok(())
}

/// A request that reads the table once.
fn event(program: Program) -> Result<Value> {
    let (resource, path, query, scope) = match program {
        Program::Echo | Program::Inventory => ("/inventory", "/inventory", json!(null), "inventory/read"),
        Program::Order => ("/orders", "/orders", json!({ "date": "2026-01-01" }), "orders/read"),
        Program::Payment => ("/payments", "/payments", json!({ "date": "2026-01-01" }), "payments/read"),
        Program::Report => ("/reports/{date}", "/reports/2026-01-01", json!(null), "reports/read"),
        Program::Floor | Program::Authorizer | Program::Wide | Program::Token | Program::Local => {
            bail!("not one of the functions")
        }
    };
    let parameters = if program == Program::Report { json!({ "date": "2026-01-01" }) } else { json!(null) };
    let lists = query.as_object().map(|query| {
        query.iter().map(|(name, value)| (name.clone(), json!([value]))).collect::<serde_json::Map<_, _>>()
    });
    Ok(json!({
        "resource": resource,
        "path": path,
        "httpMethod": "GET",
        "headers": { "Host": "bench" },
        "multiValueHeaders": { "Host": ["bench"] },
        "queryStringParameters": query,
        "multiValueQueryStringParameters": lists,
        "pathParameters": parameters,
        "stageVariables": null,
        "requestContext": {
            "authorizer": {
                "principalId": CLIENT_ID,
                "client_id": CLIENT_ID,
                "scope": scope,
                "exp": "4102444800",
                "jti": "5a0c6f2e-93b1-4d1c-8a77-000000000000",
            },
            "httpMethod": "GET",
            "path": path,
            "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "resourcePath": resource,
            "stage": "prod",
        },
        "body": null,
        "isBase64Encoded": false,
    }))
}
