//! The API's properties, except `Auth`: its stage, gateway responses, limits, and what is not played.

use std::collections::BTreeMap;

use super::{
    error::{Located, Notices, Problem},
    facts::Facts,
    value::Field,
};
use crate::rest::api::{Api, ApiKeySource, GatewayResponse, Throttle};

/// What is read here or by other readers.
const HONOURED: &[&str] = &[
    "StageName",
    "Auth",
    "GatewayResponses",
    "BinaryMediaTypes",
    "ApiKeySourceType",
    "MethodSettings",
    "EndpointConfiguration",
    "Policy",
    "DefinitionBody",
    "DefinitionUri",
    "Cors",
    "Variables",
];

/// What AWS takes and is not played.
const TOLD: &[&str] = &["CacheClusterEnabled", "CanarySetting", "Models"];

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
    "DisableExecuteApiEndpoint",
    "Domain",
    "EndpointAccessMode",
    "MergeDefinitions",
    "MinimumCompressionSize",
    "Mode",
    "SecurityPolicy",
];

/// Reads the properties of the API `api_id`. Methods, authorizers, keys and plans are added by others.
pub(super) fn read(
    field: &Field<'_>,
    facts: &Facts,
    api_id: String,
    notices: &Notices,
) -> Result<Api, Located> {
    field.only(&[HONOURED, HARMLESS, TOLD])?;
    field.tell(TOLD, notices)?;
    endpoint(field, notices)?;
    if let Some(policy) = field.get("Policy")? {
        return Err(policy.failure(Problem::NotPlayed("who may call would not be known")));
    }
    let stage = field.need("StageName")?;
    let name = stage.text()?.to_owned();
    // SPEC: Amazon API Gateway, API reference, CreateStage: alphanumeric characters, hyphens and underscores
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Err(stage.failure(Problem::Shape("letters, digits, hyphens and underscores")));
    }
    let key_source = field.get("ApiKeySourceType")?.map(|source| api_key_source(&source)).transpose()?;
    let variables = field.get("Variables")?.map(|variables| texts(&variables)).transpose()?;
    let mut api = Api {
        partition: facts.partition.clone(),
        region: facts.region.clone(),
        account_id: facts.account_id.clone(),
        api_id,
        stage: name,
        methods: Vec::new(),
        authorizers: BTreeMap::new(),
        responses: responses(field, notices)?,
        binary_media_types: binary_media_types(field)?,
        api_key_source: key_source.unwrap_or_default(),
        api_keys: Vec::new(),
        usage_plans: Vec::new(),
        throttle: None,
        method_throttles: BTreeMap::new(),
        stage_variables: variables.unwrap_or_default(),
    };
    throttles(field, notices, &mut api)?;
    Ok(api)
}

pub(super) fn api_key_source(field: &Field<'_>) -> Result<ApiKeySource, Located> {
    match field.text()? {
        "HEADER" => Ok(ApiKeySource::Header),
        "AUTHORIZER" => Ok(ApiKeySource::Authorizer),
        _ => Err(field.failure(Problem::OneOf("HEADER, AUTHORIZER"))),
    }
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

fn endpoint(api: &Field<'_>, notices: &Notices) -> Result<(), Located> {
    let Some(endpoint) = api.get("EndpointConfiguration")? else { return Ok(()) };
    let kind = if endpoint.is_text() {
        Some(endpoint)
    } else {
        endpoint.only(&[&["Type", "IpAddressType", "VPCEndpointIds"]])?;
        endpoint.get("Type")?
    };
    let Some(kind) = kind else { return Ok(()) };
    match kind.text()? {
        "REGIONAL" | "EDGE" => Ok(()),
        "PRIVATE" => notices.add(kind.failure(Problem::NotPlayed("served on loopback"))),
        _ => Err(kind.failure(Problem::OneOf("REGIONAL, EDGE, PRIVATE"))),
    }
}

fn binary_media_types(api: &Field<'_>) -> Result<Vec<String>, Located> {
    let Some(field) = api.get("BinaryMediaTypes")? else { return Ok(Vec::new()) };
    // SAM writes `~1` for a slash, as JSON pointers do.
    Ok(field.texts()?.into_iter().map(|media_type| media_type.replace("~1", "/")).collect())
}

/// The limits of a stage: of all its methods, and of single ones in place of it.
fn throttles(field: &Field<'_>, notices: &Notices, api: &mut Api) -> Result<(), Located> {
    let Some(settings) = field.get("MethodSettings")? else { return Ok(()) };
    for setting in settings.items()? {
        setting.only(&[&[
            "ResourcePath",
            "HttpMethod",
            "ThrottlingRateLimit",
            "ThrottlingBurstLimit",
            "CachingEnabled",
            "CacheTtlInSeconds",
            "CacheDataEncrypted",
            "MetricsEnabled",
            "LoggingLevel",
            "DataTraceEnabled",
        ]])?;
        setting.tell(&["CachingEnabled"], notices)?;
        if let Some(limit) = throttle(&setting, "ThrottlingRateLimit", "ThrottlingBurstLimit")? {
            let (path, verb) = (setting.need("ResourcePath")?, setting.need("HttpMethod")?);
            let is_second = match (path.text()?, verb.text()?) {
                ("/*", "*") => api.throttle.replace(limit).is_some(),
                // SPEC: AWS CloudFormation, MethodSetting: a slash is `~1` behind the first one
                (path, verb) if path.starts_with('/') && !path.contains('*') && verb != "*" => {
                    let resource = path.replacen('/', "", 1).replace("~1", "/");
                    let resource = if resource.is_empty() { "/".to_owned() } else { resource };
                    api.method_throttles.insert((verb.to_owned(), resource), limit).is_some()
                }
                _ => true,
            };
            if is_second {
                let reason =
                    "a limit is for all methods (ResourcePath `/*`, HttpMethod `*`) or for one, each once";
                notices.add(setting.failure(Problem::NotPlayed(reason)))?;
            }
        }
    }
    Ok(())
}

/// The gateway itself checks the types and their expressions.
fn responses(api: &Field<'_>, notices: &Notices) -> Result<BTreeMap<String, GatewayResponse>, Located> {
    let Some(section) = api.get("GatewayResponses")? else { return Ok(BTreeMap::new()) };
    let response = |(name, field): (&str, Field<'_>)| {
        field.only(&[&["StatusCode", "ResponseParameters", "ResponseTemplates"]])?;
        let mut response = response(&field, "StatusCode", "ResponseTemplates")?;
        if let Some(parameters) = field.get("ResponseParameters")? {
            parameters.only(&[&["Headers", "Paths", "QueryStrings"]])?;
            parameters.tell(&["Paths", "QueryStrings"], notices)?;
            response.headers = parameters.get("Headers")?.map_or(Ok(BTreeMap::new()), |all| texts(&all))?;
        }
        Ok((name.to_owned(), response))
    };
    section.entries()?.map(response).collect()
}

/// Status and templates of a gateway response, which SAM and OpenAPI call by different names.
pub(super) fn response(field: &Field<'_>, status: &str, templates: &str) -> Result<GatewayResponse, Located> {
    let status = field.get(status)?.map(|status| status.whole(200, 599)).transpose()?;
    let templates = field.get(templates)?.map_or(Ok(BTreeMap::new()), |templates| texts(&templates))?;
    let status = status.and_then(|status| u16::try_from(status).ok());
    Ok(GatewayResponse { status, headers: BTreeMap::new(), templates })
}

pub(super) fn texts(field: &Field<'_>) -> Result<BTreeMap<String, String>, Located> {
    field.entries()?.map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned()))).collect()
}
