//! Who gets in: the `Auth` of the API and of its methods, and the Lambda authorizers. Whatever is not read here with
//! certainty is refused: a method is open only where the template says so.

use std::{collections::BTreeMap, time::Duration};

use super::{
    error::{Located, Notices, Problem},
    function::Functions,
    pattern,
    value::Field,
};
use crate::{
    http::is_header_name,
    rest::api::{Access, Identity, IdentitySource, LambdaAuthorizer},
};

/// How long API Gateway caches an answer by default.
// SPEC: Amazon API Gateway, API reference, Authorizer: authorizerResultTtlInSeconds
pub(super) const DEFAULT_CACHE_SECONDS: u64 = 300;
pub(super) const MOST_CACHE_SECONDS: u64 = 3600;

pub(super) const IAM: &str = "AWS_IAM needs an AWS account";
pub(super) const COGNITO: &str = "a Cognito authorizer";
/// What only an authorizer of an HTTP API has; it changes nothing of a REST API.
const OF_HTTP_APIS: &[&str] =
    &["AuthorizerPayloadFormatVersion", "EnableFunctionDefaultPermissions", "EnableSimpleResponses"];
pub(super) const JWT: &str = "API Gateway's own JWT authorizer";
const OTHER: &str = "an authorizer that is not a Lambda function";

/// What `Auth` of an API says.
pub(super) struct Auth {
    default: Option<Access>,
    pub(super) api_key_required: bool,
    /// Whether preflight requests need the default authorizer and an API key as other requests do.
    is_preflight_open: bool,
    is_preflight_keyless: bool,
    /// The authorizers by name: played, or why not.
    authorizers: BTreeMap<String, Result<LambdaAuthorizer, &'static str>>,
}

impl Auth {
    /// Reads `Auth` of an API.
    pub(super) fn read(
        field: Option<&Field<'_>>,
        functions: &Functions,
        notices: &Notices,
    ) -> Result<Self, Located> {
        let mut auth = Self {
            default: None,
            api_key_required: false,
            is_preflight_open: false,
            is_preflight_keyless: false,
            authorizers: BTreeMap::new(),
        };
        let Some(field) = field else { return Ok(auth) };
        // `InvokeRole` says who calls the function, not the API. `UsagePlan` is read with the usage plans.
        field.only(&[
            &[
                "DefaultAuthorizer",
                "Authorizers",
                "ApiKeyRequired",
                "InvokeRole",
                "UsagePlan",
                "ResourcePolicy",
            ],
            &["AddDefaultAuthorizerToCorsPreflight", "AddApiKeyRequiredToCorsPreflight"],
        ])?;
        if let Some(policy) = field.get("ResourcePolicy")? {
            return Err(policy.failure(Problem::NotPlayed("who may call would not be known")));
        }
        if let Some(section) = field.get("Authorizers")? {
            for (name, field) in section.entries()? {
                auth.authorizers.insert(name.to_owned(), authorizer(&field, functions, notices)?);
            }
        }
        let flag = |name| field.get(name)?.map(|field| field.flag()).transpose();
        auth.api_key_required = flag("ApiKeyRequired")?.unwrap_or(false);
        auth.is_preflight_open = !flag("AddDefaultAuthorizerToCorsPreflight")?.unwrap_or(true);
        auth.is_preflight_keyless = !flag("AddApiKeyRequiredToCorsPreflight")?.unwrap_or(true);
        if let Some(default) = field.get("DefaultAuthorizer")? {
            auth.default = Some(auth.named(&default)?);
        }
        Ok(auth)
    }

    /// The access of a method and whether it asks for an API key, given the method's own `Auth`.
    pub(super) fn of_method(
        &self,
        field: Option<&Field<'_>>,
        notices: &Notices,
    ) -> Result<(Access, bool), Located> {
        let Some(field) = field else { return Ok((self.default(), self.api_key_required)) };
        field.only(&[&[
            "Authorizer",
            "ApiKeyRequired",
            "AuthorizationScopes",
            "InvokeRole",
            "OverrideApiAuth",
            "ResourcePolicy",
        ]])?;
        if let Some(policy) = field.get("ResourcePolicy")? {
            return Err(policy.failure(Problem::NotPlayed("who may call would not be known")));
        }
        let access = match field.get("Authorizer")? {
            Some(name) if name.text()? == "NONE" => Access::Open,
            Some(name) => self.named(&name)?,
            None => self.default(),
        };
        // They are for Cognito authorizers, which are not played.
        if matches!(access, Access::Authorizer(_)) {
            field.tell(&["AuthorizationScopes"], notices)?;
        }
        let required =
            field.get("ApiKeyRequired")?.map_or(Ok(self.api_key_required), |field| field.flag())?;
        Ok((access, required))
    }

    /// The access of a method without `Auth`.
    pub(super) fn default(&self) -> Access {
        self.default.clone().unwrap_or(Access::Open)
    }

    /// Whether there is a default authorizer.
    pub(super) const fn has_default(&self) -> bool {
        self.default.is_some()
    }

    /// The access of preflight requests, and whether they need an API key.
    pub(super) fn of_preflight(&self) -> (Access, bool) {
        let access = if self.is_preflight_open { Access::Open } else { self.default() };
        (access, self.api_key_required && !self.is_preflight_keyless)
    }

    /// The authorizers that are played.
    pub(super) fn into_played(self) -> BTreeMap<String, LambdaAuthorizer> {
        self.authorizers.into_iter().filter_map(|(name, authorizer)| Some((name, authorizer.ok()?))).collect()
    }

    /// The access that the authorizer called `name` gives.
    pub(super) fn access(&self, name: &str) -> Option<Access> {
        match (name, self.authorizers.get(name)?) {
            (name, Ok(_)) => Some(Access::Authorizer(name.to_owned())),
            (_, Err(reason)) => Some(Access::NotPlayed(reason)),
        }
    }

    fn named(&self, field: &Field<'_>) -> Result<Access, Located> {
        match field.text()? {
            "AWS_IAM" => Ok(Access::NotPlayed(IAM)),
            name => self
                .access(name)
                .ok_or_else(|| field.failure(Problem::Unknown("authorizer", name.to_owned()))),
        }
    }
}

fn authorizer(
    field: &Field<'_>,
    functions: &Functions,
    notices: &Notices,
) -> Result<Result<LambdaAuthorizer, &'static str>, Located> {
    if field.get("UserPoolArn")?.is_some() {
        return Ok(Err(COGNITO));
    }
    if field.get("JwtConfiguration")?.is_some() {
        return Ok(Err(JWT));
    }
    if field.get("FunctionArn")?.is_none() && field.get("FunctionPayloadType")?.is_none() {
        return Ok(Err(OTHER));
    }
    field.tell(OF_HTTP_APIS, notices)?;
    field.only(&[
        OF_HTTP_APIS,
        &[
            "AuthorizationScopes",
            "FunctionArn",
            "FunctionPayloadType",
            "FunctionInvokeRole",
            "DisableFunctionDefaultPermissions",
            "Identity",
        ],
    ])?;
    field.tell(&["AuthorizationScopes"], notices)?;
    let is_request = match field.get("FunctionPayloadType")? {
        None => false,
        Some(kind) => match kind.text()? {
            "TOKEN" => false,
            "REQUEST" => true,
            _ => return Err(kind.failure(Problem::OneOf("TOKEN, REQUEST"))),
        },
    };
    let function = functions.by_arn(&field.need("FunctionArn")?)?;
    let identity = field.get("Identity")?;
    let mut cache_time = Duration::from_secs(DEFAULT_CACHE_SECONDS);
    if let Some(identity) = &identity {
        let own: &[&str] = if is_request {
            &["Headers", "QueryStrings", "StageVariables", "Context"]
        } else {
            &["Header", "ValidationExpression"]
        };
        identity.only(&[own, &["ReauthorizeEvery"]])?;
        if let Some(seconds) = identity.get("ReauthorizeEvery")? {
            cache_time = Duration::from_secs(seconds.whole(0, MOST_CACHE_SECONDS)?);
        }
    }
    let identity = if is_request {
        Identity::Request(sources(identity.as_ref())?)
    } else {
        let own = |name| Ok::<_, Located>(identity.as_ref().map(|own| own.get(name)).transpose()?.flatten());
        let header = own("Header")?.map_or(Ok("Authorization".to_owned()), |name| header_name(&name))?;
        token(header, own("ValidationExpression")?.as_ref())?
    };
    Ok(Ok(LambdaAuthorizer { function, identity, cache_time }))
}

/// A TOKEN authorizer's identity: the header, and what its value has to match.
pub(super) fn token(header: String, validation: Option<&Field<'_>>) -> Result<Identity, Located> {
    let compiled =
        |field: &Field<'_>| pattern::whole_text(field.text()?).map_err(|problem| field.failure(problem));
    Ok(Identity::Token { header, validation: validation.map(compiled).transpose()? })
}

/// A kind of identity source, made of its name.
pub(super) type SourceKind = fn(String) -> IdentitySource;

/// The sources of a REQUEST authorizer, in the order in which SAM writes them.
// SPEC: AWS SAM, "LambdaRequestAuthorizationIdentity"
fn sources(field: Option<&Field<'_>>) -> Result<Vec<IdentitySource>, Located> {
    let mut sources = Vec::new();
    let Some(field) = field else { return Ok(sources) };
    let kinds: [(&str, SourceKind); 4] = [
        ("Headers", IdentitySource::Header),
        ("QueryStrings", IdentitySource::QueryString),
        ("StageVariables", IdentitySource::StageVariable),
        ("Context", IdentitySource::Context),
    ];
    for (property, kind) in kinds {
        if let Some(names) = field.get(property)? {
            for name in names.items()? {
                let text = if property == "Headers" { header_name(&name)? } else { name.text()?.to_owned() };
                sources.push(kind(text));
            }
        }
    }
    Ok(sources)
}

pub(super) fn header_name(field: &Field<'_>) -> Result<String, Located> {
    let name = field.text()?;
    if !is_header_name(name) {
        return Err(field.failure(Problem::Shape("the name of a header")));
    }
    Ok(name.to_owned())
}
