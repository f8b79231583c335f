//! API keys and usage plans: whose request counts, and against which limits.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use super::{
    api::{Api, ApiKeySource, Quota, Throttle, UsagePlan},
    error::GatewayError,
    exchange::Exchange,
    refusal::Refusal,
    throttle::{Bucket, Counter},
};

/// The limits of one stage.
pub(super) struct Usage {
    source: ApiKeySource,
    stage: Option<Mutex<Bucket>>,
    /// The buckets of methods with a limit of their own, by verb and resource.
    methods: BTreeMap<(String, String), Mutex<Bucket>>,
    /// By the key's value. Only keys that are enabled and in a plan are here, so the table never grows.
    keys: BTreeMap<String, Mutex<Limits>>,
}

#[derive(Debug)]
struct Limits {
    plan: String,
    bucket: Option<Bucket>,
    counter: Option<Counter>,
    throttled: u64,
    over_quota: u64,
}

/// How an API key stands with its usage plan.
#[derive(Clone)]
pub struct Standing {
    /// The key's value.
    pub api_key: String,
    /// The plan's name.
    pub plan: String,
    /// Rate and burst, and the requests that may come at once now.
    pub throttle: Option<(Throttle, f64)>,
    /// The quota, and the requests that are left of it now.
    pub quota: Option<(Quota, u64)>,
    /// Requests that came too fast for the plan.
    pub throttled: u64,
    /// Requests that came when the quota was used up.
    pub over_quota: u64,
}

/// Shows no key: its value may be a secret.
impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Usage {
    /// Reads the keys and plans of `api`.
    ///
    /// # Errors
    /// A plan with a key that there is not, or that another plan has.
    pub(super) fn new(api: &Api) -> Result<Self, GatewayError> {
        let mut keys = BTreeMap::new();
        for plan in &api.usage_plans {
            for value in &plan.api_keys {
                let key = api.api_keys.iter().find(|key| key.value == *value);
                let key = key.ok_or_else(|| GatewayError::UnknownKey(plan.name.clone()))?;
                let limits = Mutex::new(Limits::new(plan));
                if key.enabled && keys.insert(value.clone(), limits).is_some() {
                    return Err(GatewayError::SharedKey(plan.name.clone()));
                }
            }
        }
        let bucket = |throttle| Mutex::new(Bucket::new(throttle));
        let methods =
            api.method_throttles.iter().map(|(method, throttle)| (method.clone(), bucket(*throttle)));
        let methods = methods.collect();
        Ok(Self { source: api.api_key_source, stage: api.throttle.map(bucket), methods, keys })
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
        let method = exchange.matched.as_ref().map(|matched| &matched.method);
        let own = method.and_then(|method| self.methods.get(&(method.verb.clone(), method.resource.clone())));
        let is_admitted = own
            .or(self.stage.as_ref())
            .is_none_or(|bucket| bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now));
        if is_admitted { Ok(()) } else { Err(Refusal::THROTTLED) }
    }

    /// How every key that counts stands now.
    pub(super) fn standings(&self, now: SystemTime) -> Vec<Standing> {
        let standing = |(key, limits): (&String, &Mutex<Limits>)| {
            let limits = limits.lock().unwrap_or_else(PoisonError::into_inner);
            let Limits { plan, bucket, counter, throttled, over_quota } = &*limits;
            Standing {
                api_key: key.clone(),
                plan: plan.clone(),
                throttle: bucket.as_ref().map(|bucket| (bucket.limit(), bucket.level(now))),
                quota: counter.as_ref().map(|counter| (counter.quota(), counter.left(now))),
                throttled: *throttled,
                over_quota: *over_quota,
            }
        };
        self.keys.iter().map(standing).collect()
    }
}

/// Shows no key.
impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Usage").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Limits {
    fn new(plan: &UsagePlan) -> Self {
        let (bucket, counter) = (plan.throttle.map(Bucket::new), plan.quota.map(Counter::new));
        Self { plan: plan.name.clone(), bucket, counter, throttled: 0, over_quota: 0 }
    }

    /// A request that is throttled does not count against the quota.
    fn take(&mut self, now: SystemTime) -> Result<(), Refusal> {
        if !self.bucket.as_mut().is_none_or(|bucket| bucket.take(now)) {
            self.throttled += 1;
            return Err(Refusal::THROTTLED);
        }
        if !self.counter.as_mut().is_none_or(|counter| counter.take(now)) {
            self.over_quota += 1;
            return Err(Refusal::QUOTA_EXCEEDED);
        }
        Ok(())
    }
}
