//! A Lambda authorizer as API Gateway runs one: what a caller must send, the call of the function, its cached answers,
//! and what they mean for one call.

mod cache;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde_json::json;
use tokio::time::timeout;

use self::cache::Cache;
use super::{
    answer::Answer,
    api::{Identity, LambdaAuthorizer},
    error::GatewayError,
    event::request_event,
    exchange::Exchange,
    policy::Decision,
    refusal::{Refusal, Rejection},
    served::{Authorization, CachedAnswer},
};
use crate::invoke::{Invoke, InvokeError};

/// The longest that API Gateway waits for an authorizer.
const TIMEOUT: Duration = Duration::from_secs(29);
// SPEC: Amazon API Gateway, "Input to an API Gateway Lambda authorizer"
const METHOD_ARN_BYTES: usize = 1600;
/// What API Gateway evaluates a policy for.
const ACTION: &str = "execute-api:Invoke";

/// One authorizer of one stage, with the answers that it gave.
#[derive(Debug)]
pub(super) struct Authorizer {
    settings: LambdaAuthorizer,
    cache: Mutex<Cache>,
}

/// What an authorizer said of one call.
pub(super) struct Authorized {
    /// Where its answer came from.
    pub(super) authorization: Authorization,
    /// Who calls. Known to a denial, too.
    pub(super) caller: Option<Arc<Answer>>,
    /// Whether the call goes on.
    // INVARIANT: `Ok` comes only from a policy that allows the call's own method ARN.
    pub(super) result: Result<(), Rejection>,
}

impl Authorized {
    fn refused(authorization: Authorization, rejection: impl Into<Rejection>) -> Self {
        Self { authorization, caller: None, result: Err(rejection.into()) }
    }
}

impl Authorizer {
    /// An authorizer with an empty cache. `name` is for messages.
    ///
    /// # Errors
    /// A REQUEST authorizer whose answers would be cached for everybody.
    pub(super) fn new(name: &str, settings: &LambdaAuthorizer) -> Result<Self, GatewayError> {
        match &settings.identity {
            Identity::Request(sources) if sources.is_empty() && !settings.cache_time.is_zero() => {
                Err(GatewayError::IdentitySources(name.to_owned()))
            }
            Identity::Token { .. } | Identity::Request(_) => {
                Ok(Self { settings: settings.clone(), cache: Mutex::default() })
            }
        }
    }

    /// Lets a call through, or says why not.
    pub(super) async fn authorize(
        &self,
        exchange: &Exchange<'_>,
        functions: &dyn Invoke,
        clock: &(dyn Fn() -> SystemTime + Send + Sync),
    ) -> Authorized {
        let Some(identity) = self.identity(exchange) else {
            return Authorized::refused(Authorization::None, Refusal::UNAUTHORIZED);
        };
        let arn = exchange.method_arn();
        if arn.len() > METHOD_ARN_BYTES {
            return Authorized::refused(Authorization::None, Refusal::URI_TOO_LONG);
        }
        let cached = self.with_cache(|cache| cache.find(&identity, clock()));
        let (authorization, answer) = if let Some(answer) = cached {
            (Authorization::Cached, answer)
        } else {
            // Calls for the same identity that run side by side each call the function, as API Gateway's do.
            let before = clock();
            let called = self.call(exchange, &identity, &arn, functions).await;
            let latency = clock().duration_since(before).unwrap_or_default();
            let authorization = Authorization::Called { latency };
            let answer = match called {
                Ok(answer) => Arc::new(answer),
                Err(rejection) => return Authorized::refused(authorization, rejection),
            };
            if !self.settings.cache_time.is_zero() {
                self.with_cache(|cache| {
                    cache.keep(&identity, Arc::clone(&answer), clock(), self.settings.cache_time);
                });
            }
            (authorization, answer)
        };
        let result = match answer.policy.evaluate(ACTION, &arn) {
            Decision::Allow => Ok(()),
            Decision::ExplicitDeny => Err(Refusal::EXPLICITLY_DENIED.into()),
            Decision::ImplicitDeny => Err(Refusal::DENIED.into()),
        };
        Authorized { authorization, caller: Some(answer), result }
    }

    /// What the caller is known by: the token, or the values of all sources in order. `None` if something of it is
    /// missing, or a token is not of the right form.
    fn identity(&self, exchange: &Exchange<'_>) -> Option<String> {
        match &self.settings.identity {
            Identity::Token { header, validation } => {
                let mut values = exchange.request.headers.all(header);
                let token = values.next().filter(|token| !token.is_empty())?;
                // Two headers are not a token: another reader might take the other one.
                let is_only = values.next().is_none();
                let is_valid = validation.as_ref().is_none_or(|whole| whole.is_match(token));
                (is_only && is_valid).then(|| token.to_owned())
            }
            Identity::Request(sources) => {
                let mut identity = Vec::new();
                for source in sources {
                    let values = exchange.identity(source);
                    if values.is_empty() || values.iter().any(String::is_empty) {
                        return None;
                    }
                    identity.push(values);
                }
                // As JSON, no two lists of values give the same string.
                Some(json!(identity).to_string())
            }
        }
    }

    /// Calls the function.
    async fn call(
        &self,
        exchange: &Exchange<'_>,
        identity: &str,
        arn: &str,
        functions: &dyn Invoke,
    ) -> Result<Answer, Rejection> {
        let event = match &self.settings.identity {
            Identity::Token { .. } => {
                json!({ "type": "TOKEN", "authorizationToken": identity, "methodArn": arn })
            }
            Identity::Request(_) => request_event(exchange, arn),
        };
        let event = event.to_string().into_bytes();
        match timeout(TIMEOUT, functions.invoke(&self.settings.function, event)).await {
            Ok(Ok(answer)) => {
                Answer::parse(&answer).map_err(|detail| Refusal::AUTHORIZER_CONFIGURATION.because(detail))
            }
            Ok(Err(InvokeError::Function { error_type, error_message })) => {
                let reason = is_label(&error_type).then_some(error_type);
                let mut rejection = if error_message == "Unauthorized" {
                    Refusal::UNAUTHORIZED.into()
                } else {
                    Refusal::AUTHORIZER_FAILURE.because("the authorizer failed")
                };
                rejection.reason = reason;
                Err(rejection)
            }
            Ok(Err(InvokeError::Unavailable(detail))) => {
                Err(Refusal::AUTHORIZER_CONFIGURATION.because(detail))
            }
            Ok(Err(InvokeError::TimedOut)) | Err(_) => {
                Err(Refusal::AUTHORIZER_FAILURE.because("the authorizer did not answer in time"))
            }
        }
    }

    /// The answers that are cached at `now`, the latest first.
    pub(super) fn cached(&self, now: SystemTime) -> Vec<CachedAnswer> {
        self.with_cache(|cache| cache.all(now))
    }

    fn with_cache<T>(&self, work: impl FnOnce(&mut Cache) -> T) -> T {
        // A cache is whole between two of its calls, whatever happened to the thread that held it.
        work(&mut self.cache.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a function's error type is a label: longer strings are not passed on.
pub(super) fn is_label(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_are_passed_on() {
        assert!(is_label("expired") && is_label("Runtime.ExitError"));
        assert!(!is_label("Bearer eyJ") && !is_label(&"a".repeat(65)));
    }
}
