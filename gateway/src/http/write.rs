//! Answers on the wire.

use std::{fmt::Write as _, time::SystemTime};

use super::Response;

/// Turns an answer into bytes. `with_body` is off for HEAD.
pub(super) fn encode(response: &Response, with_body: bool, keep_alive: bool, now: SystemTime) -> Vec<u8> {
    // SPEC: RFC 9110 sections 6.4.1 and 8.6: these have no body, and a 204 no length either
    let is_bodiless = matches!(response.status, 204 | 304);
    let reason = http::StatusCode::from_u16(response.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    let mut head = String::new();
    // Writing to a string cannot fail.
    let _ = write!(head, "HTTP/1.1 {} {reason}\r\n", response.status);
    for (name, value) in response.headers.iter().filter(|(name, _)| !is_ours(name)) {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if let Some(date) = http_date(now) {
        let _ = write!(head, "Date: {date}\r\n");
    }
    if !is_bodiless {
        let _ = write!(head, "Content-Length: {}\r\n", response.body.len());
    }
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let _ = write!(head, "Connection: {connection}\r\n\r\n");
    let mut bytes = head.into_bytes();
    if with_body && !is_bodiless {
        bytes.extend_from_slice(&response.body);
    }
    bytes
}

/// Headers that describe the connection; a handler cannot set them.
fn is_ours(name: &str) -> bool {
    ["Connection", "Content-Length", "Date", "Keep-Alive", "Transfer-Encoding"]
        .iter()
        .any(|ours| ours.eq_ignore_ascii_case(name))
}

fn http_date(now: SystemTime) -> Option<String> {
    let now = jiff::Timestamp::try_from(now).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn text(response: &Response, with_body: bool, keep_alive: bool) -> String {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        String::from_utf8(encode(response, with_body, keep_alive, now)).unwrap().replace('\r', "")
    }

    #[test]
    fn an_answer_is_written_with_its_length_and_date() {
        let response = Response::json(404, "{}").with_header("connection", "upgrade").with_header("X-A", "1");
        insta::assert_snapshot!(text(&response, true, true), @r"
        HTTP/1.1 404 Not Found
        Content-Type: application/json
        X-A: 1
        Date: Sun, 06 Nov 1994 08:49:37 GMT
        Content-Length: 2
        Connection: keep-alive

        {}
        ");
    }

    #[test]
    fn head_and_204_have_no_body() {
        assert!(
            text(&Response::json(200, "{}"), false, true)
                .ends_with("Content-Length: 2\nConnection: keep-alive\n\n")
        );
        let empty = text(&Response::json(204, "{}"), true, false);
        assert!(empty.ends_with("Connection: close\n\n") && !empty.contains("Content-Length"), "{empty}");
    }

    #[test]
    fn an_unknown_status_has_no_reason() {
        assert!(text(&Response::json(599, "{}"), true, true).starts_with("HTTP/1.1 599 \n"));
    }
}
