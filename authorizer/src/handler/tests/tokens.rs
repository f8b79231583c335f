//! Tokens that anybody may send, and the label that each is refused with. For every check there is a case in which
//! only that check fails.

use aws_lc_rs::hmac::HMAC_SHA256;
use serde_json::json;

use super::*;

fn raw(header: &str, payload: &str) -> String {
    format!("Bearer {}", FIRST.sign(header, payload))
}

/// A good token but for these members of the header.
fn with_header(changes: Value) -> String {
    let header = changed(FIRST.header(), changes);
    format!("Bearer {}", FIRST.sign(header.to_string(), claims().to_string()))
}

#[tokio::test]
async fn header_values_and_token_shapes_are_refused() {
    let setup = Setup::cognito();
    let good = FIRST.token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let cases = [
        ("empty", String::new(), "missing_token"),
        ("a megabyte", format!("Bearer {}", "a".repeat(1 << 20)), "token_too_large"),
        ("one byte too many", format!("Bearer {}", "a".repeat((16 << 10) + 1)), "token_too_large"),
        ("the largest that is read", format!("Bearer {}", "a".repeat(16 << 10)), "not_three_parts"),
        ("other scheme", format!("Basic {good}"), "not_bearer"),
        ("no scheme", good.clone(), "not_bearer"),
        ("no space", format!("Bearer{good}"), "not_bearer"),
        ("blank first", format!(" Bearer {good}"), "not_bearer"),
        ("scheme alone", "Bearer".to_owned(), "malformed_bearer"),
        ("scheme and space", "Bearer ".to_owned(), "malformed_bearer"),
        ("two spaces", format!("Bearer  {good}"), "malformed_bearer"),
        ("tab", format!("Bearer\t{good}"), "not_bearer"),
        ("two schemes", format!("Bearer {good}, Basic eDp5"), "malformed_bearer"),
        ("two tokens", format!("Bearer {good} {good}"), "malformed_bearer"),
        ("space behind", format!("Bearer {good} "), "malformed_bearer"),
        ("line feed behind", format!("Bearer {good}\n"), "malformed_bearer"),
        ("not ASCII", format!("Bearer {good}é"), "malformed_bearer"),
        ("quotes", format!("Bearer \"{good}\""), "malformed_bearer"),
        ("equals signs alone", "Bearer ==".to_owned(), "malformed_bearer"),
        ("equals sign inside", format!("Bearer {}=.{}.{}", parts[0], parts[1], parts[2]), "malformed_bearer"),
        ("one part", "Bearer abc".to_owned(), "not_three_parts"),
        ("two parts", format!("Bearer {}.{}", parts[0], parts[1]), "not_three_parts"),
        ("five parts, as JWE", format!("Bearer {good}.{}.{}", parts[1], parts[2]), "not_three_parts"),
        ("padded", format!("Bearer {good}=="), "malformed_base64"),
        ("other alphabet", format!("Bearer {}.{}.ab+/", parts[0], parts[1]), "malformed_base64"),
        ("stray bits", format!("Bearer {}.{}.ab", parts[0], parts[1]), "malformed_base64"),
        ("impossible length", format!("Bearer {}.{}.abcde", parts[0], parts[1]), "malformed_base64"),
        ("empty parts", "Bearer ..".to_owned(), "malformed_json"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(setup.outcome(&value).await, expected, "{name}");
    }
    assert_eq!(setup.fetch.count(), 0, "none of them is worth a request");
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(setup.outcome(&format!("{scheme} {good}")).await, "ok", "{scheme}");
    }
}

#[tokio::test]
async fn headers_are_refused() {
    let setup = Setup::cognito();
    let good = claims().to_string();
    let hs256 = {
        let header = json!({"alg": "HS256", "kid": "first"});
        format!("Bearer {}", mac(HMAC_SHA256, &header, &claims(), FIRST.jwk().to_string().as_bytes()))
    };
    let none =
        |alg: &str| format!("Bearer {}.", unsigned(json!({"alg": alg, "kid": "first"}).to_string(), &good));
    let cases = [
        ("no JSON", raw("alg", &good), "malformed_json"),
        ("a list", raw("[]", &good), "malformed_json"),
        ("two alg", raw(r#"{"alg":"none","alg":"RS256","kid":"first"}"#, &good), "duplicate_member"),
        (
            "two kid, one escaped",
            raw(r#"{"alg":"RS256","kid":"first","\u006bid":"x"}"#, &good),
            "duplicate_member",
        ),
        (
            "twice in a nested object",
            raw(r#"{"alg":"RS256","kid":"first","x":{"a":1,"a":2}}"#, &good),
            "duplicate_member",
        ),
        ("none", none("none"), "algorithm"),
        ("None", none("None"), "algorithm"),
        ("NONE", none("NONE"), "algorithm"),
        ("nOnE", none("nOnE"), "algorithm"),
        ("HS256 with the public key", hs256, "algorithm"),
        ("RS384", with_header(json!({"alg": "RS384"})), "algorithm"),
        ("RS512", with_header(json!({"alg": "RS512"})), "algorithm"),
        ("PS256", with_header(json!({"alg": "PS256"})), "algorithm"),
        ("ES256", with_header(json!({"alg": "ES256"})), "algorithm"),
        ("other casing", with_header(json!({"alg": "rs256"})), "algorithm"),
        ("alg no text", with_header(json!({"alg": ["RS256"]})), "algorithm"),
        ("no alg", with_header(json!({"alg": null})), "algorithm"),
        ("crit", with_header(json!({"crit": ["exp"]})), "critical_header"),
        ("crit of nothing", with_header(json!({"crit": []})), "critical_header"),
        ("b64", with_header(json!({"b64": true})), "critical_header"),
        ("no kid", with_header(json!({"kid": null})), "malformed_key_id"),
        ("empty kid", with_header(json!({"kid": ""})), "malformed_key_id"),
        ("kid no text", with_header(json!({"kid": 1})), "malformed_key_id"),
        ("long kid", with_header(json!({"kid": "k".repeat(257)})), "malformed_key_id"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(setup.outcome(&value).await, expected, "{name}");
    }
    assert_eq!(setup.fetch.count(), 0, "none of them is worth a request");
    for typ in ["JWT", "at+jwt", "anything"] {
        assert_eq!(setup.outcome(&with_header(json!({"typ": typ}))).await, "ok", "{typ}");
    }
}

#[tokio::test]
async fn only_the_issuers_own_keys_verify() {
    let setup = Setup::cognito();
    let attacker = json!({"jwk": FOREIGN.jwk(), "jku": "https://evil.example/jwks", "x5u": "https://evil.example", "x5c": ["MIIB"]});
    let header = changed(FOREIGN.header(), attacker.clone());
    let with_own_key = format!("Bearer {}", FOREIGN.sign(header.to_string(), claims().to_string()));
    let good = FIRST.token(&claims());
    let flipped = if good.ends_with('A') { "Q" } else { "A" };
    let mut mutated = good.clone();
    mutated.replace_range(good.len() - 1.., flipped);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other_payload = b64(claims().to_string().replace("orders/read", "orders/writ"));
    let (other_header, _) = signed.split_once('.').unwrap();
    let cases = [
        ("another pool's key of the same name", format!("Bearer {}", FOREIGN.token(&claims())), "signature"),
        ("a key in the header", with_own_key, "signature"),
        ("an issuer's key beside the header's", with_header(attacker), "ok"),
        (
            "the wrong one of two keys",
            format!("Bearer {}", SECOND.sign(FIRST.header().to_string(), claims().to_string())),
            "signature",
        ),
        ("no signature", format!("Bearer {signed}."), "signature"),
        ("a signature cut short", format!("Bearer {signed}.{}", signature.split_at(300).0), "signature"),
        ("another payload", format!("Bearer {other_header}.{other_payload}.{signature}"), "signature"),
        ("the second key", format!("Bearer {}", SECOND.token(&claims())), "ok"),
        ("an unknown key", with_header(json!({"kid": "third"})), "unknown_key"),
        ("a hostile key id", with_header(json!({"kid": "../../dev/null\u{0}' OR 1=1"})), "unknown_key"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(setup.outcome(&value).await, expected, "{name}");
    }
    assert!(["signature", "malformed_base64"].contains(&setup.outcome(&format!("Bearer {mutated}")).await));
    assert_eq!(setup.fetch.count(), 2, "one at first, one for the unknown keys");
}

#[tokio::test]
async fn claims_are_refused() {
    let setup = Setup::cognito();
    let payload =
        |from: &str, to: &str| raw(&FIRST.header().to_string(), &claims().to_string().replace(from, to));
    let exp = format!("\"exp\":{}", NOW + 3600);
    let mut with_null = claims();
    with_null["cnf"] = Value::Null;
    let cnf_null = format!("Bearer {}", FIRST.token(&with_null));
    let cases = [
        ("payload no JSON", raw(&FIRST.header().to_string(), "x"), "malformed_json"),
        ("payload a text", raw(&FIRST.header().to_string(), "\"x\""), "malformed_json"),
        ("exp out of range", payload(&exp, "\"exp\":1e400"), "malformed_json"),
        ("two exp", payload(&exp, &format!("{exp},{exp}")), "duplicate_member"),
        ("no iss", with(json!({"iss": null})), "unknown_issuer"),
        ("iss a list", with(json!({"iss": [ISSUER]})), "unknown_issuer"),
        ("another pool", with(json!({"iss": ISSUER.replace("Ab12", "Ab13")})), "unknown_issuer"),
        (
            "another region",
            with(json!({"iss": ISSUER.replace("eu-central-1.", "eu-west-1.")})),
            "unknown_issuer",
        ),
        ("slash behind iss", with(json!({"iss": format!("{ISSUER}/")})), "unknown_issuer"),
        ("iss in other casing", with(json!({"iss": ISSUER.to_uppercase()})), "unknown_issuer"),
        ("an id token", with(json!({"token_use": "id"})), "token_use"),
        ("no token_use", with(json!({"token_use": null})), "token_use"),
        ("no client_id", with(json!({"client_id": null, "azp": CLIENT})), "malformed_client_id"),
        ("client_id no text", with(json!({"client_id": 7})), "malformed_client_id"),
        ("quotes in client_id", with(json!({"client_id": "a\"b"})), "malformed_client_id"),
        ("ARN in client_id", with(json!({"client_id": "arn:aws:iam::*"})), "malformed_client_id"),
        ("another client", with(json!({"client_id": "stranger"})), "client_not_allowed"),
        ("no exp", with(json!({"exp": null})), "malformed_exp"),
        ("exp a text", with(json!({"exp": (NOW + 3600).to_string()})), "malformed_exp"),
        ("exp negative", with(json!({"exp": -1})), "malformed_exp"),
        ("exp in milliseconds", with(json!({"exp": (NOW + 3600) * 1000})), "malformed_exp"),
        ("exp far out", payload(&exp, "\"exp\":1e300"), "malformed_exp"),
        ("exp past", with(json!({"exp": NOW - 1})), "expired"),
        ("exp now", with(json!({"exp": NOW})), "expired"),
        ("exp within this second", payload(&exp, &format!("\"exp\":{NOW}.9")), "expired"),
        ("exp in a second", with(json!({"exp": NOW + 1})), "ok"),
        ("exp in a second, as a fraction", payload(&exp, &format!("\"exp\":{}.5", NOW + 1)), "ok"),
        ("the last exp", with(json!({"exp": 253_402_300_799_u64})), "ok"),
        ("exp after that", with(json!({"exp": 253_402_300_800_u64})), "malformed_exp"),
        ("nbf a text", with(json!({"nbf": "now"})), "malformed_nbf"),
        ("nbf within the leeway", with(json!({"nbf": NOW + 5})), "ok"),
        ("nbf beyond", with(json!({"nbf": NOW + 6})), "not_yet_valid"),
        (
            "nbf beyond by a fraction",
            payload(&exp, &format!("{exp},\"nbf\":{}.01", NOW + 5)),
            "not_yet_valid",
        ),
        ("iat a list", with(json!({"iat": [NOW]})), "malformed_iat"),
        ("no iat", with(json!({"iat": null})), "ok"),
        ("iat within the leeway", with(json!({"iat": NOW + 5})), "ok"),
        ("iat beyond", with(json!({"iat": NOW + 6})), "issued_in_future"),
        ("no scope", with(json!({"scope": null})), "malformed_scope"),
        ("scp is not ours", with(json!({"scope": null, "scp": "orders/read"})), "malformed_scope"),
        ("scope a list", with(json!({"scope": ["orders/read"]})), "malformed_scope"),
        ("scope with two spaces", with(json!({"scope": "orders/read  payments/read"})), "malformed_scope"),
        ("scope with a quote", with(json!({"scope": "orders/read\""})), "malformed_scope"),
        ("empty scope", with(json!({"scope": ""})), "ok"),
        ("a user's scopes", with(json!({"scope": "openid aws.cognito.signin.user.admin"})), "ok"),
        (
            "ten thousand scopes",
            with(json!({"scope": vec!["orders/read"; 10_000].join(" ")})),
            "token_too_large",
        ),
        ("a thousand scopes", with(json!({"scope": vec!["orders/read"; 800].join(" ")})), "ok"),
        ("cnf", with(json!({"cnf": {"jkt": "x"}})), "sender_constrained"),
        ("cnf empty", with(json!({"cnf": {}})), "sender_constrained"),
        ("cnf false", with(json!({"cnf": false})), "sender_constrained"),
        ("cnf a string", with(json!({"cnf": ""})), "sender_constrained"),
        ("cnf null", cnf_null, "ok"),
        ("cnf and no scope", with(json!({"cnf": {}, "scope": null})), "sender_constrained"),
        ("jti no text", with(json!({"jti": 5})), "malformed_jti"),
        ("jti with a line feed", with(json!({"jti": "a\nb"})), "malformed_jti"),
        ("jti too long", with(json!({"jti": "j".repeat(257)})), "malformed_jti"),
        ("no jti", with(json!({"jti": null})), "ok"),
        ("aud unasked for", with(json!({"aud": 5})), "ok"),
        ("the issuer's other form", with(json!({"iss": ISSUER.replace("//", "//issuer-")})), "ok"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(setup.outcome(&value).await, expected, "{name}");
    }
}

#[tokio::test]
async fn tokens_of_another_issuer_are_read_as_rfc_9068_says() {
    let setup = Setup::oidc();
    let good = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "client_id": "billing", "sub": "billing",
        "scope": "orders/read", "exp": NOW + 60, "iat": NOW, "jti": "1"
    });
    let cases = [
        ("plain", json!({}), "ok"),
        ("aud a list", json!({"aud": ["https://other.example", "https://api.example"]}), "ok"),
        ("no aud", json!({"aud": null}), "audience"),
        ("another aud", json!({"aud": "https://api.example/"}), "audience"),
        ("another aud in a list", json!({"aud": ["https://other.example"]}), "audience"),
        ("aud list with a number", json!({"aud": ["https://api.example", 1]}), "audience"),
        ("azp for client_id", json!({"client_id": null, "azp": "billing"}), "ok"),
        ("neither", json!({"client_id": null}), "malformed_client_id"),
        (
            "client_id malformed, azp good",
            json!({"client_id": "a b", "azp": "billing"}),
            "malformed_client_id",
        ),
        ("scp a list", json!({"scope": null, "scp": ["orders/read", "orders/write"]}), "ok"),
        ("scp a text", json!({"scope": null, "scp": "orders/read orders/write"}), "ok"),
        (
            "scp a list with a blank",
            json!({"scope": null, "scp": ["orders/read orders/write"]}),
            "malformed_scope",
        ),
        ("scp a list with a number", json!({"scope": null, "scp": [1]}), "malformed_scope"),
        ("scp a number", json!({"scope": null, "scp": 1}), "malformed_scope"),
        ("scope a list, scp good", json!({"scope": [], "scp": "orders/read"}), "malformed_scope"),
        ("neither scope nor scp", json!({"scope": null}), "malformed_scope"),
        ("another issuer", json!({"iss": "https://issuer.example/"}), "unknown_issuer"),
    ];
    for (name, changes, expected) in cases {
        let claims = changed(good.clone(), changes);
        let header = json!({"alg": "RS256", "kid": "first", "typ": "at+jwt"}).to_string();
        let value = format!("Bearer {}", FIRST.sign(&header, claims.to_string()));
        assert_eq!(setup.outcome(&value).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_token_changed_in_any_place_is_refused() {
    let setup = Setup::cognito();
    let good = FIRST.token(&claims());
    assert_eq!(setup.outcome(&format!("Bearer {good}")).await, "ok");
    for (place, letter) in good.char_indices() {
        let others = ['A', 'B', '.', '_'].into_iter().filter(|other| *other != letter);
        for other in others {
            let (before, behind) = good.split_at(place);
            let changed: String = before.chars().chain([other]).chain(behind.chars().skip(1)).collect();
            assert_ne!(setup.outcome(&format!("Bearer {changed}")).await, "ok", "{other} at {place}");
        }
        let (cut, _) = good.split_at(place);
        assert_ne!(setup.outcome(&format!("Bearer {cut}")).await, "ok", "cut at {place}");
    }
}

#[tokio::test]
async fn tokens_of_well_known_issuers_are_read() {
    let setup = Setup::oidc();
    // What each issuer puts into the access token of an application, apart from `iss`, `aud` and the times.
    let shapes = [
        (
            "Auth0",
            json!({"azp": "billing", "sub": "billing@clients", "scope": "orders/read", "gty": "client-credentials"}),
        ),
        (
            "Keycloak",
            json!({"azp": "billing", "client_id": "billing", "sub": "5b0f", "typ": "Bearer", "acr": "1",
                "scope": "orders/read profile email", "realm_access": {"roles": ["default-roles-shop"]},
                "preferred_username": "service-account-billing", "email_verified": false, "jti": "trrtcc:6d6e"}),
        ),
        (
            "Okta",
            json!({"cid": "billing", "sub": "billing", "scp": ["orders/read"], "ver": 1, "jti": "AT.Zx"}),
        ),
        (
            "Entra ID",
            json!({"azp": "billing", "azpacr": "1", "idtyp": "app", "roles": ["orders/read"], "oid": "9a", "sub": "9a",
                "tid": "72f9", "uti": "cA", "ver": "2.0", "nbf": NOW}),
        ),
    ];
    for (issuer, shape) in shapes {
        let claims = json!({"iss": "https://issuer.example", "aud": "https://api.example", "exp": NOW + 60, "iat": NOW});
        let claims = changed(claims, shape);
        let header = json!({"alg": "RS256", "kid": "first", "typ": "JWT"}).to_string();
        let value = |claims: &Value| format!("Bearer {}", FIRST.sign(&header, claims.to_string()));
        assert_eq!(setup.outcome(&value(&claims)).await, "ok", "{issuer}");
        let claims = changed(claims, json!({"azp": null, "client_id": null, "cid": null}));
        assert_eq!(setup.outcome(&value(&claims)).await, "malformed_client_id", "{issuer}");
        let claims =
            changed(claims, json!({"client_id": "billing", "scope": null, "scp": null, "roles": null}));
        assert_eq!(setup.outcome(&value(&claims)).await, "malformed_scope", "{issuer}");
    }
}
