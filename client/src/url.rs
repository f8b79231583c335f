//! The addresses to which secrets and tokens may be sent: https, or http on loopback.

use std::{fmt, str::FromStr};

use reqwest::Url;

/// The address of a token endpoint or of an API: https, or http on loopback, with nothing but a host and a path.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl(Url);

impl ServiceUrl {
    /// The address with `path`, percent-encoded and starting with a slash, appended to its own path; `None` if
    /// `path` would not arrive as it is written.
    pub(crate) fn join(&self, path: &str) -> Option<Url> {
        let whole = format!("{}{path}", self.0.path().trim_end_matches('/'));
        let mut url = self.0.clone();
        url.set_path(&whole);
        // INVARIANT: a path is sent unchanged or not at all. The URL parser drops dot segments, so a `..` in an
        // id could otherwise reach another route.
        (path.starts_with('/') && url.path() == whole).then_some(url)
    }

    /// Whether it is on this machine.
    #[cfg(feature = "cli")]
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl FromStr for ServiceUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
        let is_plain_path = url.query().is_none() && url.fragment().is_none();
        if url.host_str().is_none_or(str::is_empty) || !is_plain_path {
            return Err(UrlError::Malformed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err(UrlError::Insecure),
        }
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a string is not a [`ServiceUrl`]. The string is not repeated: it may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Not an absolute URL of a host and a path alone.
    #[error("is not a URL of a host and a path")]
    Malformed,
    /// It holds a user name or a password.
    #[error("must not hold a user name or a password")]
    Credentials,
    /// Plain http to another machine, or another scheme.
    #[error("must be https (http is for loopback only)")]
    Insecure,
}

/// The URL parser has normalized every form of an IPv4 address (`127.1`, `0x7f.0.0.1`).
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_http_are_addresses() {
        let cases = [
            ("https://auth.example.com/oauth2/token", Ok(())),
            ("https://api.example.com:8443/prod/", Ok(())),
            ("http://127.0.0.1:3000", Ok(())),
            ("http://127.1:3000", Ok(())),
            ("http://[::1]:3000/x", Ok(())),
            ("http://localhost:3000", Ok(())),
            ("http://LOCALHOST:3000", Ok(())),
            ("http://auth.example.com/oauth2/token", Err(UrlError::Insecure)),
            ("http://127.0.0.1.example.com", Err(UrlError::Insecure)),
            ("http://localhost.example.com", Err(UrlError::Insecure)),
            ("http://128.0.0.1", Err(UrlError::Insecure)),
            ("http://0.0.0.0:3000", Err(UrlError::Insecure)),
            ("http://169.254.169.254/latest", Err(UrlError::Insecure)),
            ("ftp://127.0.0.1/x", Err(UrlError::Insecure)),
            ("https://user@example.com", Err(UrlError::Credentials)),
            ("https://:secret@example.com", Err(UrlError::Credentials)),
            ("http://127.0.0.1@example.com", Err(UrlError::Credentials)),
            ("https://example.com/?key=1", Err(UrlError::Malformed)),
            ("https://example.com/#x", Err(UrlError::Malformed)),
            ("file:///etc/passwd", Err(UrlError::Malformed)),
            ("example.com", Err(UrlError::Malformed)),
            ("", Err(UrlError::Malformed)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<ServiceUrl>().map(|_| ()), expected, "{text}");
        }
    }

    #[test]
    fn a_path_is_joined_to_the_letter_or_refused() {
        let cases = [
            ("https://a.example", "/orders", Some("https://a.example/orders")),
            ("https://a.example/prod", "/orders/1", Some("https://a.example/prod/orders/1")),
            ("https://a.example/prod/", "/x%2Fy%3F", Some("https://a.example/prod/x%2Fy%3F")),
            ("https://a.example", "/", Some("https://a.example/")),
            ("https://a.example", "orders", None),
            ("https://a.example", "", None),
            ("https://a.example/prod", "/../admin", None),
            ("https://a.example/prod", "/orders/..", None),
            ("https://a.example/prod", "/orders/%2e%2E", None),
            ("https://a.example/prod", "/orders/./1", None),
            ("https://a.example", "/orders?date=1", None),
            ("https://a.example", "/orders#1", None),
            ("https://a.example", "/or ders", None),
            ("https://a.example", "/orders\\..\\x", None),
            ("https://a.example", "/orders\n", None),
            ("https://a.example", "/käse", None),
        ];
        for (base, path, expected) in cases {
            let joined = base.parse::<ServiceUrl>().unwrap().join(path);
            assert_eq!(joined.as_ref().map(Url::as_str), expected, "{base} + {path}");
        }
    }
}
