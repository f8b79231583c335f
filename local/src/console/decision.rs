//! One decision as the console shows it. It contains no token, and nothing else that a client could choose freely.

use std::{collections::BTreeMap, time::SystemTime};

use authorizer::Refusal;
use gateway::rest::served::{Authorization, Served};
use serde::Serialize;

use crate::access_log::milliseconds;

/// The claims that are shown.
const SHOWN: [&str; 4] = ["client_id", "scope", "exp", "jti"];

/// One decision of the gateway.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Decision {
    at_ms: u128,
    request_id: String,
    client: Option<String>,
    client_id: Option<String>,
    route: Option<String>,
    status: u16,
    outcome: &'static str,
    reason: Option<String>,
    /// What the reason means, where it is a refusal of the authorizer.
    meaning: Option<&'static str>,
    /// What the authorizer says of the token: claims, and no more of them than are shown.
    claims: BTreeMap<String, String>,
    /// Whether the authorizer's answer was cached, `None` where it was not asked.
    cached: Option<bool>,
    /// From the complete request to the answer.
    latency_ms: f64,
    /// The part of it that the authorizer took, where it was called.
    authorizer_ms: Option<f64>,
}

impl Decision {
    pub(super) fn new(served: &Served, client: Option<String>, at: SystemTime) -> Self {
        // A policy that does not allow the route: the authorizer's own log calls that insufficient scope.
        let is_denied = served.error_type == Some("AccessDeniedException");
        let reason = served.reason.clone().or_else(|| is_denied.then(|| "insufficient_scope".to_owned()));
        let (cached, authorizer) = match served.authorization {
            Authorization::None => (None, None),
            Authorization::Called { latency } => (Some(false), Some(latency)),
            Authorization::Cached => (Some(true), None),
        };
        let claims = served.context.iter().filter(|(name, _)| SHOWN.contains(&name.as_str()));
        let refusal = Refusal::ALL.iter().find(|refusal| reason.as_deref() == Some(refusal.label()));
        Self {
            request_id: served.request_id.clone(),
            meaning: refusal.map(|refusal| refusal.meaning()),
            claims: claims.map(|(name, value)| (name.clone(), value.clone())).collect(),
            at_ms: at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis(),
            client,
            client_id: served.principal_id.clone(),
            route: served.route.clone(),
            status: served.status,
            outcome: match (served.error_type, served.status) {
                (_, 500..) => "fault",
                (Some(_), _) | (None, 401 | 403) => "refused",
                (None, _) => "allowed",
            },
            reason: reason.or_else(|| served.error_type.map(str::to_owned)),
            cached,
            latency_ms: milliseconds(served.latency),
            authorizer_ms: authorizer.map(milliseconds),
        }
    }
}
