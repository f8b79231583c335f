//! Requests and answers of everything that is served on the port: header names and the target as they were sent, the body
//! as bytes.

mod body;
mod connection;
mod head;
pub mod server;
mod write;

use std::{fmt, io, net::SocketAddr, time::SystemTime};

use futures_util::future::BoxFuture;

/// Where the time comes from.
pub type Clock = fn() -> SystemTime;

/// Answers what comes in on the port.
pub trait Handle: Send + Sync + 'static {
    /// Answers a request.
    fn answer(&self, request: Request) -> BoxFuture<'_, Response>;

    /// Returns the answer to bytes that are not a request; the connection closes after it.
    fn refuse(&self, refused: Refused, peer: SocketAddr) -> Response;
}

/// Why bytes are not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not HTTP/1.x, or of a shape that two readers could read differently.
    Malformed,
    /// Request line and headers are over 10,240 bytes, or more than a hundred headers.
    HeadTooLarge,
    /// The body is over 10 MB.
    BodyTooLarge,
    /// The request did not arrive in time.
    TooSlow,
    /// Another version than HTTP/1.0 and HTTP/1.1.
    Version,
    /// Another expectation than `100-continue`.
    Expectation,
}

/// Why a request or its body cannot be read.
#[derive(Debug)]
enum ReadError {
    Refused(Refused),
    Disconnected,
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Disconnected
    }
}

/// A request, complete with its body.
#[derive(Clone)]
pub struct Request {
    /// The verb, in the casing that was sent.
    pub method: String,
    /// The target in origin form, still encoded: `/orders/a%2Fb?date=2026-01-31`. Begins with a slash.
    pub target: String,
    /// Names and values as sent, in order.
    pub headers: Headers,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// Who sent it.
    pub peer: SocketAddr,
}

impl Request {
    /// The path, still encoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query string, still encoded; `None` without a question mark.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// Shows no header value, query or body: any of them may hold a token or a secret.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer. `Content-Length`, `Date` and `Connection` are added when it is written.
#[derive(Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, in the order in which they are written.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer with a body of type `application/json`.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let mut headers = Headers::default();
        headers.push("Content-Type", "application/json");
        Self { status, headers, body: body.into() }
    }

    /// The answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }
}

/// Shows no header value and no body: the issuer's answers are tokens.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Headers in order, a name as often as it was sent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a header behind the others. Characters that would break its line (controls, and in a name all
    /// that is no token) are left out.
    pub fn push(&mut self, name: &str, value: &str) {
        let name: String = name.chars().filter(|c| is_token(*c)).collect();
        let value: String = value.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        if !name.is_empty() {
            self.0.push((name, value));
        }
    }

    /// Takes out every header of that name, however cased.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The first value of that name, however cased.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every value of that name, however cased, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Shows names only.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Whether a string can be a header's name.
pub(crate) fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token)
}

// SPEC: RFC 9110 section 5.6.2, tchar
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_cannot_be_broken_by_what_is_put_into_them() {
        let mut headers = Headers::default();
        headers.push("X-A\r\nX-B", "one\r\nX-C: two\0\tthree");
        headers.push("\r\n", "no name left");
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("X-AX-B", "oneX-C: two\tthree")]);
    }

    #[test]
    fn names_are_found_however_cased_and_kept_as_sent() {
        let mut headers = Headers::default();
        headers.push("X_Weird-NAME", "1");
        headers.push("x_weird-name", "2");
        assert_eq!(headers.all("X_WEIRD-name").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(headers.first("x_weird-name"), Some("1"));
        assert_eq!(headers.iter().next(), Some(("X_Weird-NAME", "1")));
    }

    #[test]
    fn debug_output_shows_no_token() {
        let mut headers = Headers::default();
        headers.push("Authorization", "Bearer secret-token");
        let request = Request {
            method: "GET".into(),
            target: "/a?token=secret-token".into(),
            headers,
            body: b"secret-token".to_vec(),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
        };
        let response = Response::json(200, "secret-token").with_header("X", "secret-token");
        let shown = format!("{request:?} {:?} {response:?} {:?}", request.headers, response.headers);
        assert!(!shown.contains("secret-token"), "{shown}");
    }
}
