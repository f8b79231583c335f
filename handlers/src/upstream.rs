//! Calls of other services, through the API and with the function's own token. Every call that the services make can be
//! repeated without harm, so a transient failure is retried.

use std::{fmt, future::Future, time::Duration};

use client::{ApiClient, ApiRequest, Method, TokenSource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    entry::Invocation,
    error::{ApiError, chain},
};

/// The time limit of one call, its token and its retries included. Three in a row leave a function time to answer.
const TIME_LIMIT: Duration = Duration::from_secs(6);

/// What a service needs of the API: to send a call and get the answer, whatever its status.
pub trait Api: Send + Sync {
    /// Sends one call.
    ///
    /// # Errors
    /// There was no answer. The call may have been carried out all the same.
    fn send(&self, call: Call) -> impl Future<Output = Result<Reply, ApiError>> + Send;
}

/// One call of the API.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The path, percent-encoded.
    pub path: String,
    /// The parameters of the query string.
    pub query: Vec<(&'static str, String)>,
    /// A JSON text.
    pub body: Option<String>,
    /// The trace headers of the request that caused it.
    pub trace: Trace,
    /// How long to wait for the answer.
    pub time_limit: Duration,
}

/// The trace headers of a request, by name.
pub type Trace = Vec<(String, String)>;

impl Call {
    /// A GET.
    pub fn get(path: String, invocation: &Invocation) -> Self {
        let (trace, time_limit) = (invocation.trace.clone(), invocation.time_left().min(TIME_LIMIT));
        Self { method: Method::GET, path, query: Vec::new(), body: None, trace, time_limit }
    }

    /// A call with a JSON body.
    pub fn with_body(method: Method, path: String, body: &Value, invocation: &Invocation) -> Self {
        Self { method, body: Some(body.to_string()), ..Self::get(path, invocation) }
    }
}

/// An answer of the API.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body of a 200 as JSON; `what` is it, for the log.
    pub fn ok<T: DeserializeOwned>(&self, what: &'static str) -> Result<T, ApiError> {
        if self.status != 200 {
            return Err(self.unexpected(what));
        }
        // The text of a JSON error can quote the body.
        let parsed = serde_json::from_slice(&self.body);
        parsed.map_err(|_| ApiError::fault("upstream_answer", format!("{what}: not the expected JSON")))
    }

    /// The code and the field of an answer that is an error of ours.
    pub fn error(&self) -> (String, Option<String>) {
        #[derive(Default, serde::Deserialize)]
        struct Body {
            #[serde(default)]
            error: String,
            field: Option<String>,
        }
        let Body { error, field } = serde_json::from_slice(&self.body).unwrap_or_default();
        (error, field)
    }

    /// The error for an unexpected status: it is never the fault of our own caller.
    pub fn unexpected(&self, what: &'static str) -> ApiError {
        let detail = format!("{what}: status {} `{}`", self.status, self.error().0);
        match self.status {
            408 | 429 | 500.. => ApiError::unavailable("upstream_unavailable", detail),
            _ => ApiError::fault("upstream_refused", detail),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The API, called with the tokens of one client for these scopes.
#[derive(Clone, Debug)]
pub struct ClientApi {
    client: ApiClient,
    scopes: &'static [&'static str],
}

impl ClientApi {
    /// Calls with tokens of all of `scopes`: one token for all the calls of a function, asked for once.
    pub fn new(tokens: TokenSource, scopes: &'static [&'static str]) -> Self {
        Self { client: ApiClient::new(tokens, TIME_LIMIT), scopes }
    }
}

impl Api for ClientApi {
    async fn send(&self, call: Call) -> Result<Reply, ApiError> {
        let mut request =
            ApiRequest::new(call.method, call.path).safe_to_repeat().time_limit(call.time_limit);
        request = request.trace(call.trace.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        for (name, value) in call.query {
            request = request.query(name, value);
        }
        if let Some(body) = call.body {
            request = request.json_text(body);
        }
        match self.client.send(&request, self.scopes).await {
            Ok(reply) => Ok(Reply { status: reply.status.as_u16(), body: reply.body }),
            Err(error) if error.is_transient() => {
                Err(ApiError::unavailable("upstream_unavailable", chain(&error)))
            }
            Err(error) => Err(ApiError::fault("upstream", chain(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use client::{Credentials, Http};
    use serde_json::json;
    use test_support::Request;

    use super::*;
    use crate::testing::{clock, invocation, stub};

    /// What is answered to `call`, and what was asked of the API on the way, the token's request left out.
    async fn send(call: Call, answers: &[(u16, &str)]) -> (Result<Reply, ApiError>, Vec<Request>) {
        let token = r#"{"access_token":"the-token","token_type":"Bearer","expires_in":3600}"#;
        let mut all = vec![(200, token.to_owned())];
        all.extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
        let stub = stub(&all).await;
        let credentials = json!({
            "client_id": "order-service",
            "client_secret": "the-secret",
            "token_url": stub.url("/oauth2/token"),
            "api_url": stub.url("/prod"),
        });
        let credentials = Credentials::from_json(&credentials.to_string()).unwrap();
        let tokens = TokenSource::builder(credentials, Http::new().unwrap()).clock(clock).build();
        let reply = ClientApi::new(tokens, &["inventory/read"]).send(call).await;
        let mut requests = stub.heard();
        assert!(requests.remove(0).body.contains("scope=inventory%2Fread"));
        (reply, requests)
    }

    #[tokio::test]
    async fn a_call_is_sent_as_it_is_with_the_functions_own_token() {
        let trace = vec![("X-Amzn-Trace-Id".to_owned(), "Root=1-2-3".to_owned())];
        let traced = Invocation::of(clock, clock() + Duration::from_mins(1), trace);
        let mut call = Call::with_body(Method::POST, "/inventory".to_owned(), &json!({"a": 1}), &traced);
        call.query.push(("cursor", "a b".to_owned()));
        let (reply, requests) = send(call, &[(409, r#"{"error":"e","field":"f"}"#)]).await;
        let reply = reply.unwrap();
        assert_eq!((reply.status, reply.error()), (409, ("e".to_owned(), Some("f".to_owned()))));
        let [request] = requests.as_slice() else { panic!("{requests:?}") };
        assert!(request.head.starts_with("POST /prod/inventory?cursor=a+b HTTP/1.1"), "{request:?}");
        assert_eq!(request.body, r#"{"a":1}"#);
        for (name, value) in [("authorization", "Bearer the-token"), ("x-amzn-trace-id", "Root=1-2-3")] {
            assert_eq!(request.header(name), Some(value));
        }
    }

    #[tokio::test]
    async fn a_transient_failure_is_retried() {
        let call = Call::with_body(Method::POST, "/inventory".to_owned(), &json!({}), &invocation());
        let (reply, requests) = send(call, &[(503, "{}"), (200, "{}")]).await;
        assert_eq!((reply.unwrap().status, requests.len()), (200, 2));
    }

    #[tokio::test]
    async fn a_call_says_how_long_its_caller_waits() {
        for (left, most) in
            [(Duration::from_mins(1), TIME_LIMIT), (Duration::from_secs(2), Duration::from_secs(2))]
        {
            let invocation = Invocation::of(clock, clock() + left, Vec::new());
            let (_, requests) = send(Call::get("/x".to_owned(), &invocation), &[(200, "{}")]).await;
            let header = requests[0].header("x-time-left-ms").unwrap();
            let told = Duration::from_millis(header.parse().unwrap());
            assert!(told <= most && told > most / 4, "{told:?} of {left:?}");
        }
    }

    #[tokio::test]
    async fn what_goes_wrong_upstream_is_told_without_token_or_secret() {
        let call = Call::with_body(Method::POST, "/x".to_owned(), &json!({}), &invocation());
        let (reply, _) = send(call.clone(), &[]).await;
        let error = reply.unwrap_err();
        assert_eq!((error.status, error.label), (503, "upstream_unavailable"));
        assert!(!format!("{error:?}").contains("the-"), "{error:?}");
        let cases =
            [(408, 503), (429, 503), (500, 503), (504, 503), (400, 500), (401, 500), (403, 500), (409, 500)];
        for (status, expected) in cases {
            let reply = Reply { status, body: br#"{"error":"e"}"#.to_vec() };
            let error = reply.unexpected("the price");
            assert_eq!(error.status, expected, "{status}");
            assert_eq!(error.detail.as_deref(), Some(format!("the price: status {status} `e`").as_str()));
        }
        let garbage = Reply { status: 200, body: b"the-token".to_vec() };
        let error = garbage.ok::<u8>("the price").unwrap_err();
        assert!(!format!("{error:?} {garbage:?}").contains("the-"), "{error:?}");
    }
}
