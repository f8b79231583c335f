//! One REST API as the gateway serves it: what a deployment would have created.

use std::{collections::BTreeMap, fmt, time::Duration};

use regex::Regex;

/// One stage of one REST API.
#[derive(Clone, Debug)]
pub struct Api {
    /// `aws`, `aws-cn`, …
    pub partition: String,
    /// The region that method ARNs name.
    pub region: String,
    /// The account that method ARNs name, twelve digits.
    pub account_id: String,
    /// The API's id.
    pub api_id: String,
    /// The stage's name.
    pub stage: String,
    /// Every method of every resource.
    pub methods: Vec<ApiMethod>,
    /// The authorizers by the name that methods use.
    pub authorizers: BTreeMap<String, LambdaAuthorizer>,
    /// What the template says of gateway responses, by type (`UNAUTHORIZED`, `DEFAULT_4XX`, …).
    pub responses: BTreeMap<String, GatewayResponse>,
    /// Media types whose bodies travel as base64; `*/*` stands for all.
    pub binary_media_types: Vec<String>,
    /// Where a method that requires an API key takes it from.
    pub api_key_source: ApiKeySource,
    /// The API keys of all usage plans.
    pub api_keys: Vec<ApiKey>,
    /// The usage plans of this stage.
    pub usage_plans: Vec<UsagePlan>,
    /// The stage's own limit, shared by all callers.
    pub throttle: Option<Throttle>,
    /// The limits of single methods in place of the stage's, by verb and resource.
    pub method_throttles: BTreeMap<(String, String), Throttle>,
    /// The stage's variables.
    pub stage_variables: BTreeMap<String, String>,
}

/// One method of one resource.
#[derive(Clone, Debug)]
pub struct ApiMethod {
    /// The verb, or `ANY`.
    pub verb: String,
    /// The resource's path: `/orders/{id}`.
    pub resource: String,
    /// Who may call it.
    pub access: Access,
    /// Whether a caller must have an API key.
    pub api_key_required: bool,
    /// What answers.
    pub integration: Integration,
}

impl ApiMethod {
    /// The name of its authorizer, if it has one that is played.
    pub fn authorizer(&self) -> Option<&str> {
        match &self.access {
            Access::Authorizer(name) => Some(name),
            Access::Open | Access::NotPlayed(_) => None,
        }
    }

    /// The name of its function, if it has one.
    pub fn function(&self) -> Option<&str> {
        match &self.integration {
            Integration::Function { name, .. } => Some(name),
            Integration::Mock(_) | Integration::NotPlayed(_) => None,
        }
    }
}

/// Who may call a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Open,
    /// Whom the authorizer of that name in [`Api::authorizers`] lets in.
    Authorizer(String),
    /// Nobody: its authorizer is of a kind that is not played, for this reason. The answer is 500.
    NotPlayed(&'static str),
}

/// What answers a method.
#[derive(Clone, Debug)]
pub enum Integration {
    /// A function, by Lambda proxy integration.
    Function {
        /// The name under which it is invoked.
        name: String,
        /// How long it may take; API Gateway waits 29 s at most.
        timeout: Duration,
    },
    /// The gateway itself, the same each time.
    Mock(Mock),
    /// Nothing: an integration of a kind that is not played, and this says why. The answer is 500.
    NotPlayed(&'static str),
}

/// The answer of a mock integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mock {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body, of type `application/json`.
    pub body: String,
}

/// A Lambda authorizer.
#[derive(Clone, Debug)]
pub struct LambdaAuthorizer {
    /// The name under which the function is invoked.
    pub function: String,
    /// What a caller must send, and what the function sees of it.
    pub identity: Identity,
    /// How long an answer is cached for its identity; zero switches the cache off.
    pub cache_time: Duration,
}

/// What an authorizer goes by.
#[derive(Clone, Debug)]
pub enum Identity {
    /// TOKEN: one header.
    Token {
        /// The header that carries the token, `Authorization` unless the template says otherwise.
        header: String,
        /// What the header value must match before the function is called; anchored at both ends.
        validation: Option<Regex>,
    },
    /// REQUEST: the whole request but its body. Each of the sources must be there; their values, in order, are the key
    /// of the cache.
    Request(Vec<IdentitySource>),
}

/// A part of a request that a REQUEST authorizer goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// `method.request.header.…`
    Header(String),
    /// `method.request.querystring.…`
    QueryString(String),
    /// `stageVariables.…`
    StageVariable(String),
    /// `context.…`
    Context(String),
}

/// One entry of `GatewayResponses`.
#[derive(Clone, Debug, Default)]
pub struct GatewayResponse {
    /// The status, where the template changes it.
    pub status: Option<u16>,
    /// Header names and their mapping expressions: `'literal'`, `context.…` or `method.request.…`.
    pub headers: BTreeMap<String, String>,
    /// Body templates by media type, with `$context` variables.
    pub templates: BTreeMap<String, String>,
}

/// Where API keys come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiKeySource {
    /// The `x-api-key` header.
    #[default]
    Header,
    /// The authorizer's `usageIdentifierKey`.
    Authorizer,
}

/// One API key.
#[derive(Clone)]
pub struct ApiKey {
    /// The key's value.
    pub value: String,
    /// A key that is not enabled is treated as unknown.
    pub enabled: bool,
}

/// Shows no value: a key may be a secret.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

/// Limits for the API keys in it, each key counted by itself.
#[derive(Clone)]
pub struct UsagePlan {
    /// The plan's name, for messages.
    pub name: String,
    /// The values of its API keys.
    pub api_keys: Vec<String>,
    /// Rate and burst.
    pub throttle: Option<Throttle>,
    /// So many requests a period.
    pub quota: Option<Quota>,
}

/// Shows how many keys there are, and none of them.
impl fmt::Debug for UsagePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsagePlan")
            .field("name", &self.name)
            .field("api_keys", &self.api_keys.len())
            .field("throttle", &self.throttle)
            .field("quota", &self.quota)
            .finish()
    }
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttle {
    /// Requests a second that flow back into the bucket.
    pub rate: f64,
    /// The bucket's size.
    pub burst: u32,
}

/// A number of requests for each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests a period.
    pub limit: u64,
    /// The requests to take off the first period.
    pub offset: u64,
    /// The period's length.
    pub period: QuotaPeriod,
}

/// The periods that a quota can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaPeriod {
    /// From midnight UTC.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
}
