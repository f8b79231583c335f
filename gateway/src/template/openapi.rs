//! An API's own definition, OpenAPI 3 or Swagger 2, with API Gateway's extensions.

use std::{collections::BTreeMap, time::Duration};

use super::{
    api,
    auth::{self, Auth},
    cors::literal,
    error::{Located, Notices, Problem},
    function::{Functions, integration_of},
    value::Field,
};
use crate::{
    http::is_header_name,
    rest::api::{
        Access, Api, ApiMethod, GatewayResponse, Identity, IdentitySource, Integration, LambdaAuthorizer,
        Mock,
    },
};

const INTEGRATION: &str = "x-amazon-apigateway-integration";
const ANY: &str = "x-amazon-apigateway-any-method";
const VERBS: &[&str] = &["get", "put", "post", "delete", "patch", "head", "options", ANY];
const PROXY: &str = "an integration that is not a Lambda proxy";

/// What a name under `security` stands for.
enum Scheme {
    ApiKey,
    Authorizer(LambdaAuthorizer),
    NotPlayed(&'static str),
}

/// Reads a definition into `api`. `auth` is what SAM adds to it: a default for operations without `security`.
// SPEC: Amazon API Gateway, "OpenAPI extensions for API Gateway"
pub(super) fn read(
    document: &Field<'_>,
    functions: &Functions,
    auth: &Auth,
    notices: &Notices,
    api: &mut Api,
) -> Result<(), Located> {
    if let Some(policy) = document.get("x-amazon-apigateway-policy")? {
        return Err(policy.failure(Problem::NotPlayed("who may call would not be known")));
    }
    document.tell(&["x-amazon-apigateway-request-validator"], notices)?;
    // AWS's answer to aws-apigateway-importer 204: security of the whole document is not supported, only that of methods.
    if let Some(security) = document.get("security")? {
        let ignored = "API Gateway ignores it here: it counts for each operation alone";
        notices.add(security.failure(Problem::NotHonoured(ignored)))?;
    }
    let schemes = schemes(document, functions)?;
    for (path, item) in document.need("paths")?.entries()? {
        for (key, operation) in item.entries()?.filter(|(key, _)| VERBS.contains(key)) {
            let (access, api_key_required) = access(&operation, &schemes, auth)?;
            api.methods.push(ApiMethod {
                verb: if key == ANY { "ANY".to_owned() } else { key.to_ascii_uppercase() },
                resource: path.to_owned(),
                access,
                api_key_required,
                integration: integration(&operation, functions)?,
            });
            operation.tell(&["x-amazon-apigateway-request-validator"], notices)?;
        }
    }
    api.authorizers.extend(schemes.into_iter().filter_map(|(name, scheme)| match scheme {
        Scheme::Authorizer(authorizer) => Some((name, authorizer)),
        Scheme::ApiKey | Scheme::NotPlayed(_) => None,
    }));
    for (name, response) in responses(document)? {
        api.responses.entry(name).or_insert(response);
    }
    if let Some(types) = document.get("x-amazon-apigateway-binary-media-types")? {
        api.binary_media_types.extend(types.texts()?);
    }
    if let Some(source) = document.get("x-amazon-apigateway-api-key-source")? {
        api.api_key_source = api::api_key_source(&source)?;
    }
    Ok(())
}

fn schemes(document: &Field<'_>, functions: &Functions) -> Result<BTreeMap<String, Scheme>, Located> {
    let section = match document.get("securityDefinitions")? {
        Some(section) => Some(section),
        None => document.get("components")?.map(|all| all.get("securitySchemes")).transpose()?.flatten(),
    };
    let Some(section) = section else { return Ok(BTreeMap::new()) };
    section.entries()?.map(|(name, field)| Ok((name.to_owned(), scheme(&field, functions)?))).collect()
}

fn scheme(field: &Field<'_>, functions: &Functions) -> Result<Scheme, Located> {
    let text = |key| field.get(key)?.map(|field| field.text()).transpose();
    let kind = text("x-amazon-apigateway-authtype")?.unwrap_or_default().to_ascii_lowercase();
    let Some(settings) = field.get("x-amazon-apigateway-authorizer")? else {
        let is_key = text("name")?.is_some_and(|name| name.eq_ignore_ascii_case("x-api-key"));
        return Ok(match kind.as_str() {
            "awssigv4" => Scheme::NotPlayed(auth::IAM),
            "cognito_user_pools" => Scheme::NotPlayed(auth::COGNITO),
            "" if is_key => Scheme::ApiKey,
            _ => Scheme::NotPlayed("a security scheme without an authorizer of its own"),
        });
    };
    let is_request = match settings.need("type")?.text()?.to_ascii_lowercase().as_str() {
        "token" => false,
        "request" => true,
        "cognito_user_pools" => return Ok(Scheme::NotPlayed(auth::COGNITO)),
        "jwt" => return Ok(Scheme::NotPlayed(auth::JWT)),
        _ => return Ok(Scheme::NotPlayed("an authorizer that is neither token nor request")),
    };
    let function = functions.by_uri(&settings.need("authorizerUri")?)?;
    let seconds = settings.get("authorizerResultTtlInSeconds")?;
    let seconds = seconds
        .map_or(Ok(auth::DEFAULT_CACHE_SECONDS), |seconds| seconds.whole(0, auth::MOST_CACHE_SECONDS))?;
    let sources = match settings.get("identitySource")? {
        Some(sources) => identity_sources(&sources)?,
        None => Vec::new(),
    };
    let identity = if is_request {
        Identity::Request(sources)
    } else {
        let header = match sources.into_iter().next() {
            Some(IdentitySource::Header(header)) => header,
            Some(_) | None => auth::header_name(&field.need("name")?)?,
        };
        auth::token(header, settings.get("identityValidationExpression")?.as_ref())?
    };
    Ok(Scheme::Authorizer(LambdaAuthorizer { function, identity, cache_time: Duration::from_secs(seconds) }))
}

/// `method.request.header.Authorization, context.identity.sourceIp`
fn identity_sources(field: &Field<'_>) -> Result<Vec<IdentitySource>, Located> {
    let source = |text: &str| {
        let kinds: [(&str, auth::SourceKind); 4] = [
            ("method.request.header.", IdentitySource::Header),
            ("method.request.querystring.", IdentitySource::QueryString),
            ("stageVariables.", IdentitySource::StageVariable),
            ("context.", IdentitySource::Context),
        ];
        let named = kinds.iter().find_map(|(prefix, kind)| Some(kind(text.strip_prefix(prefix)?.to_owned())));
        let is_usable = |source: &IdentitySource| match source {
            IdentitySource::Header(name) => is_header_name(name),
            IdentitySource::QueryString(_)
            | IdentitySource::StageVariable(_)
            | IdentitySource::Context(_) => true,
        };
        let named = named.filter(is_usable);
        named.ok_or_else(|| {
            field.failure(Problem::Shape(
                "method.request.header.…, method.request.querystring.…, \
            stageVariables.… or context.…, separated by commas",
            ))
        })
    };
    field.text()?.split(',').map(|text| source(text.trim())).collect()
}

/// Who may call an operation, and whether with an API key.
fn access(
    operation: &Field<'_>,
    schemes: &BTreeMap<String, Scheme>,
    auth: &Auth,
) -> Result<(Access, bool), Located> {
    let Some(security) = operation.get("security")? else {
        // SAM adds the default authorizer to operations without `security`; to a preflight only on demand.
        let open = operation.get("x-amazon-apigateway-auth")?.is_some();
        let access = if open || !auth.has_default() { Access::Open } else { auth.default() };
        return Ok((access, auth.api_key_required));
    };
    let (mut access, mut api_key_required) = (None, auth.api_key_required);
    for alternative in security.items()? {
        for (name, field) in alternative.entries()? {
            let granted = match schemes.get(name) {
                Some(Scheme::ApiKey) => {
                    api_key_required = true;
                    continue;
                }
                Some(Scheme::Authorizer(_)) => Access::Authorizer(name.to_owned()),
                Some(Scheme::NotPlayed(reason)) => Access::NotPlayed(reason),
                None if name == "api_key" => {
                    api_key_required = true;
                    continue;
                }
                None => match auth.access(name) {
                    Some(access) => access,
                    None if name == "NONE" => Access::Open,
                    None => return Err(field.failure(Problem::Unknown("security scheme", name.to_owned()))),
                },
            };
            access.get_or_insert(granted);
        }
    }
    Ok((access.unwrap_or(Access::Open), api_key_required))
}

fn integration(operation: &Field<'_>, functions: &Functions) -> Result<Integration, Located> {
    let Some(field) = operation.get(INTEGRATION)? else {
        return Ok(Integration::NotPlayed("an operation without an integration"));
    };
    match field.need("type")?.text()?.to_ascii_lowercase().as_str() {
        "aws_proxy" => {
            let uri = field.need("uri")?;
            if !uri.text()?.contains(":lambda:path/") {
                return Ok(Integration::NotPlayed(PROXY));
            }
            let name = functions.by_uri(&uri)?;
            integration_of(name, field.get("timeoutInMillis")?.as_ref())
        }
        "mock" => mock(&field),
        _ => Ok(Integration::NotPlayed(PROXY)),
    }
}

/// A mock that answers the same to everyone: one status, headers and a body without a variable in them.
fn mock(field: &Field<'_>) -> Result<Integration, Located> {
    const VARIES: Integration = Integration::NotPlayed("a mock integration that depends on the request");
    let template = match field.get("requestTemplates")? {
        Some(templates) => templates.get("application/json")?.map(|template| template.text()).transpose()?,
        None => None,
    };
    let code: Option<u16> = template.and_then(|template| {
        let digits = template.split_once("statusCode")?.1.trim_start_matches(['"', '\'', ' ', ':']);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits.get(..end)?.parse().ok()
    });
    let Some(code) = code.filter(|_| template.is_some_and(|text| !text.contains(['$', '#']))) else {
        return Ok(VARIES);
    };
    let Some(responses) = field.get("responses")? else { return Ok(VARIES) };
    let own = responses.get(&code.to_string())?;
    let Some(response) = own.map_or_else(|| responses.get("default"), |own| Ok(Some(own)))? else {
        return Ok(VARIES);
    };
    let status = match response.get("statusCode")? {
        Some(status) => u16::try_from(status.whole(200, 599)?).unwrap_or(code),
        None => code,
    };
    let mut headers = BTreeMap::new();
    if let Some(parameters) = response.get("responseParameters")? {
        for (name, value) in parameters.entries()? {
            let Some(name) = name.strip_prefix("method.response.header.") else { return Ok(VARIES) };
            let Ok(value) = literal(&value) else { return Ok(VARIES) };
            headers.insert(name.to_owned(), value);
        }
    }
    let body = match response.get("responseTemplates")? {
        Some(templates) => templates.get("application/json")?.map(|body| body.text()).transpose()?,
        None => None,
    };
    if body.is_some_and(|body| body.contains(['$', '#'])) {
        return Ok(VARIES);
    }
    Ok(Integration::Mock(Mock { status, headers, body: body.unwrap_or_default().to_owned() }))
}

fn responses(document: &Field<'_>) -> Result<BTreeMap<String, GatewayResponse>, Located> {
    let section = document.get("x-amazon-apigateway-gateway-responses")?;
    let Some(section) = section else { return Ok(BTreeMap::new()) };
    let response = |(name, field): (&str, Field<'_>)| {
        let mut response = api::response(&field, "statusCode", "responseTemplates")?;
        if let Some(parameters) = field.get("responseParameters")? {
            let headers = api::texts(&parameters)?.into_iter();
            let header = |(name, value): (String, String)| {
                Some((name.strip_prefix("gatewayresponse.header.")?.to_owned(), value))
            };
            response.headers = headers.filter_map(header).collect();
        }
        Ok((name.to_owned(), response))
    };
    section.entries()?.map(response).collect()
}
