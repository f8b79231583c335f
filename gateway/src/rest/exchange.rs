//! What is known of one request while it is answered: what `$context` and the proxy event are made of.

use std::{sync::Arc, time::SystemTime};

use super::{
    answer::Answer,
    api::{Api, IdentitySource},
    query,
    router::Matched,
    served::Authorization,
};
use crate::http::Request;

/// One request and what was found out about it so far.
pub(super) struct Exchange<'a> {
    pub(super) api: &'a Api,
    pub(super) request: &'a Request,
    /// A UUID.
    pub(super) request_id: String,
    pub(super) started: SystemTime,
    /// Known once a route was found.
    pub(super) matched: Option<Matched>,
    /// Known once the authorizer has answered; a 401 has none.
    pub(super) caller: Option<Arc<Answer>>,
    pub(super) authorization: Authorization,
    /// The API key's value, on methods that require one.
    pub(super) api_key: Option<String>,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(api: &'a Api, request: &'a Request, request_id: String, started: SystemTime) -> Self {
        Self {
            api,
            request,
            request_id,
            started,
            matched: None,
            caller: None,
            authorization: Authorization::None,
            api_key: None,
        }
    }

    /// The ARN that the authorizer is asked about and that its policy is evaluated for: the path as it was sent,
    /// still encoded and with its trailing slash, never the route's template.
    pub(super) fn method_arn(&self) -> String {
        let Api { partition, region, account_id, api_id, stage, .. } = self.api;
        let (verb, path) = (&self.request.method, self.request.path());
        format!("arn:{partition}:execute-api:{region}:{account_id}:{api_id}/{stage}/{verb}{path}")
    }

    /// The resource's path, empty where no route was found.
    pub(super) fn resource_path(&self) -> &str {
        self.matched.as_ref().map_or("", |matched| &matched.method.resource)
    }

    /// The path with the stage before it.
    pub(super) fn stage_path(&self) -> String {
        format!("/{}{}", self.api.stage, self.request.path())
    }

    /// An id that is the same for the same resource.
    pub(super) fn resource_id(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.resource_path().as_bytes());
        let number =
            digest.as_ref().iter().take(3).fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        format!("{number:06x}")
    }

    /// The host name that the API would have.
    pub(super) fn domain_name(&self) -> String {
        let Api { partition, region, api_id, .. } = self.api;
        let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("{api_id}.execute-api.{region}.{suffix}")
    }

    /// API Gateway's second id of a request, here made from the first.
    pub(super) fn extended_request_id(&self) -> String {
        let letters: String = self.request_id.chars().filter(|c| *c != '-').take(15).collect();
        format!("{letters}=")
    }

    /// What the client sent as `X-Amzn-Trace-Id`, or a new one.
    pub(super) fn trace_id(&self) -> String {
        self.request.headers.first("X-Amzn-Trace-Id").map_or_else(
            || {
                let random: String = self.request_id.chars().filter(|c| *c != '-').take(24).collect();
                format!("Root=1-{:08x}-{random}", self.epoch_ms() / 1000)
            },
            str::to_owned,
        )
    }

    /// Milliseconds since 1970.
    pub(super) fn epoch_ms(&self) -> u64 {
        let elapsed = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// `21/Nov/2026:01:00:00 +0000`.
    pub(super) fn request_time(&self) -> String {
        jiff::Timestamp::try_from(self.started)
            .map(|time| time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string())
            .unwrap_or_default()
    }

    /// A `$context` variable by its name behind `$context.`, where it has a value.
    pub(super) fn context(&self, name: &str) -> Option<String> {
        let caller = |key: &str| {
            let caller = self.caller.as_ref()?;
            if key == "principalId" { Some(&caller.principal_id) } else { caller.context.get(key) }.cloned()
        };
        match name {
            "accountId" => Some(self.api.account_id.clone()),
            "apiId" | "domainPrefix" => Some(self.api.api_id.clone()),
            "domainName" => Some(self.domain_name()),
            "extendedRequestId" => Some(self.extended_request_id()),
            "httpMethod" => Some(self.request.method.clone()),
            "identity.apiKey" => self.api_key.clone(),
            "identity.sourceIp" => Some(self.request.peer.ip().to_string()),
            "identity.userAgent" => self.request.headers.first("User-Agent").map(str::to_owned),
            "path" => Some(self.stage_path()),
            "protocol" => Some("HTTP/1.1".to_owned()),
            "requestId" => Some(self.request_id.clone()),
            "requestTime" => Some(self.request_time()),
            "requestTimeEpoch" => Some(self.epoch_ms().to_string()),
            "resourceId" => Some(self.resource_id()),
            "resourcePath" => Some(self.resource_path().to_owned()),
            "stage" => Some(self.api.stage.clone()),
            name => name.strip_prefix("authorizer.").and_then(caller),
        }
    }

    /// The values of an authorizer's identity source, in order.
    pub(super) fn identity(&self, source: &IdentitySource) -> Vec<String> {
        match source {
            IdentitySource::Header(name) => self.request.headers.all(name).map(str::to_owned).collect(),
            IdentitySource::QueryString(name) => {
                let pairs = query::pairs(self.request.query().unwrap_or_default());
                pairs.into_iter().filter(|(n, _)| n == name).map(|(_, value)| value).collect()
            }
            IdentitySource::StageVariable(name) => {
                self.api.stage_variables.get(name).into_iter().cloned().collect()
            }
            IdentitySource::Context(name) => self.context(name).into_iter().collect(),
        }
    }

    /// A `method.request` parameter by its name behind that: `header.X`, `path.x` or `querystring.x`.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let (place, name) = name.split_once('.')?;
        match place {
            "header" => self.request.headers.all(name).last().map(str::to_owned),
            "path" => {
                let parameters = &self.matched.as_ref()?.parameters;
                parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
            }
            "querystring" => {
                let pairs = query::pairs(self.request.query().unwrap_or_default());
                pairs.into_iter().rev().find(|(n, _)| n == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}
