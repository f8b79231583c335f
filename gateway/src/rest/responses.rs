//! Gateway responses: the gateway's own answers in the form that the template gives them.

mod expression;

use std::collections::BTreeMap;

use self::expression::{Body, Piece};
use super::{
    api::Api,
    error::GatewayError,
    exchange::Exchange,
    refusal::{ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, Refusal, TYPES},
};
use crate::http::{Response, is_header_name};

/// The gateway responses that the template changes.
#[derive(Debug)]
pub(super) struct Responses(BTreeMap<&'static str, Custom>);

#[derive(Debug)]
struct Custom {
    status: Option<u16>,
    headers: Vec<(String, Piece)>,
    /// With its media type.
    body: Option<(String, Body)>,
}

impl Responses {
    /// Reads the gateway responses of `api`.
    ///
    /// # Errors
    /// A type that there is not, and an expression or template with more in it than can be honoured.
    pub(super) fn new(api: &Api) -> Result<Self, GatewayError> {
        let mut responses = BTreeMap::new();
        for (name, response) in &api.responses {
            let kind = TYPES.into_iter().find(|kind| kind == name);
            let kind = kind.ok_or_else(|| GatewayError::ResponseType(name.clone()))?;
            let mut headers = Vec::new();
            for (header, text) in &response.headers {
                let mapping = if is_header_name(header) { Piece::parse(text) } else { None };
                let mapping = mapping.ok_or_else(|| GatewayError::ResponseHeader {
                    response: name.clone(),
                    header: header.clone(),
                })?;
                headers.push((header.clone(), mapping));
            }
            let json = response.templates.get_key_value("application/json");
            let body = match json.or_else(|| response.templates.first_key_value()) {
                None => None,
                Some((media_type, text)) => {
                    let body = Body::parse(media_type, text);
                    let body = body.ok_or_else(|| GatewayError::ResponseTemplate(name.clone()))?;
                    Some((media_type.clone(), body))
                }
            };
            responses.insert(kind, Custom { status: response.status, headers, body });
        }
        Ok(Self(responses))
    }

    /// The answer that `refusal` makes of this exchange.
    pub(super) fn render(&self, refusal: &Refusal, exchange: &Exchange<'_>) -> Response {
        let (custom, status) = (self.custom(refusal), self.status(refusal));
        let mut response = match custom.and_then(|custom| custom.body.as_ref()) {
            None => Response::json(status, default_body(refusal)),
            Some((media_type, body)) => {
                let mut response = Response::json(status, body.render(refusal, exchange));
                response.headers.remove("Content-Type");
                response.with_header("Content-Type", media_type)
            }
        };
        response.headers.push("x-amzn-ErrorType", refusal.error_type);
        for (name, mapping) in custom.iter().flat_map(|custom| &custom.headers) {
            if let Some(value) = mapping.value(refusal, exchange) {
                response.headers.remove(name);
                response.headers.push(name, &value);
            }
        }
        response
    }

    /// The status of that answer.
    pub(super) fn status(&self, refusal: &Refusal) -> u16 {
        self.custom(refusal).and_then(|custom| custom.status).unwrap_or(refusal.status)
    }

    /// What the template says of the refusal's type. A type without an entry takes all of its family's, the status
    /// included.
    fn custom(&self, refusal: &Refusal) -> Option<&Custom> {
        let family = if refusal.status < 500 { DEFAULT_4XX } else { DEFAULT_5XX };
        self.0.get(refusal.kind).or_else(|| self.0.get(family))
    }
}

/// `{"message":…}`; of a policy's denial API Gateway writes it with a capital letter.
fn default_body(refusal: &Refusal) -> String {
    let name = if refusal.kind == ACCESS_DENIED { "Message" } else { "message" };
    serde_json::json!({ name: refusal.message }).to_string()
}

#[cfg(test)]
mod tests;
