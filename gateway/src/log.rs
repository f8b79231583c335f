//! One line for each answer: what a person reads, or JSON.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::rest::served::{Authorization, Served};

#[derive(Serialize)]
struct Line<'a> {
    request_id: &'a str,
    route: Option<&'a str>,
    status: u16,
    /// Of the gateway's own answers: the type of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    /// The label with which the authorizer turned the caller away.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<&'a str>,
    authorizer: &'a str,
    latency_ms: u64,
}

/// Writes the line for `served` to standard output.
pub(crate) fn record(served: &Served, is_json: bool) {
    let text = line(served, is_json);
    // A closed standard output is no reason to stop.
    _ = io::stdout().lock().write_all(text.as_bytes());
}

fn line(served: &Served, is_json: bool) -> String {
    let line = Line {
        request_id: &served.request_id,
        route: served.route.as_deref(),
        status: served.status,
        error: served.error_type,
        reason: served.reason.as_deref(),
        detail: served.detail.as_deref(),
        principal_id: served.principal_id.as_deref(),
        authorizer: match served.authorization {
            Authorization::None => "none",
            Authorization::Called { .. } => "called",
            Authorization::Cached => "cached",
        },
        latency_ms: u64::try_from(served.latency.as_millis()).unwrap_or(u64::MAX),
    };
    if is_json {
        // A line of these types always has a JSON form.
        return serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default();
    }
    let route = line.route.unwrap_or("-");
    let mut text = format!("{} {route} {} ms, authorizer {}", line.status, line.latency_ms, line.authorizer);
    for part in [line.error, line.reason, line.detail].into_iter().flatten() {
        text.push_str(": ");
        text.extend(part.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_says_why() {
        let served = Served {
            request_id: "r-1".into(),
            route: Some("GET /orders".into()),
            status: 502,
            principal_id: Some("caller".into()),
            context: std::collections::BTreeMap::new(),
            authorization: Authorization::Cached,
            error_type: Some("InternalServerErrorException"),
            reason: None,
            detail: Some("the function's answer\nis malformed".into()),
            latency: Duration::from_millis(12),
        };
        assert_eq!(
            line(&served, false),
            "502 GET /orders 12 ms, authorizer cached: InternalServerErrorException: the function's answer is malformed\n"
        );
        insta::assert_snapshot!(line(&served, true), @r#"{"request_id":"r-1","route":"GET /orders","status":502,"error":"InternalServerErrorException","detail":"the function's answer\nis malformed","principal_id":"caller","authorizer":"cached","latency_ms":12}"#);
    }
}
