//! What an answer tells, how much is kept, and who may wait.

use gateway::rest::served::Authorization;

use super::*;

const RUN: &str = "0000000000000000000000000000002a";

fn decisions() -> Decisions {
    let clients =
        serde_json::from_str(r#"{"storefront":{"client_id":"7abc","client_secret":"hidden","scopes":[]}}"#);
    Decisions::new(Uuid::from_u128(42), &clients.unwrap())
}

fn served() -> Served {
    Served {
        request_id: "r-1".into(),
        route: Some("GET /inventory".into()),
        status: 403,
        principal_id: Some("7abc".into()),
        context: [("scope", "inventory/read"), ("other", "not shown")]
            .map(|(k, v)| (k.into(), v.into()))
            .into(),
        authorization: Authorization::Cached,
        error_type: Some("AccessDeniedException"),
        reason: None,
        detail: None,
        latency: Duration::from_micros(1234),
    }
}

async fn body(decisions: &Decisions, seen: &str) -> String {
    let mut headers = Headers::default();
    headers.push("Last-Event-ID", seen);
    let peer = ([127, 0, 0, 1], 1).into();
    let request =
        Request { method: "GET".into(), target: "/_local/events".into(), headers, body: Vec::new(), peer };
    String::from_utf8(decisions.events(&request).await.body).unwrap()
}

#[tokio::test]
async fn an_answer_holds_what_is_new_and_no_more_than_is_kept() {
    let decisions = decisions();
    for _ in 0..=KEPT {
        decisions.record(&served(), SystemTime::UNIX_EPOCH);
    }
    assert_eq!(decisions.kept.lock().unwrap().len(), KEPT);
    for (seen, expected) in [
        (String::new(), KEPT),
        (format!("{RUN}.0"), KEPT),
        (format!("{RUN}.199"), 2),
        ("ffffffffffffffffffffffffffffffff.200".to_owned(), KEPT),
        ("200".to_owned(), KEPT),
    ] {
        assert_eq!(body(&decisions, &seen).await.matches("data: ").count(), expected, "`{seen}`");
    }
    decisions.close();
    let rest = body(&decisions, &format!("{RUN}.201")).await;
    assert_eq!(rest, "retry: 100\n\n", "nobody waits when the system stops");
}

#[tokio::test(start_paused = true)]
async fn a_page_waits_for_what_comes_and_only_so_many_wait_at_once() {
    let decisions = decisions();
    let mut waiting: Vec<_> = (0..SUBSCRIBERS).map(|_| Box::pin(body(&decisions, ""))).collect();
    for page in &mut waiting {
        assert!(futures_util::poll!(page.as_mut()).is_pending(), "there is nothing to tell");
    }
    assert_eq!(body(&decisions, "").await, r#"{"error":"too_many_pages"}"#);
    decisions.record(&served(), SystemTime::UNIX_EPOCH);
    for page in waiting {
        assert!(page.await.contains(&format!("id: {RUN}.1\n")));
    }
    assert_eq!(body(&decisions, &format!("{RUN}.1")).await, "retry: 100\n\n", "the wait ends");
}

#[test]
fn a_decision_says_who_called_what_and_how_it_ended() {
    let decisions = decisions();
    let told = |served: Served| {
        decisions.record(&served, SystemTime::UNIX_EPOCH);
        serde_json::to_string(&decisions.kept.lock().unwrap().back().unwrap().1).unwrap()
    };
    insta::assert_snapshot!(told(served()), @r#"{"at_ms":0,"request_id":"r-1","client":"storefront","client_id":"7abc","route":"GET /inventory","status":403,"outcome":"refused","reason":"insufficient_scope","meaning":null,"claims":{"scope":"inventory/read"},"cached":true,"latency_ms":1.23,"authorizer_ms":null}"#);
    let called = Authorization::Called { latency: Duration::from_micros(987) };
    let (principal_id, error_type) = (None, Some("UnauthorizedException"));
    let context = BTreeMap::new();
    let refused =
        Served { status: 401, principal_id, context, error_type, authorization: called, ..served() };
    insta::assert_snapshot!(told(Served { reason: Some("expired".into()), ..refused }), @r#"{"at_ms":0,"request_id":"r-1","client":null,"client_id":null,"route":"GET /inventory","status":401,"outcome":"refused","reason":"expired","meaning":"the token has expired","claims":{},"cached":false,"latency_ms":1.23,"authorizer_ms":0.99}"#);
    let cases = [
        (200, None, "allowed"),
        (404, None, "allowed"),
        (403, None, "refused"),
        (401, None, "refused"),
        (429, Some("TooManyRequestsException"), "refused"),
        (500, None, "fault"),
        (504, Some("IntegrationTimeout"), "fault"),
    ];
    for (status, error_type, outcome) in cases {
        let text = told(Served { status, error_type, ..served() });
        assert!(text.contains(&format!(r#""outcome":"{outcome}""#)), "{status}: {text}");
    }
}
