//! The exhaustive proof: for every set of scopes, every route and unusual paths around it, the router, the policy and the
//! functions' own check together allow exactly what the table says, and so do the policy and the check alone.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "test code")]

mod calls;
mod stage;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use gateway::{
    http::{Headers, Request},
    rest::{
        Gateway,
        policy::{Decision, Policy},
    },
};
use handlers::routes::ROUTES;
use serde_json::{Value, json};
use test_support::{
    FIRST,
    signer::{changed, claims},
};

use calls::{Call, SCOPES, TABLE};
use stage::{Functions, Stage};

const ACTION: &str = "execute-api:Invoke";

/// One set of scopes, and a token that holds it.
struct Holder {
    scopes: BTreeSet<&'static str>,
    authorization: String,
}

impl Holder {
    fn all() -> Vec<Self> {
        (0..1_usize << SCOPES.len()).map(Self::of).collect()
    }

    fn of(bits: usize) -> Self {
        let held = SCOPES.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
        let scopes: BTreeSet<_> = held.map(|(_, scope)| *scope).collect();
        let text = scopes.iter().copied().collect::<Vec<_>>().join(" ");
        let token = FIRST.token(&changed(claims(), json!({"scope": text, "jti": bits.to_string()})));
        Self { scopes, authorization: format!("Bearer {token}") }
    }

    fn request(&self, call: &Call) -> Request {
        let mut headers = Headers::default();
        headers.push("Host", "127.0.0.1:3000");
        headers.push("Authorization", &self.authorization);
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        Request { method: call.verb.to_owned(), target: call.target.clone(), headers, body: Vec::new(), peer }
    }
}

/// The outcome of a call.
async fn ask(gateway: &Gateway, request: Request) -> (u16, String) {
    let answer = gateway.answer(request).await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

#[test]
fn the_table_is_the_one_that_is_proven() {
    let rows = ROUTES.routes().iter().map(|route| {
        let [scope] = route.scopes() else { panic!("{route} needs one scope") };
        (route.method().as_str(), route.path(), scope.as_str())
    });
    assert_eq!(rows.collect::<Vec<_>>(), TABLE);
    let scopes: BTreeSet<_> = TABLE.iter().map(|(_, _, scope)| *scope).collect();
    assert_eq!(scopes, BTreeSet::from(SCOPES));
}

/// Every set of scopes with every call. Each set starts with another call, whose policy is then cached.
#[tokio::test(flavor = "multi_thread")]
async fn router_policy_and_functions_let_through_what_the_table_says() {
    let stage = Stage::new(Functions::guarded).await;
    let calls = Arc::new(calls::all());
    let mut tasks = tokio::task::JoinSet::new();
    for (index, holder) in Holder::all().into_iter().enumerate() {
        let (gateway, calls) = (Arc::clone(&stage.gateway), Arc::clone(&calls));
        tasks.spawn(async move {
            for offset in 0..calls.len() {
                let call = &calls[(index + offset) % calls.len()];
                let outcome = ask(&gateway, holder.request(call)).await;
                call.check(&holder.scopes, &outcome);
            }
        });
    }
    let sets = tasks.join_all().await.len();
    // One decision for each token, whichever call came first; the other answers come from the cache.
    assert_eq!((sets, stage.functions.decisions()), (512, 512));
    assert_eq!(calls.len(), 251, "as many as docs/security.md tells");
}

/// The policy alone: the same for every route, right for each call, and nothing at other stages.
#[tokio::test(flavor = "multi_thread")]
async fn policies_are_exact_and_end_at_the_stage() {
    let stage = Stage::new(Functions::guarded).await;
    let calls: Arc<Vec<Call>> = Arc::new(calls::all().into_iter().filter(Call::is_routed).collect());
    let mut tasks = tokio::task::JoinSet::new();
    for holder in Holder::all() {
        let (functions, calls) = (Arc::clone(&stage.functions), Arc::clone(&calls));
        tasks.spawn(async move {
            let mut answers = BTreeSet::new();
            for (verb, path, _) in TABLE {
                let path = path.replace(['{', '}'], "");
                let arn = format!("{}{verb}{path}", calls::STAGE);
                answers.insert(functions.decide(&holder.authorization, &arn).await.unwrap());
            }
            assert_eq!(answers.len(), 1, "whichever route is called: {:?}", holder.scopes);
            let answer: Value = serde_json::from_slice(answers.first().unwrap()).unwrap();
            let policy: Policy = serde_json::from_value(answer["policyDocument"].clone()).unwrap();
            for call in calls.iter() {
                let is_allowed = policy.evaluate(ACTION, &call.arn(calls::STAGE)) == Decision::Allow;
                assert_eq!(is_allowed, call.is_allowed(&holder.scopes), "{call:?}, held {:?}", holder.scopes);
            }
            for call in calls.iter().filter(|call| call.is_plain) {
                for stage in calls::elsewhere() {
                    let decision = policy.evaluate(ACTION, &call.arn(&stage));
                    assert_ne!(decision, Decision::Allow, "{call:?} at {stage}");
                }
                for action in
                    ["execute-api:ManageConnections", "execute-api:InvalidateCache", "lambda:InvokeFunction"]
                {
                    let decision = policy.evaluate(action, &call.arn(calls::STAGE));
                    assert_ne!(decision, Decision::Allow, "{action} of {call:?}");
                }
            }
        });
    }
    tasks.join_all().await;
}

/// The functions alone: their own check still holds when a wrong policy has opened the gateway.
#[tokio::test(flavor = "multi_thread")]
async fn functions_hold_where_the_policy_is_open() {
    let stage = Stage::new(Functions::opened).await;
    let calls: Arc<Vec<Call>> = Arc::new(calls::all().into_iter().filter(|call| call.is_plain).collect());
    let mut tasks = tokio::task::JoinSet::new();
    for holder in Holder::all() {
        let (gateway, calls) = (Arc::clone(&stage.gateway), Arc::clone(&calls));
        tasks.spawn(async move {
            for call in calls.iter() {
                let (status, _) = ask(&gateway, holder.request(call)).await;
                assert_eq!(
                    status == 200,
                    call.is_covered(&holder.scopes),
                    "{call:?}, held {:?}",
                    holder.scopes
                );
            }
        });
    }
    tasks.join_all().await;
}

/// Without a token nothing is reached, and no header sets the caller.
#[tokio::test]
async fn without_a_token_nothing_is_reached() {
    let stage = Stage::new(Functions::guarded).await;
    for call in calls::all() {
        let mut request = Holder::of(511).request(&call);
        request.headers.remove("Authorization");
        request.headers.push("X-Authorizer-Client-Id", "admin");
        let (status, _) = ask(&stage.gateway, request).await;
        assert_eq!(status, if call.is_routed() { 401 } else { 404 }, "{call:?}");
    }
    assert_eq!(stage.functions.decisions(), 0);
}
