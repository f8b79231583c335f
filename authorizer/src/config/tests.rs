//! Settings: what is taken, what is told.

use std::{collections::HashSet, io::Write};

use super::*;
use crate::testing::{FIRST, NOW, POOL, ROUTES, jwks, snapshot};

type Vars<'a> = &'a [(&'a str, &'a str)];

const REQUIRED: [(&str, &str); 2] = [("USER_POOL_ID", POOL), ("CLIENT_IDS", "a,b")];
const OTHER: [(&str, &str); 4] = [
    ("TOKEN_ISSUER", "https://issuer.example/tenant"),
    ("JWKS_URI", "https://issuer.example/jwks?v=1"),
    ("TOKEN_AUDIENCE", "https://api.example"),
    ("CLIENT_IDS", "*"),
];

/// Reads `base` with these changes on top.
fn read(base: Vars<'_>, changes: Vars<'_>) -> Result<Config, ConfigError> {
    let has_file = changes.iter().any(|(variable, _)| *variable == "ROUTES_FILE");
    let routes = if has_file { &[][..] } else { &[("ROUTES", ROUTES)] };
    Config::from_vars(|name| {
        let value = changes.iter().chain(base).chain(routes).find(|(variable, _)| *variable == name);
        value.map(|(_, value)| (*value).to_owned())
    })
}

/// The variables that are complained about.
fn blamed(base: Vars<'_>, changes: Vars<'_>) -> Vec<&'static str> {
    read(base, changes).map_or_else(
        |error| error.problems().iter().map(|problem| problem.variable).collect(),
        |_| Vec::new(),
    )
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = read(&REQUIRED, &[]).unwrap();
    assert_eq!(config.rules.skew, Duration::from_secs(5));
    assert_eq!((config.rules.form, config.rules.audience), (Form::Cognito, None));
    let timing = Timing {
        timeout: Duration::from_millis(1500),
        cooldown: Duration::from_secs(10),
        max_age: Duration::from_hours(1),
        max_stale: Duration::from_hours(24),
    };
    assert_eq!(config.timing, timing);
    assert!(config.snapshot.is_none());
    let clients = ["a", "b"].map(|id| ClientId::parse(id).unwrap());
    assert_eq!(config.rules.clients, Clients::Listed(BTreeSet::from(clients)));
}

#[test]
fn all_problems_are_told_together() {
    let changes =
        [("CLOCK_SKEW_SECONDS", "61"), ("JWKS_TIMEOUT_MS", "soon"), ("POLICY", "Call"), ("ROUTES", "")];
    let error = read(&[], &changes).unwrap_err();
    insta::assert_snapshot!(error, @"USER_POOL_ID is required, unless TOKEN_ISSUER names another issuer; CLIENT_IDS is required: the client ids that are let in, or `*` for any of the issuer; CLOCK_SKEW_SECONDS must be a number of seconds from 0 to 60; JWKS_TIMEOUT_MS must be a number of milliseconds from 100 to 10000; POLICY must be `token` or `call`; ROUTES_FILE or ROUTES is required, unless `routes.json` is beside the program or in a layer (/opt)");
}

#[test]
fn a_pool_id_gives_both_issuers_and_the_address() {
    let cases = [
        ("us-east-1_Ab12cd34E", "us-east-1.amazonaws.com"),
        ("us-gov-west-1_x", "us-gov-west-1.amazonaws.com"),
        ("cn-north-1_x", "cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1_x", "eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1_x", "us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1_x", "us-isob-east-1.sc2s.sgov.gov"),
        ("ap-southeast-4_x", "ap-southeast-4.amazonaws.com"),
    ];
    for (id, domain) in cases {
        let config = read(&[("CLIENT_IDS", "*")], &[("USER_POOL_ID", id)]).expect(id);
        let names = [
            format!("https://cognito-idp.{domain}/{id}"),
            format!("https://issuer-cognito-idp.{domain}/{id}"),
        ];
        let jwks = Url::parse(&format!("https://cognito-idp.{domain}/{id}/.well-known/jwks.json")).unwrap();
        assert_eq!(config.issuers, [IssuerConfig { names: names.into(), jwks }], "{id}");
    }
}

#[test]
fn several_pools_are_several_issuers() {
    let config = read(&REQUIRED, &[("USER_POOL_ID", "us-east-1_a, us-east-1_b,eu-west-1_a")]).unwrap();
    assert_eq!(config.issuers.len(), 3);
    let hosts: HashSet<&Url> = config.issuers.iter().map(|issuer| &issuer.jwks).collect();
    assert_eq!(hosts.len(), 3);
}

#[test]
fn another_issuer_is_taken_to_the_letter() {
    let config = read(&OTHER, &[]).unwrap();
    let jwks = Url::parse("https://issuer.example/jwks?v=1").unwrap();
    assert_eq!(config.issuers, [IssuerConfig { names: vec!["https://issuer.example/tenant".into()], jwks }]);
    assert_eq!(config.rules.form, Form::Oidc);
    assert_eq!(config.rules.audience.as_deref(), Some("https://api.example"));
    assert_eq!(config.rules.clients, Clients::Any);
}

#[test]
fn issuers_are_refused() {
    let bad_pools = [
        "x",
        "us-east-1",
        "us-east-1_",
        "_Ab12",
        "us-east_Ab12",
        "us-east-12_Ab12",
        "US-east-1_Ab12",
        "us--1_Ab12",
        "us-east-x_Ab12",
        "us-east-1_Ab-12",
        "us-east-1_Ab12/../x",
        "us-east-1_Ab12,",
        ",us-east-1_Ab12",
        "us-east-1_Ab12,,eu-west-1_x",
        "us-east-1_Ab_12",
        "evil.example/us-east-1_x",
        "us-1_x",
        "usaaa-east-1_x",
        "us-east-1_a,us-east-1_b,us-east-1_a",
    ];
    for pool in bad_pools {
        assert_eq!(blamed(&REQUIRED, &[("USER_POOL_ID", pool)]), ["USER_POOL_ID"], "{pool}");
    }
    let cases: [(&str, Vars<'_>, Vars<'_>, &[&str]); 10] = [
        ("no pool", &REQUIRED, &[("USER_POOL_ID", "")], &["USER_POOL_ID"]),
        ("blank pool", &REQUIRED, &[("USER_POOL_ID", "  ")], &["USER_POOL_ID"]),
        ("pool and issuer", &OTHER, &[("USER_POOL_ID", POOL)], &["TOKEN_ISSUER"]),
        ("issuer with a blank", &OTHER, &[("TOKEN_ISSUER", "https://a b")], &["TOKEN_ISSUER"]),
        (
            "issuer alone",
            &OTHER,
            &[("JWKS_URI", ""), ("TOKEN_AUDIENCE", "")],
            &["TOKEN_AUDIENCE", "JWKS_URI"],
        ),
        ("issuer without audience", &OTHER, &[("TOKEN_AUDIENCE", "")], &["TOKEN_AUDIENCE"]),
        ("issuer without keys", &OTHER, &[("JWKS_URI", "")], &["JWKS_URI"]),
        (
            "address with two pools",
            &REQUIRED,
            &[("USER_POOL_ID", "us-east-1_a,us-east-1_b"), ("JWKS_URI", "https://a.example")],
            &["JWKS_URI"],
        ),
        (
            "snapshot with two pools",
            &REQUIRED,
            &[("USER_POOL_ID", "us-east-1_a,us-east-1_b"), ("JWKS_SNAPSHOT", "keys.json")],
            &["JWKS_SNAPSHOT"],
        ),
        ("address with one pool", &REQUIRED, &[("JWKS_URI", "https://a.example/jwks")], &[]),
    ];
    for (name, base, changes, expected) in cases {
        assert_eq!(blamed(base, changes), expected, "{name}");
    }
}

#[test]
fn keys_come_over_https_or_loopback_only() {
    let cases = [
        ("https://keys.example/jwks", true),
        ("http://127.0.0.1:3000/.well-known/jwks.json", true),
        ("http://127.9.8.7/jwks", true),
        ("http://[::1]:3000/jwks", true),
        ("http://localhost:3000/jwks", true),
        ("http://keys.example/jwks", false),
        ("http://localhost.example/jwks", false),
        ("http://127.0.0.1.example/jwks", false),
        ("http://128.0.0.1/jwks", false),
        ("http://[::2]/jwks", false),
        ("http://0.0.0.0/jwks", false),
        ("http://169.254.169.254/jwks", false),
        ("ftp://127.0.0.1/jwks", false),
        ("file:///etc/passwd", false),
        ("https://user:password@keys.example/jwks", false),
        ("https://user@keys.example/jwks", false),
        ("https://keys.example/jwks#part", false),
        ("keys.example/jwks", false),
        ("https://", false),
    ];
    for (address, is_taken) in cases {
        let expected: &[&str] = if is_taken { &[] } else { &["JWKS_URI"] };
        assert_eq!(blamed(&REQUIRED, &[("JWKS_URI", address)]), expected, "{address}");
        assert_eq!(blamed(&OTHER, &[("JWKS_URI", address)]), expected, "{address}");
    }
}

#[test]
fn clients_are_listed_or_any_is_spelled_out() {
    let cases = [
        ("a", true),
        ("a, b", true),
        ("*", true),
        ("", false),
        (" ", false),
        ("a,", false),
        (",", false),
        ("a,,b", false),
        ("*,a", false),
        ("a b", false),
        ("a*", false),
        ("a;b", false),
    ];
    for (clients, is_taken) in cases {
        let expected: &[&str] = if is_taken { &[] } else { &["CLIENT_IDS"] };
        assert_eq!(blamed(&REQUIRED, &[("CLIENT_IDS", clients)]), expected, "`{clients}`");
    }
}

#[test]
fn numbers_have_ranges() {
    let cases = [
        ("CLOCK_SKEW_SECONDS", "0", "60", "61"),
        ("JWKS_TIMEOUT_MS", "100", "10000", "10001"),
        ("JWKS_TIMEOUT_MS", "100", "10000", "99"),
        ("JWKS_COOLDOWN_SECONDS", "1", "3600", "0"),
        ("JWKS_COOLDOWN_SECONDS", "1", "3600", "3601"),
        ("JWKS_MAX_AGE_SECONDS", "1", "86400", "0"),
        ("JWKS_MAX_AGE_SECONDS", "1", "86400", "86401"),
        ("JWKS_MAX_STALE_SECONDS", "3600", "604800", "604801"),
        ("JWKS_MAX_STALE_SECONDS", "3600", "604800", "3599"),
    ];
    for (variable, least, most, beyond) in cases {
        for good in [least, most, ""] {
            assert!(blamed(&REQUIRED, &[(variable, good)]).is_empty(), "{variable} {good}");
        }
        for bad in [beyond, "-1", "+1", "1.5", "0x10", "many", "99999999999999999999", " 5"] {
            assert_eq!(blamed(&REQUIRED, &[(variable, bad)]), [variable], "{variable} {bad}");
        }
    }
}

#[test]
fn a_snapshot_is_read_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let name = path.to_str().unwrap();
    assert_eq!(blamed(&REQUIRED, &[("JWKS_SNAPSHOT", name)]), ["JWKS_SNAPSHOT"], "no such file");
    for (text, is_taken) in
        [(snapshot(NOW, [FIRST.jwk()]), true), (jwks([FIRST.jwk()]), false), (Vec::new(), false)]
    {
        std::fs::File::create(&path).unwrap().write_all(&text).unwrap();
        let config = read(&REQUIRED, &[("JWKS_SNAPSHOT", name)]);
        assert_eq!(config.is_ok(), is_taken);
        if let Ok(config) = config {
            let snapshot = config.snapshot.unwrap();
            assert_eq!(snapshot.keys.len(), 1);
            assert_eq!(snapshot.fetched_at, access::UnixSeconds(NOW));
            let pools = ("USER_POOL_ID", "us-east-1_a,us-east-1_b");
            assert_eq!(blamed(&REQUIRED, &[pools, ("JWKS_SNAPSHOT", name)]), ["JWKS_SNAPSHOT"], "two pools");
        }
    }
}

#[test]
fn routes_come_from_a_file_or_a_variable() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(br#"{"GET /a": [], "GET /b": []}"#).unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(read(&REQUIRED, &[("ROUTES_FILE", path)]).unwrap().routes.routes().len(), 2);
    assert_eq!(read(&REQUIRED, &[]).unwrap().routes.routes().len(), 12);
    assert_eq!(read(&REQUIRED, &[]).unwrap().coverage, Coverage::Token);
    assert_eq!(read(&REQUIRED, &[("POLICY", "call")]).unwrap().coverage, Coverage::Call);
    let told = |changes: Vars<'_>| read(&REQUIRED, changes).unwrap_err().to_string();
    let both = [("ROUTES_FILE", path), ("ROUTES", "{}")];
    assert_eq!(told(&both), "ROUTES_FILE must not be set together with ROUTES");
    assert!(
        told(&[("ROUTES_FILE", "/nowhere/routes.json")])
            .starts_with("ROUTES_FILE is not a usable route table: the file")
    );
    let clash = [("ROUTES", r#"{"GET /o/{a}": [], "GET /o/{b}": []}"#)];
    assert_eq!(
        told(&clash),
        "ROUTES is not a usable route table: `GET /o/{a}` and `GET /o/{b}` have different parameters at the same place"
    );
}

#[test]
fn a_file_beside_the_program_is_used_where_no_setting_names_one() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("bootstrap");
    let file = |vars: Vars<'_>| {
        let vars = |name: &str| vars.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned());
        with_usual_places(&vars, Some(&program))("ROUTES_FILE")
    };
    assert_eq!(file(&[]), None);
    let beside = folder.path().join("routes.json");
    std::fs::write(&beside, "{}").unwrap();
    assert_eq!(file(&[]).as_deref(), beside.to_str());
    assert_eq!(file(&[("ROUTES", " "), ("ROUTES_FILE", "")]).as_deref(), beside.to_str());
    assert_eq!(file(&[("ROUTES", "{}")]), None);
    assert_eq!(file(&[("ROUTES_FILE", "/opt/r.json")]).as_deref(), Some("/opt/r.json"));
}
