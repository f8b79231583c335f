//! Owns the one API of a template: its stage, its gateway responses and what becomes of its other properties.

use std::collections::BTreeMap;

use super::{
    error::{Located, Problem},
    value::Field,
};
use crate::rest::api::{ApiKeySource, GatewayResponse, Throttle};

/// What is read here or by other readers.
const HONOURED: &[&str] = &[
    "StageName",
    "Auth",
    "GatewayResponses",
    "BinaryMediaTypes",
    "ApiKeySourceType",
    "MethodSettings",
    "EndpointConfiguration",
    "CacheClusterEnabled",
    "DisableExecuteApiEndpoint",
];

/// What changes no answer: names, descriptions, logs, traces, and how the deployment itself is made.
const HARMLESS: &[&str] = &[
    "Name",
    "Description",
    "Tags",
    "PropagateTags",
    "AccessLogSetting",
    "TracingEnabled",
    "OpenApiVersion",
    "AlwaysDeploy",
    "FailOnWarnings",
    "CacheClusterSize",
    "EndpointAccessMode",
    "SecurityPolicy",
];

/// The API's own properties, but for who gets in.
pub(super) struct Settings {
    pub(super) stage: String,
    pub(super) responses: BTreeMap<String, GatewayResponse>,
    pub(super) binary_media_types: Vec<String>,
    pub(super) api_key_source: ApiKeySource,
    pub(super) throttle: Option<Throttle>,
}

/// Reads the properties of the API.
pub(super) fn read(api: &Field<'_>) -> Result<Settings, Located> {
    api.only(&[HONOURED, HARMLESS])?;
    for switch in ["CacheClusterEnabled", "DisableExecuteApiEndpoint"] {
        if let Some(field) = api.get(switch)?
            && field.flag()?
        {
            return Err(field.failure(Problem::NotHonoured("cannot be honoured locally")));
        }
    }
    endpoint(api)?;
    let stage = api.need("StageName")?;
    let name = stage.text()?.to_owned();
    // SPEC: Amazon API Gateway, API reference, CreateStage: alphanumeric characters, hyphens and underscores
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Err(stage.failure(Problem::Shape("letters, digits, hyphens and underscores")));
    }
    Ok(Settings {
        stage: name,
        responses: responses(api)?,
        binary_media_types: binary_media_types(api)?,
        api_key_source: match api.get("ApiKeySourceType")? {
            None => ApiKeySource::Header,
            Some(source) => match source.text()? {
                "HEADER" => ApiKeySource::Header,
                "AUTHORIZER" => ApiKeySource::Authorizer,
                _ => return Err(source.failure(Problem::OneOf("HEADER, AUTHORIZER"))),
            },
        },
        throttle: stage_throttle(api)?,
    })
}

/// Rate and burst, from properties that go by different names in different places.
pub(super) fn throttle(field: &Field<'_>, rate: &str, burst: &str) -> Result<Option<Throttle>, Located> {
    match (field.get(rate)?, field.get(burst)?) {
        (None, None) => Ok(None),
        // With one of them the other is the account's, which a laptop has not.
        (None, Some(_)) => field.need(rate).map(|_| None),
        (Some(_), None) => field.need(burst).map(|_| None),
        (Some(rate), Some(burst)) => {
            let burst = burst.whole(0, u64::from(u32::MAX))?;
            let limit = Throttle { rate: rate.number()?, burst: u32::try_from(burst).unwrap_or(u32::MAX) };
            if limit.rate < 0.0 {
                return Err(rate.failure(Problem::Shape("a number that is not negative")));
            }
            Ok(Some(limit))
        }
    }
}

fn endpoint(api: &Field<'_>) -> Result<(), Located> {
    let Some(endpoint) = api.get("EndpointConfiguration")? else { return Ok(()) };
    endpoint.only(&[&["Type", "IpAddressType"]])?;
    match endpoint.get("Type")? {
        Some(kind) if !matches!(kind.text()?, "REGIONAL" | "EDGE") => {
            Err(kind.failure(Problem::OneOf("REGIONAL, EDGE")))
        }
        _ => Ok(()),
    }
}

fn binary_media_types(api: &Field<'_>) -> Result<Vec<String>, Located> {
    let Some(field) = api.get("BinaryMediaTypes")? else { return Ok(Vec::new()) };
    // SAM writes `~1` for a slash, as JSON pointers do.
    Ok(field.texts()?.into_iter().map(|media_type| media_type.replace("~1", "/")).collect())
}

fn stage_throttle(api: &Field<'_>) -> Result<Option<Throttle>, Located> {
    let mut stage = None;
    let Some(settings) = api.get("MethodSettings")? else { return Ok(None) };
    for setting in settings.items()? {
        setting.only(&[&[
            "ResourcePath",
            "HttpMethod",
            "ThrottlingRateLimit",
            "ThrottlingBurstLimit",
            "CachingEnabled",
            "MetricsEnabled",
            "LoggingLevel",
            "DataTraceEnabled",
        ]])?;
        if let Some(caching) = setting.get("CachingEnabled")?
            && caching.flag()?
        {
            return Err(caching.failure(Problem::NotHonoured("cannot be honoured locally")));
        }
        if let Some(limit) = throttle(&setting, "ThrottlingRateLimit", "ThrottlingBurstLimit")? {
            let all =
                setting.need("ResourcePath")?.text()? == "/*" && setting.need("HttpMethod")?.text()? == "*";
            if !all || stage.is_some() {
                let reason =
                    "one limit for all methods of the stage is supported: ResourcePath `/*`, HttpMethod `*`";
                return Err(setting.failure(Problem::NotHonoured(reason)));
            }
            stage = Some(limit);
        }
    }
    Ok(stage)
}

/// The gateway itself knows which types there are and what it makes of their expressions.
fn responses(api: &Field<'_>) -> Result<BTreeMap<String, GatewayResponse>, Located> {
    let Some(section) = api.get("GatewayResponses")? else { return Ok(BTreeMap::new()) };
    let mut responses = BTreeMap::new();
    for (name, field) in section.entries()? {
        field.only(&[&["StatusCode", "ResponseParameters", "ResponseTemplates"]])?;
        let mut response = GatewayResponse::default();
        if let Some(status) = field.get("StatusCode")? {
            response.status = u16::try_from(status.whole(200, 599)?).ok();
        }
        if let Some(parameters) = field.get("ResponseParameters")? {
            parameters.only(&[&["Headers"]])?;
            if let Some(headers) = parameters.get("Headers")? {
                response.headers = texts(&headers)?;
            }
        }
        if let Some(templates) = field.get("ResponseTemplates")? {
            response.templates = texts(&templates)?;
        }
        responses.insert(name.to_owned(), response);
    }
    Ok(responses)
}

fn texts(field: &Field<'_>) -> Result<BTreeMap<String, String>, Located> {
    field.entries()?.map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned()))).collect()
}
