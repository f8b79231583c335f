//! `Request`: a request whose caller is authorized. Parameters, headers and the body are checked when they are read.

use std::{borrow::Cow, fmt};

use access::{Caller, Route};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::{Invocation, event::ProxyRequest};
use crate::{error::ApiError, id::Id, json, text::IdempotencyKey};

/// A request whose caller was checked.
pub struct Request<'a> {
    pub(super) event: &'a ProxyRequest,
    pub(super) route: &'static Route,
    pub(crate) caller: &'a Caller<'static>,
    pub(crate) invocation: &'a Invocation,
}

impl Request<'_> {
    /// The route that it matched.
    pub const fn route(&self) -> &'static Route {
        self.route
    }

    /// A parameter of the path, decoded; `None` for one that does not decode to UTF-8.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        decoded(self.event.path_parameters.as_ref()?.get(name)?)
    }

    /// A parameter of the query string.
    ///
    /// # Errors
    /// 400 where it is given twice.
    pub fn query(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        at_most_one(name, &self.event.query_values(name))
    }

    /// A parameter of the query string that may be given several times.
    pub fn queries(&self, name: &str) -> Vec<&str> {
        self.event.query_values(name)
    }

    /// A parameter of the query string that is a number from `least` to `most`.
    ///
    /// # Errors
    /// 400 where it is anything else.
    pub fn number(&self, name: &'static str, least: usize, most: usize) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.query(name)? else { return Ok(None) };
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.filter(|number| (least..=most).contains(number));
        number
            .map(Some)
            .ok_or_else(|| ApiError::invalid(name, format!("must be a number from {least} to {most}")))
    }

    /// A header, its name in any casing.
    ///
    /// # Errors
    /// 400 where it is sent twice.
    pub fn header(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        at_most_one(name, &self.event.header_values(name))
    }

    /// The `Idempotency-Key`.
    ///
    /// # Errors
    /// 400 if it is missing or malformed.
    pub fn idempotency_key(&self) -> Result<IdempotencyKey, ApiError> {
        const HEADER: &str = "Idempotency-Key";
        let key = self.header(HEADER)?.ok_or_else(|| ApiError::invalid(HEADER, "is missing"))?;
        IdempotencyKey::parse(key).map_err(|error| error.at(HEADER))
    }

    /// The id in the path, which log lines call `subject`.
    ///
    /// # Errors
    /// 404 for anything that is not an id.
    pub fn id(&self, subject: &'static str) -> Result<Id, ApiError> {
        let id = Id::parse(&self.parameter("id").unwrap_or_default()).map_err(|_| ApiError::not_found())?;
        self.invocation.about(subject, id);
        Ok(id)
    }

    /// The body, read strictly.
    ///
    /// # Errors
    /// 415 unless the content type is JSON, 413 if it is too large, 400 if it is not a `T`.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        if !self.header("Content-Type")?.is_some_and(is_json) {
            let message = "send the body as application/json";
            return Err(ApiError::refused(415, "unsupported_media_type", message).at("Content-Type"));
        }
        let body = self.event.body.as_deref().unwrap_or_default();
        if self.event.is_base64_encoded == Some(true) {
            let bytes = STANDARD.decode(body);
            let bytes =
                bytes.map_err(|_| ApiError::refused(400, "invalid_json", "the body is not valid base64"))?;
            json::parse(&bytes)
        } else {
            json::parse(body.as_bytes())
        }
    }
}

impl fmt::Debug for Request<'_> {
    /// Nothing that the caller sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("route", self.route).finish_non_exhaustive()
    }
}

/// Decodes a path parameter once. API Gateway hands it over as it was sent.
fn decoded(parameter: &str) -> Option<Cow<'_, str>> {
    // `percent_decode_str` leaves a percent sign alone that no two digits follow.
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    let is_encoded = parameter.split('%').skip(1).all(is_escape);
    if is_encoded { percent_decode_str(parameter).decode_utf8().ok() } else { None }
}

fn at_most_one<'a>(name: &'static str, values: &[&'a str]) -> Result<Option<&'a str>, ApiError> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        [_, _, ..] => Err(ApiError::invalid(name, "is given twice")),
    }
}

/// `application/json`, in UTF-8 where it says so.
// SPEC: RFC 9110 section 8.3.1
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some(_) => true,
            None => parameter.is_empty(),
        })
}

#[cfg(test)]
mod tests;
