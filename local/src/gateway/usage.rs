//! Owns API keys and usage plans: whose request counts, and against which limits.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use super::{
    api::{Api, ApiKeySource, Throttle, UsagePlan},
    error::GatewayError,
    exchange::Exchange,
    refusal::Refusal,
    throttle::{Bucket, Counter},
};

/// The limits of one stage.
pub(super) struct Usage {
    source: ApiKeySource,
    stage: Option<Mutex<Bucket>>,
    /// By the key's value. Only keys that are enabled and in a plan are here, so the table never grows.
    keys: BTreeMap<String, Mutex<Limits>>,
}

#[derive(Debug)]
struct Limits {
    bucket: Option<Bucket>,
    counter: Option<Counter>,
}

impl Usage {
    /// Reads the keys and plans of `api`.
    ///
    /// # Errors
    /// A plan with a key that there is not, or that another plan has, and a throttle that is none.
    pub(super) fn new(api: &Api) -> Result<Self, GatewayError> {
        let mut keys = BTreeMap::new();
        for plan in &api.usage_plans {
            for value in &plan.api_keys {
                let key = api.api_keys.iter().find(|key| key.value == *value);
                let key = key.ok_or_else(|| GatewayError::UnknownKey(plan.name.clone()))?;
                let limits = Mutex::new(Limits::new(plan)?);
                if key.enabled && keys.insert(value.clone(), limits).is_some() {
                    return Err(GatewayError::SharedKey(plan.name.clone()));
                }
            }
        }
        let stage = api.throttle.map(|throttle| bucket(&api.stage, throttle)).transpose()?;
        Ok(Self { source: api.api_key_source, stage: stage.map(Mutex::new), keys })
    }

    /// Counts a request, or says why it may not go on. Leaves the API key in `exchange` where one is required.
    pub(super) fn admit(&self, exchange: &mut Exchange<'_>, now: SystemTime) -> Result<(), Refusal> {
        if exchange.matched.as_ref().is_some_and(|matched| matched.method.api_key_required) {
            let key = match self.source {
                ApiKeySource::Header => exchange.request.headers.first("x-api-key"),
                ApiKeySource::Authorizer => {
                    exchange.caller.as_ref().and_then(|caller| caller.usage_identifier_key.as_deref())
                }
            };
            let (key, limits) =
                key.and_then(|key| self.keys.get_key_value(key)).ok_or(Refusal::INVALID_API_KEY)?;
            exchange.api_key = Some(key.clone());
            limits.lock().unwrap_or_else(PoisonError::into_inner).take(now)?;
        }
        let is_admitted = self
            .stage
            .as_ref()
            .is_none_or(|bucket| bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now));
        if is_admitted { Ok(()) } else { Err(Refusal::THROTTLED) }
    }
}

/// Shows no key.
impl std::fmt::Debug for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Usage").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Limits {
    fn new(plan: &UsagePlan) -> Result<Self, GatewayError> {
        let bucket = plan.throttle.map(|throttle| bucket(&plan.name, throttle)).transpose()?;
        Ok(Self { bucket, counter: plan.quota.map(Counter::new) })
    }

    /// A request that is throttled does not count against the quota.
    fn take(&mut self, now: SystemTime) -> Result<(), Refusal> {
        if !self.bucket.as_mut().is_none_or(|bucket| bucket.take(now)) {
            return Err(Refusal::THROTTLED);
        }
        if !self.counter.as_mut().is_none_or(|counter| counter.take(now)) {
            return Err(Refusal::QUOTA_EXCEEDED);
        }
        Ok(())
    }
}

fn bucket(name: &str, throttle: Throttle) -> Result<Bucket, GatewayError> {
    Bucket::new(throttle).ok_or_else(|| GatewayError::Throttle(name.to_owned()))
}
