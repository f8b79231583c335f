//! Explanations. Every table of `tokens.rs` checks that they give the reason of the decision itself.

use super::*;

async fn explain(setup: &Setup, value: &str) -> Explanation {
    setup.authorizer.explain(value, &MethodArn::parse(ARN).unwrap()).await
}

fn verdicts(explanation: &Explanation) -> String {
    let step = |step: &Step| match step.verdict {
        Verdict::Passed => '+',
        Verdict::Failed(_) => 'x',
        Verdict::Undecided => '?',
        Verdict::NotAsked => ' ',
        Verdict::NotReached => '-',
    };
    explanation.steps.iter().map(step).collect()
}

#[tokio::test]
async fn every_check_has_its_verdict() {
    let setup = Setup::cognito();
    let header = FIRST.header().to_string();
    let good = claims().to_string();
    let signed = |header: &str, claims: &str| format!("Bearer {}", FIRST.sign(header, claims));
    let expired = with(json!({"exp": NOW}));
    let cases = [
        ("good", signed(&header, &good), "+++++++++++++++++++++++++ +++"),
        ("nothing", String::new(), "x----------------------------"),
        ("the header is no JSON", signed("{", &good), "++++++x----------------------"),
        ("the claims are no JSON", signed(&header, "{"), "+++++++++++x-----------------"),
        ("a member twice in the header", signed(r#"{"a":1,"a":2}"#, "{"), "+++++++x---------------------"),
        (
            "a member twice in the claims",
            signed(&header, r#"{"a":1,"a":2}"#),
            "++++++++++++x----------------",
        ),
        (
            "another algorithm, and claims that are no JSON",
            signed("{}", "{"),
            "++++++++x--------------------",
        ),
        ("expired", expired, "++++++++++++++++++++x--------"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(verdicts(&explain(&setup, &value).await), expected, "{name}");
    }
    let oidc = Setup::oidc();
    let claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "client_id": "a", "scope": "", "exp": NOW + 1
    });
    let good = format!("Bearer {}", FIRST.token(&claims));
    assert_eq!(verdicts(&explain(&oidc, &good).await), "++++++++++++++++ ++++++++++++", "no `token_use`");
}

#[tokio::test]
async fn without_keys_nothing_is_decided() {
    let setup = Setup::new(
        &[("USER_POOL_ID", POOL), ("CLIENT_IDS", "*")],
        FakeFetch::new([Err(FetchError::Status(500))]),
    );
    let explanation = explain(&setup, &format!("Bearer {}", FIRST.token(&claims()))).await;
    assert_eq!(verdicts(&explanation), "++++++++++++++?--------------");
    assert!(matches!(explanation.decided, Decided::Fault(Fault::KeysUnavailable)));
    assert_eq!(explanation.claims, Some(claims()), "shown all the same");
}

#[tokio::test]
async fn what_is_shown_of_the_token_is_header_and_claims() {
    let setup = Setup::cognito();
    let token = FIRST.token(&claims());
    let explanation = explain(&setup, &format!("Bearer {token}")).await;
    assert_eq!((&explanation.header, &explanation.claims), (&Some(FIRST.header()), &Some(claims())));
    let (_, signature) = token.rsplit_once('.').unwrap();
    assert!(!format!("{explanation:?}").contains(signature));
    assert_eq!(setup.lines.take(), "", "no decision is logged that nobody asked for");
    let twice =
        explain(&setup, &format!("Bearer {}", FIRST.sign(r#"{"alg":"none","alg":"RS256"}"#, "{}"))).await;
    assert_eq!(twice.header, None, "two readers could disagree about it");
}

#[tokio::test]
async fn keys_that_are_given_are_the_only_ones() {
    let vars = |name: &str| match name {
        "USER_POOL_ID" => Some(POOL.to_owned()),
        "CLIENT_IDS" => Some("*".to_owned()),
        "ROUTES" => Some(ROUTES.to_owned()),
        _ => None,
    };
    let with_jwks = |jwks: &[u8]| {
        let config = Config::from_vars(vars).unwrap();
        Authorizer::with_jwks(config, jwks, TestClock::new().read(), Lines::default().log())
    };
    let arn = MethodArn::parse(ARN).unwrap();
    let cases = [
        ("the key", jwks([FIRST.jwk()]), None, "+++++++++++++++++++++++++ +++"),
        ("another", jwks([SECOND.jwk()]), Some("unknown_key"), "++++++++++++++x--------------"),
        ("no JWKS", b"{}".to_vec(), Some("keys_unavailable"), "++++++++++++++?--------------"),
    ];
    for (name, jwks, label, expected) in cases {
        let value = format!("Bearer {}", FIRST.token(&claims()));
        let explanation = with_jwks(&jwks).explain(&value, &arn).await;
        assert_eq!(verdicts(&explanation), expected, "{name}");
        let decided = match &explanation.decided {
            Decided::Answer(_) => None,
            Decided::Refused(refusal) => Some(refusal.label()),
            Decided::Fault(fault) => Some(fault.label()),
        };
        assert_eq!(decided, label, "{name}");
    }
}
