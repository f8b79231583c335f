//! Attacks with the claims of a properly signed token.

use authorizer::Refusal::{
    Audience, ClientNotAllowed, Expired, IssuedInFuture, MalformedClientId, MalformedExp, MalformedIat,
    MalformedJson, MalformedJti, MalformedNbf, MalformedScope, NotYetValid, SenderConstrained, TokenTooLarge,
    TokenUse, UnknownIssuer,
};
use serde_json::{Value, json};
use test_support::signer::{FIRST, FOREIGN, ISSUER, NOW, changed, claims};

use crate::catalogue::{Attack, Case, Outcome, attack, refused};

/// A valid token except for the text of `exp`.
fn exp(value: &str) -> Case {
    Case::payload(&format!("\"exp\":{}", NOW + 3600), &format!("\"exp\":{value}"))
}

fn issuer(name: impl Into<Value>) -> Case {
    Case::claims(json!({"iss": name.into()}))
}

fn audience(aud: &Value) -> Case {
    Case::claims(json!({"aud": aud})).of_oidc()
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut attacks = issuers();
    attacks.extend(times());
    attacks.extend(rights());
    attacks
}

fn issuers() -> Vec<Attack> {
    vec![
        refused(
            "another pool's token, its key of the same `kid`",
            "RFC 8725 section 3.8",
            UnknownIssuer,
            || {
                let name = ISSUER.replace("Ab12cd34E", "Zz98yx76W");
                Case::token(&FOREIGN.token(&changed(claims(), json!({"iss": name}))))
            },
        ),
        refused("no `iss`", "RFC 8725 section 3.8", UnknownIssuer, || issuer(Value::Null)),
        refused("`iss` a list", "RFC 7519 section 4.1.1", UnknownIssuer, || issuer(vec![ISSUER])),
        refused("`iss` with a slash behind it", "RFC 8725 section 3.8", UnknownIssuer, || {
            issuer(format!("{ISSUER}/"))
        }),
        refused("`iss` in other casing", "RFC 7519 section 4.1.1", UnknownIssuer, || {
            issuer(ISSUER.to_uppercase())
        }),
        refused("`iss` over http", "RFC 8725 section 3.8", UnknownIssuer, || {
            issuer(ISSUER.replace("https", "http"))
        }),
        refused("`iss` that begins like the pool's", "RFC 8725 section 3.8", UnknownIssuer, || {
            issuer(format!("{ISSUER}.evil.example"))
        }),
        refused("the pool's host as a user name", "RFC 3986 section 7.6", UnknownIssuer, || {
            issuer(ISSUER.replace(".amazonaws.com/", ".amazonaws.com@evil.example/"))
        }),
        refused("`iss` in another region", "RFC 8725 section 3.8", UnknownIssuer, || {
            issuer(ISSUER.replace("idp.eu-central-1", "idp.us-east-1"))
        }),
        refused("`iss` an attacker's own address", "RFC 8725 section 2.9", UnknownIssuer, || {
            issuer("http://127.0.0.1:9")
        }),
        refused("`iss` the metadata service", "RFC 8725 section 2.9", UnknownIssuer, || {
            issuer("http://169.254.169.254/latest/meta-data")
        }),
        refused("`iss` a file", "RFC 8725 section 2.9", UnknownIssuer, || issuer("file:///etc/passwd")),
        refused("NUL behind `iss`", "CWE-158, null byte", UnknownIssuer, || issuer(format!("{ISSUER}\0"))),
        refused("white space behind `iss`", "RFC 7519 section 4.1.1", UnknownIssuer, || {
            issuer(format!("{ISSUER} "))
        }),
        refused("a Cyrillic letter in `iss`", "Unicode TR 36", UnknownIssuer, || {
            issuer(ISSUER.replace("amazon", "аmazon"))
        }),
    ]
}

fn times() -> Vec<Attack> {
    vec![
        refused("no `exp`", "RFC 8725 section 3.10; RFC 7519 section 4.1.4", MalformedExp, || {
            Case::claims(json!({"exp": null}))
        }),
        refused("`exp` `null`", "RFC 7519 section 4.1.4", MalformedExp, || exp("null")),
        refused("`exp` past", "RFC 7519 section 4.1.4", Expired, || exp(&(NOW - 1).to_string())),
        refused("`exp` now", "RFC 7519 section 4.1.4", Expired, || exp(&NOW.to_string())),
        refused("`exp` within this second", "RFC 7519 section 2", Expired, || exp(&format!("{NOW}.99"))),
        refused("`exp` 0", "RFC 7519 section 4.1.4", Expired, || exp("0")),
        refused("`exp` negative zero", "RFC 8259 section 6", Expired, || exp("-0.0")),
        refused("`exp` a text", "RFC 7519 section 2", MalformedExp, || exp(&format!("\"{}\"", NOW + 3600))),
        refused("`exp` a list", "RFC 7519 section 2", MalformedExp, || exp(&format!("[{}]", NOW + 3600))),
        refused("`exp` true", "RFC 7519 section 2", MalformedExp, || exp("true")),
        refused("`exp` 1e400", "RFC 8259 section 6", MalformedJson, || exp("1e400")),
        refused("`exp` 1e300", "RFC 8259 section 6", MalformedExp, || exp("1e300")),
        refused("`exp` negative", "RFC 7519 section 2", MalformedExp, || exp("-1700003600")),
        refused("`exp` 2^64", "CWE-190, overflow", MalformedExp, || exp("18446744073709551616")),
        refused("`exp` 2^63", "CWE-190, overflow", MalformedExp, || exp("9223372036854775808")),
        refused("`exp` in milliseconds", "RFC 7519 section 2", MalformedExp, || {
            exp(&((NOW + 3600) * 1000).to_string())
        }),
        refused("`exp` in hexadecimal", "RFC 8259 section 6", MalformedJson, || exp("0x7fffffff")),
        refused("`exp` in Arabic digits", "RFC 8259 section 6", MalformedJson, || exp("١٧٠٠٠٠٣٦٠٠")),
        refused("`exp` with a leading zero", "RFC 8259 section 6", MalformedJson, || exp("01700003600")),
        refused("`EXP` for `exp`", "RFC 7519 section 4", MalformedExp, || {
            Case::claims(json!({"exp": null, "EXP": NOW + 3600}))
        }),
        refused("`nbf` in the future", "RFC 7519 section 4.1.5", NotYetValid, || {
            Case::claims(json!({"nbf": NOW + 60}))
        }),
        refused("`nbf` a text", "RFC 7519 section 4.1.5", MalformedNbf, || Case::claims(json!({"nbf": "0"}))),
        refused("`iat` in the future", "RFC 7519 section 4.1.6", IssuedInFuture, || {
            Case::claims(json!({"iat": NOW + 60}))
        }),
        refused("`iat` a text", "RFC 7519 section 4.1.6", MalformedIat, || Case::claims(json!({"iat": "0"}))),
    ]
}

fn rights() -> Vec<Attack> {
    const BEHIND: Outcome = Outcome::Harmless("data: it is quoted wherever it is written");
    vec![
        refused("an id token", "RFC 8725 section 2.8", TokenUse, || Case::claims(json!({"token_use": "id"}))),
        refused("a refresh token's use", "RFC 8725 section 2.8", TokenUse, || {
            Case::claims(json!({"token_use": "refresh"}))
        }),
        refused("no `token_use`", "RFC 8725 section 3.12", TokenUse, || {
            Case::claims(json!({"token_use": null}))
        }),
        refused("`token_use` a list", "RFC 8725 section 3.12", TokenUse, || {
            Case::claims(json!({"token_use": ["id", "access"]}))
        }),
        refused("another client of the pool", "RFC 8725 section 3.8", ClientNotAllowed, || {
            Case::claims(json!({"client_id": "stranger"}))
        }),
        refused("`client_id` in other casing", "RFC 6749 section 2.2", ClientNotAllowed, || {
            Case::claims(json!({"client_id": "3N4B5URK1FT4FL3MG5E62D9ADO"}))
        }),
        refused("no `client_id`", "RFC 9068 section 2.2", MalformedClientId, || {
            Case::claims(json!({"client_id": null}))
        }),
        refused("`client_id` a list", "RFC 9068 section 2.2", MalformedClientId, || {
            Case::claims(json!({"client_id": ["3n4b5urk1ft4fl3mg5e62d9ado"]}))
        }),
        refused("quotes in `client_id`", "CWE-74, injection", MalformedClientId, || {
            Case::claims(json!({"client_id": "a\",\"Effect\":\"Allow"}))
        }),
        refused("an ARN in `client_id`", "CWE-74, injection", MalformedClientId, || {
            Case::claims(json!({"client_id": "arn:aws:execute-api:*:*:*/*"}))
        }),
        refused("`*` for `client_id`", "CWE-155, wildcards", MalformedClientId, || {
            Case::claims(json!({"client_id": "*"}))
        }),
        refused("line feed in `client_id`", "CWE-117, log injection", MalformedClientId, || {
            Case::claims(json!({"client_id": "a\n{\"outcome\":\"allowed\"}"}))
        }),
        refused("NUL in `client_id`", "CWE-158, null byte", MalformedClientId, || {
            Case::claims(json!({"client_id": "3n4b5urk1ft4fl3mg5e62d9ado\0"}))
        }),
        attack("a user's token", "RFC 8725 section 2.8", Outcome::Nothing, || {
            Case::claims(json!({"scope": "aws.cognito.signin.user.admin openid", "username": "jane"}))
        }),
        attack("no scope at all", "RFC 6749 section 3.3", Outcome::Nothing, || {
            Case::claims(json!({"scope": ""}))
        }),
        attack("`inventory/readx`", "RFC 6749 section 3.3", Outcome::Nothing, || {
            Case::claims(json!({"scope": "inventory/readx xinventory/read"}))
        }),
        attack("scope in other casing", "RFC 6749 section 3.3", Outcome::Nothing, || {
            Case::claims(json!({"scope": "Inventory/Read"}))
        }),
        attack("wildcards for a scope", "CWE-155, wildcards", Outcome::Nothing, || {
            Case::claims(json!({"scope": "* */* inventory/* inventory"}))
        }),
        attack("scopes of another resource server", "RFC 8725 section 2.7", Outcome::Nothing, || {
            Case::claims(json!({"scope": "evil/inventory/read evil/read"}))
        }),
        attack("roles and groups for scopes", "RFC 8725 section 3.12", Outcome::Nothing, || {
            Case::claims(
                json!({"scope": "x/y", "cognito:groups": ["admin"], "roles": ["*"], "scp": "inventory/write"}),
            )
        }),
        refused("no `scope`", "RFC 9068 section 2.2.3", MalformedScope, || {
            Case::claims(json!({"scope": null}))
        }),
        refused("`scope` a list", "RFC 9068 section 2.2.3", MalformedScope, || {
            Case::claims(json!({"scope": ["inventory/read"]}))
        }),
        refused("`scope` with a quote", "RFC 6749 section 3.3", MalformedScope, || {
            Case::claims(json!({"scope": "inventory/read\""}))
        }),
        refused("`scope` parted by tabs", "RFC 6749 section 3.3", MalformedScope, || {
            Case::claims(json!({"scope": "x/y\tinventory/read"}))
        }),
        refused("`scope` parted by two blanks", "RFC 6749 section 3.3", MalformedScope, || {
            Case::claims(json!({"scope": "x/y  inventory/read"}))
        }),
        refused("full-width letters in a scope", "Unicode TR 36", MalformedScope, || {
            Case::claims(json!({"scope": "ｉnventory/read"}))
        }),
        refused("ten thousand scopes", "CWE-770, no limit", TokenTooLarge, || {
            Case::claims(json!({"scope": vec!["inventory/read"; 10_000].join(" ")}))
        }),
        refused("a DPoP-bound token as a bearer token", "RFC 9449 section 6", SenderConstrained, || {
            Case::claims(json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}))
        }),
        refused(
            "a certificate-bound token without the certificate",
            "RFC 8705 section 3",
            SenderConstrained,
            || Case::claims(json!({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}})),
        ),
        refused("`cnf` an empty list", "RFC 7800 section 3.1", SenderConstrained, || {
            Case::claims(json!({"cnf": []}))
        }),
        attack(
            "`cnf` null",
            "RFC 7800 section 3.1",
            Outcome::Harmless("it binds the token to nothing"),
            || Case::payload("\"exp\":", "\"cnf\":null,\"exp\":"),
        ),
        refused("the claims as a list", "RFC 7519 section 7.2", MalformedJson, || {
            let list: Vec<Value> = claims().as_object().unwrap().values().cloned().collect();
            Case::token(&FIRST.sign(FIRST.header().to_string(), json!(list).to_string()))
        }),
        refused("`jti` with a line feed", "CWE-117, log injection", MalformedJti, || {
            Case::claims(json!({"jti": "a\n{\"outcome\":\"allowed\"}"}))
        }),
        refused("`jti` of 257 bytes", "CWE-770, no limit", MalformedJti, || {
            Case::claims(json!({"jti": "j".repeat(257)}))
        }),
        refused("`jti` a number", "RFC 7519 section 4.1.7", MalformedJti, || Case::claims(json!({"jti": 7}))),
        attack("quotes and braces in `jti`", "CWE-117, log injection", BEHIND, || {
            Case::claims(json!({"jti": "\"},{\"outcome\":\"allowed\""}))
        }),
        attack("claims with the names of context members", "CWE-913, dynamic names", BEHIND, || {
            Case::claims(
                json!({"principalId": "admin", "policyDocument": {"Effect": "Allow"}, "context": {"a": []}}),
            )
        }),
        refused("a token for somebody else", "RFC 8725 section 3.9", Audience, || {
            audience(&json!("https://other.example"))
        }),
        refused("no `aud` where one is asked for", "RFC 8725 section 3.9", Audience, || {
            audience(&Value::Null)
        }),
        refused("`aud` that begins like ours", "RFC 8725 section 3.9", Audience, || {
            audience(&json!("https://api.example.evil.example"))
        }),
        refused("`aud` an empty list", "CVE-2020-26160", Audience, || audience(&json!([]))),
        refused("`aud` an object", "RFC 7519 section 4.1.3", Audience, || {
            audience(&json!({"https://api.example": true}))
        }),
        refused("a number among `aud`", "RFC 7519 section 4.1.3", Audience, || {
            audience(&json!(["https://api.example", 0]))
        }),
    ]
}
