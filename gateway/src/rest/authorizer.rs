//! Owns a TOKEN authorizer as API Gateway runs one: the token's header, the call of the function, its answers kept
//! for a while, and what they mean for one call. What a policy says is left to `policy`.

mod answer;
mod cache;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use regex::Regex;
use serde_json::json;
use tokio::time::timeout;

pub(super) use self::answer::Answer;
use self::cache::Cache;
use super::{
    api::TokenAuthorizer,
    error::GatewayError,
    exchange::Exchange,
    policy::Decision,
    refusal::Refusal,
    served::{Authorization, CachedAnswer},
};
use crate::{
    http::is_header_name,
    invoke::{Invoke, InvokeError},
};

/// The longest that API Gateway waits for an authorizer.
const TIMEOUT: Duration = Duration::from_secs(29);
// SPEC: Amazon API Gateway, "Input to an API Gateway Lambda authorizer"
const METHOD_ARN_BYTES: usize = 1600;
const CACHE_TIME: Duration = Duration::from_hours(1);
/// What API Gateway evaluates a policy for.
const ACTION: &str = "execute-api:Invoke";

/// One authorizer of one stage, with the answers that it gave.
#[derive(Debug)]
pub(super) struct Authorizer {
    settings: TokenAuthorizer,
    /// The expression, made to match the whole value.
    validation: Option<Regex>,
    cache: Mutex<Cache>,
}

impl Authorizer {
    /// An authorizer with nothing kept yet. `name` is for messages.
    ///
    /// # Errors
    /// A header, an expression or a cache time that API Gateway would not take.
    pub(super) fn new(name: &str, settings: &TokenAuthorizer) -> Result<Self, GatewayError> {
        let name = || name.to_owned();
        if !is_header_name(&settings.identity_header) {
            return Err(GatewayError::IdentityHeader(name()));
        }
        if settings.cache_time > CACHE_TIME {
            return Err(GatewayError::CacheTime(name()));
        }
        let whole = |part: &Regex| Regex::new(&format!(r"\A(?:{part})\z"));
        let validation = settings.validation.as_ref().map(whole).transpose();
        let validation = validation.map_err(|_| GatewayError::Validation(name()))?;
        Ok(Self { settings: settings.clone(), validation, cache: Mutex::default() })
    }

    /// Lets a call through, or says why not. Leaves in `exchange` who called, and whether the function was.
    // INVARIANT: `Ok` comes only from a policy that allows the call's own method ARN.
    pub(super) async fn authorize(
        &self,
        exchange: &mut Exchange<'_>,
        functions: &dyn Invoke,
        clock: &(dyn Fn() -> SystemTime + Send + Sync),
    ) -> Result<(), Refusal> {
        let token = self.token(exchange).ok_or(Refusal::UNAUTHORIZED)?;
        let arn = exchange.method_arn();
        if arn.len() > METHOD_ARN_BYTES {
            return Err(Refusal::URI_TOO_LONG);
        }
        let kept = self.with_cache(|cache| cache.find(token, clock()));
        let answer = if let Some(answer) = kept {
            exchange.authorization = Authorization::Cached;
            answer
        } else {
            // Calls for the same token that run side by side each call the function, as API Gateway's do.
            let before = clock();
            let called = self.call(token, &arn, functions, &mut exchange.reason).await;
            let latency = clock().duration_since(before).unwrap_or_default();
            exchange.authorization = Authorization::Called { latency };
            let answer = Arc::new(called?);
            if !self.settings.cache_time.is_zero() {
                self.with_cache(|cache| {
                    cache.keep(token, Arc::clone(&answer), clock(), self.settings.cache_time);
                });
            }
            answer
        };
        let decision = answer.policy.evaluate(ACTION, &arn);
        exchange.caller = Some(answer);
        match decision {
            Decision::Allow => Ok(()),
            Decision::ExplicitDeny => Err(Refusal::EXPLICITLY_DENIED),
            Decision::ImplicitDeny => Err(Refusal::DENIED),
        }
    }

    /// The token, if there is exactly one and it is of the right form. Two headers are no token: which of them
    /// counts would be for somebody else to guess.
    fn token<'a>(&self, exchange: &Exchange<'a>) -> Option<&'a str> {
        let header = &self.settings.identity_header;
        let mut values =
            exchange.request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(header));
        let (_, token) = values.next().filter(|(_, token)| !token.is_empty())?;
        let is_only = values.next().is_none();
        let is_valid = self.validation.as_ref().is_none_or(|whole| whole.is_match(token));
        (is_only && is_valid).then_some(token)
    }

    /// Calls the function, and leaves the type of its error in `reason`.
    async fn call(
        &self,
        token: &str,
        arn: &str,
        functions: &dyn Invoke,
        reason: &mut Option<String>,
    ) -> Result<Answer, Refusal> {
        let event = json!({ "type": "TOKEN", "authorizationToken": token, "methodArn": arn });
        let event = event.to_string().into_bytes();
        let invoked = timeout(TIMEOUT, functions.invoke(&self.settings.function, event)).await;
        if let Ok(Err(InvokeError::Function { error_type, .. })) = &invoked
            && is_label(error_type)
        {
            *reason = Some(error_type.clone());
        }
        match invoked {
            Ok(Ok(answer)) => Answer::parse(&answer).ok_or(Refusal::AUTHORIZER_CONFIGURATION),
            Ok(Err(InvokeError::Function { error_message, .. })) if error_message == "Unauthorized" => {
                Err(Refusal::UNAUTHORIZED)
            }
            Ok(Err(InvokeError::Unavailable(_))) => Err(Refusal::AUTHORIZER_CONFIGURATION),
            Ok(Err(InvokeError::Function { .. } | InvokeError::TimedOut)) | Err(_) => {
                Err(Refusal::AUTHORIZER_FAILURE)
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

/// Whether a function's error type is a label and no text: only those are told on.
fn is_label(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_are_told_on() {
        assert!(is_label("expired") && is_label("Runtime.ExitError"));
        assert!(!is_label("Bearer eyJ") && !is_label(&"a".repeat(65)));
    }
}
