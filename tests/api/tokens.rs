//! Invalid tokens: every reason to refuse one, each with a case in which only that check fails.

use std::{collections::BTreeSet, fs};

use authorizer::Refusal;
use aws_lc_rs::hmac::HMAC_SHA256;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use gateway::invoke::InvokeError;
use serde_json::{Value, json};
use test_support::signer::{changed, mac, unsigned};
use tests::{System, unix_now};

/// A token with this header and these claims, signed with the issuer's key.
fn signed(system: &System, header: &Value, claims: &Value) -> String {
    let issuer = system.local().issuer();
    issuer.sign(header.to_string().as_bytes(), claims.to_string().as_bytes()).unwrap()
}

/// The header of a valid token with these changes.
fn header(system: &System, changes: Value) -> Value {
    changed(json!({ "kid": system.local().issuer().key_id(), "alg": "RS256" }), changes)
}

fn seconds(from_now: i64) -> i64 {
    i64::try_from(unix_now().0).unwrap() + from_now
}

/// Tokens that reach the authorizer over HTTP, each with the label of its refusal.
fn spoiled(system: &System) -> Vec<(&'static str, String, Refusal)> {
    let good = system.claims();
    let kid = system.local().issuer().key_id();
    let claims = |changes: Value| system.mint(&changed(good.clone(), changes));
    let under = |changes: Value| signed(system, &header(system, changes), &good);
    let raw = |header: &str, claims: &str| {
        system.local().issuer().sign(header.as_bytes(), claims.as_bytes()).unwrap()
    };
    let good_header = header(system, json!({})).to_string();
    let valid = system.mint(&good);
    let (signed_part, signature) = valid.rsplit_once('.').unwrap();
    let unsigned = |header: Value| unsigned(header.to_string(), good.to_string());
    // The classic confusion: the public key as the secret of an HMAC.
    let jwks = system.local().issuer().jwks();
    let confused = mac(HMAC_SHA256, &json!({ "alg": "HS256", "kid": kid }), &good, jwks.as_bytes());
    let flipped = {
        let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[0] ^= 1;
        format!("{signed_part}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    };
    // The last character of 256 bytes has four bits that belong to no byte.
    let stray = {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (rest, last) = valid.split_at(valid.len() - 1);
        let at = alphabet.find(last).unwrap();
        format!("{rest}{}", &alphabet[at + 1..at + 2])
    };
    vec![
        ("stray bits", stray, Refusal::MalformedBase64),
        ("header no JSON", raw("{", &good.to_string()), Refusal::MalformedJson),
        ("claims a list", raw(&good_header, "[]"), Refusal::MalformedJson),
        (
            "alg twice",
            raw(&format!(r#"{{"alg":"RS256","kid":"{kid}","alg":"none"}}"#), "{}"),
            Refusal::DuplicateMember,
        ),
        ("alg none", format!("{}.AA", unsigned(json!({ "alg": "none", "kid": kid }))), Refusal::Algorithm),
        ("alg nOnE", format!("{}.AA", unsigned(json!({ "alg": "nOnE", "kid": kid }))), Refusal::Algorithm),
        ("HS256 with the public key", confused, Refusal::Algorithm),
        ("PS256", under(json!({ "alg": "PS256" })), Refusal::Algorithm),
        ("RS512", under(json!({ "alg": "RS512" })), Refusal::Algorithm),
        ("crit", under(json!({ "crit": ["exp"], "exp": 1 })), Refusal::CriticalHeader),
        ("no kid", under(json!({ "kid": null })), Refusal::MalformedKeyId),
        ("kid a number", under(json!({ "kid": 7 })), Refusal::MalformedKeyId),
        (
            "another pool",
            claims(json!({ "iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other0000" })),
            Refusal::UnknownIssuer,
        ),
        (
            "issuer with a slash",
            claims(json!({ "iss": format!("{}/", system.local().issuer().url()) })),
            Refusal::UnknownIssuer,
        ),
        ("unknown kid", under(json!({ "kid": "../../etc/passwd" })), Refusal::UnknownKey),
        ("flipped bit", flipped, Refusal::Signature),
        (
            "another's payload",
            format!("{}.{signature}", unsigned(json!({ "alg": "RS256", "kid": kid }))),
            Refusal::Signature,
        ),
        ("id token", claims(json!({ "token_use": "id" })), Refusal::TokenUse),
        ("client_id with a quote", claims(json!({ "client_id": "a\"b" })), Refusal::MalformedClientId),
        ("client_id of an ARN", claims(json!({ "client_id": "arn:aws:x/*" })), Refusal::MalformedClientId),
        ("unknown client", claims(json!({ "client_id": "7unknown" })), Refusal::ClientNotAllowed),
        ("no exp", claims(json!({ "exp": null })), Refusal::MalformedExp),
        ("exp a string", claims(json!({ "exp": "9999999999" })), Refusal::MalformedExp),
        (
            "exp 1e400",
            raw(
                &good_header,
                &good.to_string().replacen(&format!("\"exp\":{}", good["exp"]), "\"exp\":1e400", 1),
            ),
            Refusal::MalformedJson,
        ),
        ("expired", claims(json!({ "exp": seconds(-1) })), Refusal::Expired),
        ("nbf a string", claims(json!({ "nbf": "0" })), Refusal::MalformedNbf),
        ("nbf in the future", claims(json!({ "nbf": seconds(60) })), Refusal::NotYetValid),
        ("iat a list", claims(json!({ "iat": [1] })), Refusal::MalformedIat),
        ("iat in the future", claims(json!({ "iat": seconds(60) })), Refusal::IssuedInFuture),
        ("scope a list", claims(json!({ "scope": ["inventory/read"] })), Refusal::MalformedScope),
        ("bound to a key", claims(json!({ "cnf": { "jkt": "x" } })), Refusal::SenderConstrained),
        ("jti a number", claims(json!({ "jti": 7 })), Refusal::MalformedJti),
    ]
}

/// Header values that never pass the gateway.
fn held_back() -> Vec<(&'static str, String, Refusal)> {
    vec![
        ("empty", String::new(), Refusal::MissingToken),
        ("20 KiB", format!("Bearer {}", "a".repeat(20 * 1024)), Refusal::TokenTooLarge),
        ("another scheme", "Basic YTpi".into(), Refusal::NotBearer),
        ("a comma", "Bearer a.b.c,".into(), Refusal::MalformedBearer),
        ("five parts", "Bearer a.b.c.d.e".into(), Refusal::NotThreeParts),
    ]
}

#[tokio::test]
async fn every_refusal_is_seen_with_its_label() {
    let system = System::start().await;
    let mut seen = BTreeSet::new();
    for (name, token, refusal) in spoiled(&system) {
        let answer = system.get("/inventory", &token).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text);
        let log = system.log();
        let decided = log.iter().rfind(|line| line["outcome"] == "refused");
        assert_eq!(decided.map(|line| &line["reason"]), Some(&json!(refusal.label())), "{name}");
        seen.insert(refusal);
    }
    for (name, value, refusal) in held_back() {
        let event = json!({
            "type": "TOKEN",
            "authorizationToken": value,
            "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/GET/inventory",
        });
        let failed = system.local().invoke("authorizer", event.to_string().into_bytes()).await;
        let expected = InvokeError::Function {
            error_type: refusal.label().to_owned(),
            error_message: "Unauthorized".to_owned(),
        };
        assert_eq!(failed, Err(expected), "{name}");
        seen.insert(refusal);
    }
    seen.insert(audience().await);
    let unseen: Vec<_> = Refusal::ALL.into_iter().filter(|refusal| !seen.contains(refusal)).collect();
    assert_eq!(unseen, [], "no case for these");
}

/// Cognito's tokens have no `aud`: another setting is needed to see the refusal.
async fn audience() -> Refusal {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let text = include_str!("../../template.yaml");
    let jwks = "          JWKS_URI: !Ref JwksUri\n";
    let with_audience = text.replacen(jwks, &format!("{jwks}          TOKEN_AUDIENCE: this-api\n"), 1);
    assert_ne!(text, with_audience);
    fs::write(&path, with_audience).unwrap();
    fs::write(folder.path().join("routes.json"), include_str!("../../routes.json")).unwrap();
    let system = System::start_with(|options| options.template = path).await;
    assert_eq!(system.get("/inventory", &system.mint(&system.claims())).await.status, 401);
    assert_eq!(system.outcomes().get("refused audience"), Some(&1));
    let claims = changed(system.claims(), json!({ "aud": ["another", "this-api"] }));
    assert_eq!(system.get("/inventory", &system.mint(&claims)).await.status, 200);
    Refusal::Audience
}

#[tokio::test]
async fn what_may_differ_in_a_good_token_does() {
    let system = System::start().await;
    let good = system.claims();
    let claims = |changes: Value| system.mint(&changed(good.clone(), changes));
    let issuer = good["iss"].as_str().unwrap();
    let cases = [
        ("as issued", system.mint(&good)),
        ("the issuer's other form", claims(json!({ "iss": issuer.replace("//", "//issuer-") }))),
        ("claims of tomorrow", claims(json!({ "department": { "id": 7 } }))),
        ("a clock that runs ahead", claims(json!({ "iat": seconds(3), "nbf": seconds(3) }))),
        ("any typ", signed(&system, &header(&system, json!({ "typ": "at+jwt" })), &good)),
        ("keys pointed at, which nobody follows", {
            let pointers = json!({ "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/", "jwk": {} });
            signed(&system, &header(&system, pointers), &good)
        }),
    ];
    for (name, token) in cases {
        let answer = system.get("/inventory", &token).await;
        assert_eq!(answer.status, 200, "{name}: {} {:?}", answer.text, system.outcomes());
    }
}

#[tokio::test]
async fn good_tokens_without_a_scope_of_ours_are_denied() {
    let system = System::start().await;
    let many: Vec<String> = (0..600).map(|n| format!("x/{n}")).collect();
    let scopes = [
        "",
        "openid profile",
        "inventory/readx",
        "inventory",
        "INVENTORY/READ",
        "inventory/*",
        &many.join(" "),
    ];
    for scope in scopes {
        let token = system.mint(&changed(system.claims(), json!({ "scope": scope })));
        let answer = system.get("/inventory", &token).await;
        assert_eq!(answer.status, 403, "{scope}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_rotated_key_is_learned_and_a_withdrawn_one_forgotten() {
    let system = System::start().await;
    let old = system.mint(&system.claims());
    assert_eq!(system.get("/inventory", &old).await.status, 200);
    system.local().issuer().rotate().unwrap();
    let new = system.mint(&system.claims());
    assert_eq!(system.get("/inventory", &new).await.status, 200, "fetched because its kid was unknown");
    let fetched = system.outcomes();
    assert_eq!(fetched.get("allowed -"), Some(&2), "{fetched:?}");
}

/// Made-up key ids cause one fetch, and the next only after the cooldown.
#[tokio::test]
async fn a_flood_of_unknown_keys_costs_one_fetch() {
    let system = System::start().await;
    let good = system.token("storefront").await;
    assert_eq!(system.get("/inventory", &good).await.status, 200);
    let (before, flood) = (system.log().len(), 500);
    for number in 0..flood {
        let header = header(&system, json!({ "kid": format!("made-up-{number}") }));
        let token = signed(&system, &header, &system.claims());
        assert_eq!(system.get("/inventory", &token).await.status, 401);
    }
    let mut told = std::collections::BTreeMap::new();
    for line in &system.log()[before..] {
        if line["outcome"] == "refused" && line["reason"] == "unknown_key" {
            *told.entry(line["jwks"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(told.get("fetched"), Some(&1), "{told:?}");
    assert_eq!(told.values().sum::<i32>(), flood, "{told:?}");
    assert_eq!(system.get("/inventory", &good).await.status, 200);
}
