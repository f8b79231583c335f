//! How long a token lives, and when it is due.

use proptest::prelude::*;

use super::*;

/// A JWT with these claims; nobody here looks at the rest of it.
pub(crate) fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

fn seconds(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn token(text: &str, expires_in: Option<u64>, asked: u64) -> Option<AccessToken> {
    AccessToken::received(text.to_owned(), expires_in.map(Duration::from_secs), seconds(asked), None)
}

#[test]
fn the_life_of_a_token_is_its_own_claims_or_else_what_the_endpoint_says() {
    let cases = [
        ("a JWT", jwt(r#"{"exp":5000,"iat":1000}"#), None, Some((5000, 4000))),
        ("a JWT with a lying expires_in", jwt(r#"{"exp":5000,"iat":1000}"#), Some(9000), Some((5000, 4000))),
        ("a JWT without iat", jwt(r#"{"exp":6000}"#), None, Some((6000, 5000))),
        ("a JWT with iat after exp", jwt(r#"{"exp":6000,"iat":7000}"#), None, Some((6000, 5000))),
        ("a JWT with iat at exp", jwt(r#"{"exp":6000,"iat":6000}"#), None, Some((6000, 5000))),
        ("a fraction", jwt(r#"{"exp":6000.0,"iat":2000.0}"#), None, Some((6000, 5000))),
        ("a JWT without exp", jwt(r#"{"iat":1000}"#), Some(4000), Some((6000, 5000))),
        ("a JWT with a senseless exp", jwt(r#"{"exp":-1}"#), Some(4000), Some((6000, 5000))),
        ("a JWT with a text for exp", jwt(r#"{"exp":"9999"}"#), Some(4000), Some((6000, 5000))),
        ("a JWT beyond all times", jwt(r#"{"exp":1e300}"#), Some(4000), Some((6000, 5000))),
        ("an opaque token", "opaque".to_owned(), Some(4000), Some((6000, 5000))),
        ("five parts", "a.b.c.d.e".to_owned(), Some(4000), Some((6000, 5000))),
        ("three parts of nothing", "..".to_owned(), Some(4000), Some((6000, 5000))),
        ("an opaque token of unknown life", "opaque".to_owned(), None, None),
        ("a life beyond all times", "opaque".to_owned(), Some(u64::MAX), None),
    ];
    for (name, text, expires_in, expected) in cases {
        let token = token(&text, expires_in, 2000);
        let times = token.map(|token| (token.expires_at(), token.0.renewal));
        assert_eq!(times, expected.map(|(exp, due)| (seconds(exp), seconds(due))), "{name}");
    }
}

#[test]
fn renewal_is_due_at_three_quarters_or_five_minutes_before_the_end() {
    let cases = [
        ("a day", 86_400, 64_800),
        ("an hour", 3600, 2700),
        ("twenty minutes: both", 1200, 900),
        ("fifteen minutes: five before the end", 900, 600),
        ("ten minutes: five before the end", 600, 300),
        ("five minutes: half", 300, 150),
        ("a minute: half", 60, 30),
    ];
    for (name, life, due) in cases {
        let token = token("opaque", Some(life), 0).unwrap();
        assert!(!token.is_due(seconds(due) - Duration::from_millis(1)), "{name}");
        assert!(token.is_due(seconds(due)), "{name}");
        assert!(token.is_alive(seconds(life) - Duration::from_millis(1)), "{name}");
        assert!(!token.is_alive(seconds(life)), "{name}");
    }
}

proptest! {
    #[test]
    fn a_token_is_due_in_the_second_half_of_its_life_and_before_its_end(iat in 0_u64..1 << 40, life in 1_u64..1 << 30) {
        let claims = format!(r#"{{"exp":{},"iat":{iat}}}"#, iat + life);
        let token = token(&jwt(&claims), None, 0).unwrap();
        prop_assert!(token.0.renewal >= seconds(iat) + Duration::from_secs(life) / 2);
        prop_assert!(token.0.renewal < token.expires_at());
    }

    #[test]
    fn no_text_is_too_odd_for_a_token(text in ".{0,60}", expires_in in any::<Option<u64>>()) {
        drop(token(&text, expires_in, 0));
    }
}
