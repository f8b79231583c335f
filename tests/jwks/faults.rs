//! The ways in which an endpoint fails or changes, and what is expected of each.

use std::sync::OnceLock;

use serde_json::json;

use crate::{
    endpoint::{Answer, Endpoint},
    signer::{FIRST, SECOND, changed, jwks},
};

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What the endpoint does; `None` if nobody listens.
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No keys come of it.
    Failing,
    /// It takes as long as it may.
    Hanging,
    /// Other keys than those held.
    Changed,
    /// The key that is asked for, and one that is no use.
    Mixed,
}

impl Kind {
    /// The cells, in the order of the states; the last is that of a process that is frozen between invocations.
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
            // The key that is held was withdrawn, and another one came.
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

/// Where a redirect points: nobody may ever ask there.
static ELSEWHERE: OnceLock<Endpoint> = OnceLock::new();

/// How often anybody asked where a redirect points.
pub(crate) fn elsewhere() -> usize {
    ELSEWHERE.get().unwrap().count()
}

pub(crate) async fn all() -> Vec<Fault> {
    let good = jwks([FIRST.jwk()]);
    let elsewhere = Endpoint::start(Answer::ok(&good)).await;
    let redirect = Answer::with("302 Found", &format!("Location: {}", elsewhere.url()), b"");
    ELSEWHERE.set(elsewhere).ok().unwrap();
    let fault = |name, kind, answer| Fault { name, kind, answer: Some(answer) };
    let failing = |name, answer| fault(name, Kind::Failing, answer);
    let body = |body: &[u8]| Answer::ok(body);
    let Answer::Bytes(whole) = body(&good) else { panic!("bytes") };
    let bad = changed(FIRST.jwk(), json!({"kid": "bad", "e": "Aw"}));
    let only = |key| body(&jwks([key]));
    vec![
        Fault { answer: None, ..failing("down", Answer::Silence) },
        fault("slow: says nothing", Kind::Hanging, Answer::Silence),
        fault("drip: a byte every 10 ms", Kind::Hanging, Answer::Drip(whole.clone())),
        failing("reset", Answer::Reset),
        failing("breaks off in the body", Answer::Bytes(whole[..whole.len() - 9].to_vec())),
        failing("no HTTP", Answer::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())),
        failing("status 500, keys in the body", Answer::with("500 Internal Server Error", "X: y", &good)),
        failing("status 404", Answer::with("404 Not Found", "X: y", b"{}")),
        failing("status 304", Answer::with("304 Not Modified", "X: y", b"")),
        failing("redirect to good keys", redirect),
        failing("garbage", body(&[0xFF; 1000])),
        failing("a page of HTML", Answer::with("200 OK", "Content-Type: text/html", b"<html>sign in</html>")),
        failing("other JSON", body(br#"{"issuer":"x","jwks_uri":"y"}"#)),
        failing("huge: 50 MB", body(&vec![b' '; 50_000_000])),
        failing("no keys", body(br#"{"keys":[]}"#)),
        failing("a key for another purpose", only(changed(FIRST.jwk(), json!({"use": "enc"})))),
        failing("a private key", only(changed(FIRST.jwk(), json!({"d": "AQAB"})))),
        fault("rotated, or rolled back: the held key gone, another there", Kind::Changed, only(SECOND.jwk())),
        fault("one bad key beside the good one", Kind::Mixed, body(&jwks([bad, FIRST.jwk()]))),
    ]
}
