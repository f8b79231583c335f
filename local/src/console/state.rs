//! Owns what the page shows beside the decisions: clients, routes, who may call what, usage, and the issuer.

use access::{ScopeSet, Table};
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
}

#[derive(Serialize)]
struct Client<'a> {
    name: &'a str,
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
        let standings = self.gateway.standings();
        let routes = self.routes.as_ref().map_or(&[][..], Table::routes).iter().map(|route| Route {
            method: route.method().as_str(),
            path: route.path(),
            scopes: route.scopes().iter().map(access::Scope::as_str).collect(),
        });
        let state = State {
            run: self.decisions.run(),
            clients: self.clients.iter().map(|known| Client::of(known, &standings)).collect(),
            routes: routes.collect(),
            key_id: self.issuer.key_id(),
            jwks_down: self.issuer.withholds(),
        };
        // Texts and numbers, which are always JSON.
        serde_json::to_string(&state).unwrap_or_default()
    }
}

impl<'a> Client<'a> {
    fn of(known: &'a Known, standings: &[Standing]) -> Self {
        // An API key is a client's where its value is the client's id: that is what the authorizer names.
        let standing = standings.iter().find(|standing| standing.api_key == known.id);
        Self { name: &known.name, allowed: &known.allowed, usage: standing.map(Usage::of) }
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
