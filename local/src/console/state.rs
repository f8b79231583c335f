//! What the page shows beside the decisions: clients, routes, who may call what, usage, the issuer and the caches.

use access::{ScopeSet, Table};
use authorizer::{Authorizer, KeyStatus};
use gateway::rest::served::CachedAnswer;
use gateway::rest::{Standing, api::QuotaPeriod};
use serde::Serialize;

use super::Console;
use crate::clients::Clients;

/// A client, without its secret.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) id: String,
    /// For each route of the table, whether the client's scopes cover it.
    allowed: Vec<bool>,
}

#[derive(Serialize)]
struct State<'a> {
    run: &'a str,
    clients: Vec<Client<'a>>,
    routes: Vec<Route<'a>>,
    key_id: String,
    jwks_down: bool,
    cache: Cache<'a>,
}

/// The two caches: the gateway's of the authorizer's answers, and the authorizer's of keys.
#[derive(Serialize)]
struct Cache<'a> {
    calls: u64,
    hits: u64,
    /// The clients of cached answers, with the seconds for which each is reused.
    answers: Vec<(&'a str, u64)>,
    keys: usize,
    keys_age: Option<u64>,
    /// The seconds for which no keys are fetched.
    pause: Option<f64>,
}

/// As many cached answers as there is room for.
const ANSWERS: usize = 12;

#[derive(Serialize)]
struct Client<'a> {
    name: &'a str,
    /// The ids of the secrets that the issuer accepts, oldest first.
    secrets: Vec<String>,
    allowed: &'a [bool],
    /// `None` without a plan.
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Route<'a> {
    method: &'static str,
    path: &'a str,
    scopes: Vec<&'a str>,
}

#[derive(Serialize)]
struct Usage {
    plan: String,
    rate: Option<f64>,
    burst: Option<u32>,
    /// The requests that may come at once now.
    ready: Option<f64>,
    quota: Option<u64>,
    period: Option<&'static str>,
    left: Option<u64>,
    throttled: u64,
    over_quota: u64,
}

impl Known {
    pub(super) fn all(clients: &Clients, routes: Option<&Table>) -> Vec<Self> {
        let routes = routes.map_or(&[][..], Table::routes);
        let known = |(name, client): (&String, &crate::clients::Client)| {
            let held = ScopeSet::parse(client.scopes.join(" ")).ok();
            let covers = |route: &access::Route| held.as_ref().is_some_and(|held| route.is_covered_by(held));
            Self {
                name: name.clone(),
                id: client.client_id.clone(),
                allowed: routes.iter().map(covers).collect(),
            }
        };
        clients.0.iter().map(known).collect()
    }
}

impl Console {
    /// The state as JSON.
    pub(super) fn state(&self) -> String {
        let (standings, answers) = (self.gateway.standings(), self.gateway.cached_answers());
        let routes = self.routes.as_ref().map_or(&[][..], Table::routes).iter().map(|route| Route {
            method: route.method().as_str(),
            path: route.path(),
            scopes: route.scopes().iter().map(access::Scope::as_str).collect(),
        });
        let state = State {
            run: self.decisions.run(),
            clients: self
                .clients
                .iter()
                .map(|known| Client::of(known, self.issuer.secret_ids(&known.id), &standings))
                .collect(),
            routes: routes.collect(),
            key_id: self.issuer.key_id(),
            jwks_down: self.issuer.withholds(),
            cache: self.cache(&answers),
        };
        // Texts and numbers, which are always JSON.
        serde_json::to_string(&state).unwrap_or_default()
    }

    fn cache<'a>(&'a self, answers: &'a [CachedAnswer]) -> Cache<'a> {
        let name =
            |id: &'a str| self.clients.iter().find(|known| known.id == id).map_or(id, |known| &known.name);
        let answers = answers.iter().take(ANSWERS).map(|one| (name(&one.principal_id), one.left.as_secs()));
        let (calls, hits) = self.decisions.authorizations();
        let keys: Vec<KeyStatus> = self.authorizers.iter().flat_map(Authorizer::key_status).collect();
        Cache {
            calls,
            hits,
            answers: answers.collect(),
            keys: keys.iter().map(|status| status.keys).sum(),
            keys_age: keys.iter().filter_map(|status| status.age).max().map(|age| age.as_secs()),
            pause: keys.iter().filter_map(|status| status.pause).max().map(|pause| pause.as_secs_f64()),
        }
    }
}

impl<'a> Client<'a> {
    fn of(known: &'a Known, secrets: Vec<String>, standings: &[Standing]) -> Self {
        // An API key is a client's where its value is the client's id: that is what the authorizer names.
        let standing = standings.iter().find(|standing| standing.api_key == known.id);
        Self { name: &known.name, secrets, allowed: &known.allowed, usage: standing.map(Usage::of) }
    }
}

impl Usage {
    fn of(standing: &Standing) -> Self {
        let (throttle, quota) = (standing.throttle, standing.quota);
        Self {
            plan: standing.plan.clone(),
            rate: throttle.map(|(limit, _)| limit.rate),
            burst: throttle.map(|(limit, _)| limit.burst),
            ready: throttle.map(|(_, ready)| ready),
            quota: quota.map(|(quota, _)| quota.limit),
            period: quota.map(|(quota, _)| match quota.period {
                QuotaPeriod::Day => "day",
                QuotaPeriod::Week => "week",
                QuotaPeriod::Month => "month",
            }),
            left: quota.map(|(_, left)| left),
            throttled: standing.throttled,
            over_quota: standing.over_quota,
        }
    }
}
