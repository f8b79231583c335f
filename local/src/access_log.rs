//! The gateway's log line. At the level `INFO` there is one only where the gateway answered by itself: a function
//! logs its own answers.

use std::time::{Duration, SystemTime};

use access::log::{Level, Log};
use gateway::rest::served::{Authorization, Served};
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    request_id: &'a str,
    gateway: &'a str,
    status: u16,
    route: Option<&'a str>,
    client_id: Option<&'a str>,
    reason: Option<&'a str>,
    /// Why the answer is a 500 or 502 of the gateway's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    authorizer: Option<&'a str>,
    authorizer_ms: Option<f64>,
    latency_ms: f64,
}

/// Writes the line for `served`.
pub(crate) fn record(log: &Log, served: &Served, at: SystemTime) {
    let (authorizer, authorizer_ms) = match served.authorization {
        Authorization::None => (None, None),
        Authorization::Called { latency } => (Some("called"), Some(milliseconds(latency))),
        Authorization::Cached => (Some("cached"), None),
    };
    let line = Line {
        request_id: &served.request_id,
        gateway: served.error_type.unwrap_or("answered"),
        status: served.status,
        route: served.route.as_deref(),
        client_id: served.principal_id.as_deref(),
        reason: served.reason.as_deref(),
        detail: served.detail.as_deref(),
        authorizer,
        authorizer_ms,
        latency_ms: milliseconds(served.latency),
    };
    let level = if served.error_type.is_some() { Level::Info } else { Level::Debug };
    log.record(level, at, &line);
}

/// With two decimals.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        sync::{Arc, Mutex},
        time::UNIX_EPOCH,
    };

    use super::*;

    fn line(level: &str, error_type: Option<&'static str>) -> String {
        let written = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&written);
        let vars = |name: &str| (name == "AWS_LAMBDA_LOG_LEVEL").then(|| level.to_owned());
        let log = Log::from_vars(vars, move |line| sink.lock().unwrap().push_str(line));
        let served = Served {
            request_id: "r-1".into(),
            route: Some("GET /inventory".into()),
            status: 403,
            principal_id: Some("7abc".into()),
            context: BTreeMap::new(),
            authorization: Authorization::Cached,
            error_type,
            reason: None,
            detail: None,
            latency: Duration::from_micros(1234),
        };
        record(&log, &served, UNIX_EPOCH);
        written.lock().unwrap().clone()
    }

    #[test]
    fn the_gateways_own_answers_are_told_and_all_when_debugging() {
        insta::assert_snapshot!(line("INFO", Some("AccessDeniedException")), @r#"INFO authorizer=cached client_id=7abc gateway=AccessDeniedException latency_ms=1.23 request_id=r-1 route="GET /inventory" status=403"#);
        assert_eq!(line("INFO", None), "");
        assert!(line("DEBUG", None).starts_with("DEBUG authorizer=cached client_id=7abc gateway=answered"));
    }
}
