//! The request line and the headers: what is refused, how the body is framed, whether the connection stays open. Strict
//! where two readers could disagree about where a request ends.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{Headers, ReadError, Refused};

/// Request line and headers together, the closing empty line included.
// SPEC: Amazon API Gateway, quotas for a REST API: 10,240 bytes of request line and header values
const HEAD_BYTES: usize = 10_240;
const HEADER_COUNT: usize = 100;

/// Reads a request's head with the empty line that ends it. An empty line before it is skipped.
///
/// # Errors
/// [`Refused::Malformed`] as soon as a byte arrives that no head can have: a TLS hello or lines that end in a bare line
/// feed would otherwise keep their client waiting until the time for the head is over.
// SPEC: RFC 9112 section 2.2 lets a server refuse bare CR, and take or refuse bare LF
pub(super) async fn read<R: AsyncBufRead + Unpin>(source: &mut R) -> Result<Vec<u8>, ReadError> {
    let (mut head, mut is_begun) = (Vec::new(), false);
    loop {
        let there = source.fill_buf().await?;
        if there.is_empty() {
            return Err(ReadError::Disconnected);
        }
        let mut taken = 0;
        for &byte in there {
            taken += 1;
            if head.len() == HEAD_BYTES {
                return Err(ReadError::Refused(Refused::HeadTooLarge));
            }
            let is_in_line = (byte == b'\n') == (head.last() == Some(&b'\r'));
            if !is_in_line || (byte.is_ascii_control() && !b"\r\n\t".contains(&byte)) {
                return Err(ReadError::Refused(Refused::Malformed));
            }
            head.push(byte);
            if head == b"\r\n" && !is_begun {
                head.clear();
            }
            is_begun |= byte == b'\n';
            if head.ends_with(b"\r\n\r\n") {
                source.consume(taken);
                return Ok(head);
            }
        }
        source.consume(taken);
    }
}

/// A request without its body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Headers,
    pub(super) framing: Framing,
    pub(super) expects_continue: bool,
    pub(super) keep_alive: bool,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

impl Head {
    /// Reads a head that ends with its empty line and holds nothing behind it. [`read`] has let no bare line feed pass,
    /// which httparse takes for the end of a line.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let mut slots = [httparse::EMPTY_HEADER; HEADER_COUNT];
        let mut parsed = httparse::Request::new(&mut slots);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(Refused::HeadTooLarge),
            Err(httparse::Error::Version) => return Err(Refused::Version),
            Ok(_) | Err(_) => return Err(Refused::Malformed),
        }
        let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
            return Err(Refused::Malformed);
        };
        let is_http_11 = version == 1;
        let mut headers = Headers::default();
        for header in parsed.headers.iter() {
            // Values outside UTF-8 have no place in a JSON event.
            let value = std::str::from_utf8(header.value).map_err(|_| Refused::Malformed)?;
            headers.push(header.name, value);
        }
        let hosts = headers.all("Host").count();
        // SPEC: RFC 9112 section 3.2
        if hosts > 1 || (is_http_11 && hosts == 0) {
            return Err(Refused::Malformed);
        }
        let framing = framing(&headers, is_http_11)?;
        let expects_continue = match headers.first("Expect") {
            Some(value) if is_http_11 && value.eq_ignore_ascii_case("100-continue") => true,
            Some(_) if is_http_11 => return Err(Refused::Expectation),
            Some(_) | None => false,
        };
        let wants_close = headers
            .all("Connection")
            .flat_map(|value| value.split(','))
            .any(|option| option.trim().eq_ignore_ascii_case("close"));
        Ok(Self {
            method: method.to_owned(),
            target: origin_form(target)?,
            framing,
            expects_continue,
            // HTTP/1.0 is answered and closed, whatever it asks for.
            keep_alive: is_http_11 && !wants_close,
            headers,
        })
    }
}

/// The body's framing; every doubtful shape is refused rather than repaired.
// SPEC: RFC 9112 section 6.3
fn framing(headers: &Headers, is_http_11: bool) -> Result<Framing, Refused> {
    let mut encodings = headers.all("Transfer-Encoding");
    let mut lengths = headers.all("Content-Length");
    match (encodings.next(), encodings.next(), lengths.next(), lengths.next()) {
        (None, _, None, _) => Ok(Framing::Length(0)),
        (None, _, Some(length), None) => {
            let is_number = (1..=18).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
            let length = if is_number { length.parse().ok() } else { None };
            length.map(Framing::Length).ok_or(Refused::Malformed)
        }
        (Some(encoding), None, None, _) if is_http_11 && encoding.eq_ignore_ascii_case("chunked") => {
            Ok(Framing::Chunked)
        }
        // Both at once, either twice, another coding, or chunks in HTTP/1.0.
        _ => Err(Refused::Malformed),
    }
}

/// The target in origin form; of an absolute target the path and query stay.
// SPEC: RFC 9112 section 3.2
fn origin_form(target: &str) -> Result<String, Refused> {
    if !target.is_ascii() || target.contains('#') {
        return Err(Refused::Malformed);
    }
    if target.starts_with('/') {
        return Ok(target.to_owned());
    }
    let (scheme, rest) = target.split_once("://").ok_or(Refused::Malformed)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(Refused::Malformed);
    }
    let authority_length = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_length);
    match path {
        _ if authority.is_empty() || authority.contains('@') => Err(Refused::Malformed),
        path if path.starts_with('/') => Ok(path.to_owned()),
        query => Ok(format!("/{query}")),
    }
}

#[cfg(test)]
mod tests;
