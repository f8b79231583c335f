use serde_json::json;

use std::collections::BTreeMap;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";

fn event(headers: &[(&str, &str)], body: &str) -> Event {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        all.entry(name).or_default().push(value);
    }
    let last: BTreeMap<&str, &str> =
        all.iter().map(|(name, values)| (*name, *values.last().unwrap())).collect();
    let event = json!({
        "resource": "/token", "path": "/token", "httpMethod": "POST", "headers": last, "multiValueHeaders": all,
        "requestContext": {"requestId": "r-1"}, "body": body, "isBase64Encoded": false,
    });
    serde_json::from_value(event).unwrap()
}

/// A case's name, the request's headers and body, and what is expected.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], String, Malformed);

fn scopes_of(count: usize) -> String {
    (0..count).map(|n| format!("a/{n}")).collect::<Vec<_>>().join("+")
}

fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

fn parse(headers: &[(&str, &str)], body: &str) -> Result<TokenRequest, Malformed> {
    TokenRequest::parse(&event(headers, body))
}

#[test]
fn credentials_are_read_in_each_form_that_they_have() {
    for (name, pair, id, secret) in [
        ("plain", "7abc:s3cret", "7abc", "s3cret"),
        ("encoded", "7%61bc:s3%63ret", "7abc", "s3cret"),
        ("a plus stays itself", "7abc:s3+cret", "7abc", "s3+cret"),
        ("an encoded plus", "7abc:s3%2Bcret", "7abc", "s3+cret"),
        ("a colon in the secret", "7abc:s3:cret", "7abc", "s3:cret"),
    ] {
        let header = basic(pair);
        let read = parse(&[("Content-Type", FORM), ("authorization", &header)], GRANT).unwrap();
        assert_eq!((read.client_id.as_str(), read.secret()), (id, secret), "{name}");
        assert_eq!(read.header.unwrap().expose_secret(), header, "{name}");
    }
    let body = format!("{GRANT}&client_id=7abc&client_secret=s3%2Bcret");
    let read = parse(&[("content-type", "application/x-www-form-urlencoded; charset=UTF-8")], &body).unwrap();
    assert_eq!((read.client_id.as_str(), read.secret()), ("7abc", "s3+cret"));
    assert!(read.header.is_none());
}

#[test]
fn scopes_are_a_set() {
    let header = basic("7abc:s3cret");
    for (asked, expected) in
        [("", ""), ("&scope=", ""), ("&scope=b/c+a/b++b/c", "a/b b/c"), ("&scope=a%2Fb%20b%2Fc", "a/b b/c")]
    {
        let read = parse(&[("Content-Type", FORM), ("Authorization", &header)], &format!("{GRANT}{asked}"));
        assert_eq!(read.unwrap().scopes, expected, "{asked}");
    }
}

#[test]
fn what_is_malformed_is_refused_in_the_words_of_the_rfc() {
    let header = basic("7abc:s3cret");
    let auth = ("Authorization", header.as_str());
    let form = ("Content-Type", FORM);
    let many = scopes_of(51);
    let long_id = basic(&format!("{}:s", "x".repeat(129)));
    let long_secret = basic(&format!("x:{}", "s".repeat(1025)));
    let (no_colon, no_secret, bad_escape) = (basic("7abc"), basic("7abc:"), basic("7abc:%zz"));
    let cases: &[Case<'_>] = &[
        ("no content type", &[auth], GRANT.into(), Malformed::InvalidRequest),
        ("JSON", &[("Content-Type", "application/json"), auth], "{}".into(), Malformed::InvalidRequest),
        ("two content types", &[form, form, auth], GRANT.into(), Malformed::InvalidRequest),
        ("too long", &[form, auth], format!("{GRANT}&x={}", "y".repeat(4096)), Malformed::InvalidRequest),
        ("a parameter twice", &[form, auth], format!("{GRANT}&scope=a&scope=b"), Malformed::InvalidRequest),
        ("a bad escape", &[form, auth], format!("{GRANT}&scope=%zz"), Malformed::InvalidRequest),
        ("no grant", &[form, auth], "scope=a".into(), Malformed::InvalidRequest),
        ("another grant", &[form, auth], "grant_type=password".into(), Malformed::UnsupportedGrantType),
        ("no credentials", &[form], GRANT.into(), Malformed::InvalidRequest),
        ("an id alone", &[form], format!("{GRANT}&client_id=x"), Malformed::InvalidClient),
        ("both ways", &[form, auth], format!("{GRANT}&client_secret=x"), Malformed::InvalidRequest),
        ("two ids", &[form, auth], format!("{GRANT}&client_id=x"), Malformed::InvalidRequest),
        ("two headers", &[form, auth, auth], GRANT.into(), Malformed::InvalidRequest),
        ("a bearer", &[form, ("Authorization", "Bearer x")], GRANT.into(), Malformed::InvalidClient),
        ("no base64", &[form, ("Authorization", "Basic !")], GRANT.into(), Malformed::InvalidClient),
        ("no colon", &[form, ("Authorization", &no_colon)], GRANT.into(), Malformed::InvalidClient),
        ("no secret", &[form, ("Authorization", &no_secret)], GRANT.into(), Malformed::InvalidClient),
        (
            "a bad escape in it",
            &[form, ("Authorization", &bad_escape)],
            GRANT.into(),
            Malformed::InvalidClient,
        ),
        ("a long id", &[form, ("Authorization", &long_id)], GRANT.into(), Malformed::InvalidClient),
        ("a long secret", &[form, ("Authorization", &long_secret)], GRANT.into(), Malformed::InvalidClient),
        ("too many scopes", &[form, auth], format!("{GRANT}&scope={many}"), Malformed::InvalidScope),
        ("no scope", &[form, auth], format!("{GRANT}&scope=%22"), Malformed::InvalidScope),
    ];
    for (name, headers, body, expected) in cases {
        assert_eq!(parse(headers, body).map(|_| ()), Err(*expected), "{name}");
    }
}

#[test]
fn fifty_scopes_and_four_kibibytes_are_read() {
    let header = basic("7abc:s3cret");
    let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
    let scopes = scopes_of(50);
    assert_eq!(parse(&headers, &format!("{GRANT}&scope={scopes}")).unwrap().scopes.split(' ').count(), 50);
    let body = format!("{GRANT}&x=");
    assert!(parse(&headers, &format!("{body}{}", "y".repeat(MAX_BODY - body.len()))).is_ok());
}

#[test]
fn a_body_in_base64_is_read() {
    let header = basic("7abc:s3cret");
    let mut event =
        event(&[("Content-Type", FORM), ("Authorization", &header)], &BASE64_STANDARD.encode(GRANT));
    event.is_base64_encoded = true;
    assert_eq!(TokenRequest::parse(&event).unwrap().client_id, "7abc");
    event.body = Some(BASE64_STANDARD.encode("x".repeat(MAX_BODY + 1)));
    assert_eq!(TokenRequest::parse(&event).map(|_| ()), Err(Malformed::InvalidRequest));
}

#[test]
fn debug_output_shows_no_secret() {
    let read = parse(&[("Content-Type", FORM), ("Authorization", &basic("7abc:s3cret"))], GRANT).unwrap();
    insta::assert_snapshot!(format!("{read:?}"), @r#"TokenRequest { client_id: "7abc", scopes: "", .. }"#);
}
