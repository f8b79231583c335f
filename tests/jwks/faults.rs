//! The ways in which the endpoint fails or changes, and the expected outcome of each.

use std::{sync::OnceLock, time::Duration};

use serde_json::json;

use test_support::{
    FIRST, Reply, SECOND, Stub, reply,
    signer::{changed, jwks},
};

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What the endpoint does; `None` if nobody listens.
    pub(crate) answer: Option<Reply>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It yields no keys.
    Failing,
    /// It takes until the time limit.
    Hanging,
    /// It serves other keys than those held.
    Changed,
    /// It serves the key in use, and an unusable one.
    Mixed,
}

impl Kind {
    /// The cells in the order of the states; the last is that of the frozen process.
    pub(crate) const fn expected(self) -> [&'static str; 8] {
        const UNTOUCHED: &str = "allowed `hit` 0, allowed `hit` 0";
        const SNAPSHOT: &str = "allowed `snapshot` 0, allowed `snapshot` 0";
        match self {
            Self::Failing | Self::Hanging => {
                let none = "500 `failed` 1, 500 `cooldown` 1";
                let unknown = "401 `failed` 1, 401 `cooldown` 1";
                let stale = "allowed `stale` 1, allowed `stale` 1";
                let old = "allowed `snapshot` 1, allowed `snapshot` 1";
                [none, UNTOUCHED, unknown, stale, none, SNAPSHOT, old, stale]
            }
            // The held key was withdrawn and another one published.
            Self::Changed => {
                let gone = "401 `fetched` 1, 401 `cooldown` 1";
                let found = "allowed `fetched` 1, allowed `hit` 1";
                [gone, UNTOUCHED, found, gone, gone, SNAPSHOT, gone, gone]
            }
            Self::Mixed => {
                let found = "allowed `fetched` 1, allowed `hit` 1";
                let unknown = "401 `fetched` 1, 401 `cooldown` 1";
                [found, UNTOUCHED, unknown, found, found, SNAPSHOT, found, found]
            }
        }
    }
}

/// The target of the redirect, which must get no request.
static ELSEWHERE: OnceLock<Stub> = OnceLock::new();

/// How many requests the target of the redirect got.
pub(crate) fn elsewhere() -> usize {
    ELSEWHERE.get().unwrap().count()
}

pub(crate) async fn all() -> Vec<Fault> {
    let good = jwks([FIRST.jwk()]);
    let elsewhere = Stub::always(reply(200, "", &good)).await;
    let redirect = reply(302, &format!("location: {}\r\n", elsewhere.url("/jwks.json")), "");
    ELSEWHERE.set(elsewhere).ok().unwrap();
    let fault = |name, kind, answer| Fault { name, kind, answer: Some(answer) };
    let failing = |name, answer| fault(name, Kind::Failing, answer);
    let body = |body: &[u8]| reply(200, "", body);
    let bad = changed(FIRST.jwk(), json!({"kid": "bad", "e": "Aw"}));
    let only = |key| body(&jwks([key]));
    vec![
        Fault { answer: None, ..failing("down", Reply::Hang) },
        fault("slow: says nothing", Kind::Hanging, Reply::Hang),
        fault("drip: a byte every 10 ms", Kind::Hanging, body(&good).drip(Duration::from_millis(10))),
        failing("reset", Reply::Reset),
        failing("breaks off in the body", body(&good).without_last(9)),
        failing("no HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())),
        failing("status 500, keys in the body", reply(500, "", &good)),
        failing("status 404", reply(404, "", "{}")),
        failing("status 304", reply(304, "", "")),
        failing("redirect to good keys", redirect),
        failing("garbage", body(&[0xFF; 1000])),
        failing("a page of HTML", reply(200, "content-type: text/html\r\n", "<html>sign in</html>")),
        failing("other JSON", body(br#"{"issuer":"x","jwks_uri":"y"}"#)),
        failing("huge: 50 MB", body(&vec![b' '; 50_000_000])),
        failing("no keys", body(br#"{"keys":[]}"#)),
        failing("a key for another purpose", only(changed(FIRST.jwk(), json!({"use": "enc"})))),
        failing("a private key", only(changed(FIRST.jwk(), json!({"d": "AQAB"})))),
        fault("rotated, or rolled back: the held key gone, another there", Kind::Changed, only(SECOND.jwk())),
        fault("one bad key beside the good one", Kind::Mixed, body(&jwks([bad, FIRST.jwk()]))),
    ]
}
