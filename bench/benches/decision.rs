//! The steps of a decision, in one process without the Lambda runtime: each input goes one step further than the one
//! before it, so a step is the difference of two lines. The floors, for comparison, are the same work done by the
//! libraries alone.
//!
//! `start` is what a cold start computes before the first network call, with our routes and with a large table.
//!
//! `malformed` stops at the shape of the token. `foreign` goes on to its header and the unverified issuer, `forged` to
//! the end of the signature's check, `expired` to the claims, and `allowed` to the policy and the serialized answer.

use std::{hint::black_box, time::SystemTime};

use access::log::Log;
use authorizer::{Authorizer, Config};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bench::{
    clock,
    issuer::{CLIENT_ID, Issuer, USER_POOL_ID, event},
};
use criterion::Criterion;
use tokio::runtime::Runtime;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const ROUTES: &str = include_str!("../../routes.json");
/// Where keys are not asked for.
const NO_JWKS: &str = "http://127.0.0.1:1/jwks.json";
const SCOPES: &str = "inventory/read inventory/write";

/// A pool that did not issue the tokens.
const OTHER_POOL: &str = "us-east-1_Bench0002";

fn main() -> Outcome {
    let mut criterion = Criterion::default().configure_from_args();
    let issuer = Issuer::generate();
    let now = clock::unix_seconds();
    let token = issuer.token(0, SCOPES, now);
    decisions(&mut criterion, &issuer, &token, now)?;
    floors(&mut criterion, &issuer, &token)?;
    starts(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn decisions(criterion: &mut Criterion, issuer: &Issuer, token: &str, now: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let jwks = issuer.serve_jwks(std::time::Duration::ZERO).url("/jwks.json");
    let own = authorizer(&runtime, USER_POOL_ID, &jwks)?;
    let other = authorizer(&runtime, OTHER_POOL, &jwks)?;
    let (message, _) = token.rsplit_once('.').ok_or("no dots")?;
    let another = issuer.token(1, SCOPES, now);
    let (_, signature) = another.rsplit_once('.').ok_or("no dots")?;
    let mut group = criterion.benchmark_group("decision");
    for (name, authorizer, token, reason) in [
        ("malformed", &own, "not-a-token".to_owned(), Err("not_three_parts")),
        ("foreign", &other, token.to_owned(), Err("unknown_issuer")),
        ("forged", &own, format!("{message}.{signature}"), Err("signature")),
        ("expired", &own, issuer.token(2, SCOPES, now - 7_200), Err("expired")),
        ("allowed", &own, token.to_owned(), Ok(())),
    ] {
        let event = event(&token);
        let decide = || runtime.block_on(authorizer.handle(black_box(event.as_bytes()), "bench"));
        let outcome = decide().map(drop).map_err(|failure| failure.error_type);
        if outcome != reason {
            return Err(format!("{name} ends with {outcome:?}").into());
        }
        group.bench_function(name, |bencher| bencher.iter(decide));
    }
    group.finish();
    Ok(())
}

fn floors(criterion: &mut Criterion, issuer: &Issuer, token: &str) -> Outcome {
    let key = URL_SAFE_NO_PAD.decode(issuer.public_key())?;
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)?;
    let (message, signature) = token.rsplit_once('.').ok_or("no dots")?;
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    key.verify_sig(message.as_bytes(), &signature)?;
    let mut group = criterion.benchmark_group("floor");
    group.bench_function("base64 of the token", |bencher| {
        bencher.iter(|| {
            black_box(token).split('.').map(|part| URL_SAFE_NO_PAD.decode(part)).all(|part| part.is_ok())
        });
    });
    group.bench_function("RSA verification", |bencher| {
        bencher.iter(|| key.verify_sig(black_box(message.as_bytes()), &signature));
    });
    group.finish();
    Ok(())
}

fn starts(criterion: &mut Criterion) -> Outcome {
    // All paths differ, each has four parameters, and a greedy route overlaps all of them.
    let route = |n: usize| {
        let (resource, item) = (n / 25, n % 25);
        format!(r#""ANY /{{a}}/r{resource}/{{b}}/{{c}}/i{item}/{{d}}":["s/{resource}"]"#)
    };
    let mut several: Vec<String> = (0..499).map(route).collect();
    several.push(r#""GET /files/{path+}":["s/files"]"#.to_owned());
    let several = format!("{{{}}}", several.join(","));
    let mut group = criterion.benchmark_group("start");
    for (name, routes) in [("our routes", ROUTES), ("500 routes, several parameters in each", &several)] {
        new(NO_JWKS, USER_POOL_ID, routes)?;
        group.bench_function(name, |bencher| {
            bencher.iter(|| new(NO_JWKS, USER_POOL_ID, black_box(routes)).is_ok());
        });
    }
    group.finish();
    Ok(())
}

/// An authorizer that holds its keys.
fn authorizer(runtime: &Runtime, pool: &str, jwks: &str) -> Outcome<Authorizer> {
    let authorizer = new(jwks, pool, ROUTES)?;
    runtime.block_on(authorizer.prefetch());
    Ok(authorizer)
}

/// An authorizer that drops its log.
fn new(jwks: &str, pool: &str, routes: &str) -> Outcome<Authorizer> {
    let vars = |name: &str| match name {
        "USER_POOL_ID" => Some(pool.to_owned()),
        "CLIENT_IDS" => Some(CLIENT_ID.to_owned()),
        "JWKS_URI" => Some(jwks.to_owned()),
        "ROUTES" => Some(routes.to_owned()),
        "AWS_LAMBDA_LOG_FORMAT" => Some("JSON".to_owned()),
        _ => None,
    };
    let log = Log::from_vars(vars, |line| {
        black_box(line);
    });
    #[expect(clippy::disallowed_methods, reason = "the tokens are valid now")]
    let clock = SystemTime::now;
    Ok(Authorizer::new(Config::from_vars(vars)?, clock, log)?)
}
