//! Owns who gets in: the `Auth` of the API and of its methods, and the TOKEN authorizers. Whatever is not read here
//! with certainty is refused: a method is open only where the template says so.

use std::{collections::BTreeMap, time::Duration};

use super::{
    error::{Located, Problem},
    pattern,
    resource::{FUNCTION, Resources},
    scope::{Scope, Trail},
    value::Field,
};
use crate::rest::api::TokenAuthorizer;

/// How long API Gateway keeps an answer, unless told otherwise.
// SPEC: Amazon API Gateway, API reference, Authorizer: authorizerResultTtlInSeconds
const DEFAULT_CACHE_SECONDS: u64 = 300;
const MOST_CACHE_SECONDS: u64 = 3600;

/// What `Auth` of an API says.
#[derive(Default)]
pub(super) struct Auth {
    default: Option<String>,
    api_key_required: bool,
    pub(super) authorizers: BTreeMap<String, TokenAuthorizer>,
}

impl Auth {
    /// Reads `Auth` of an API.
    pub(super) fn read(
        field: Option<&Field<'_>>,
        scope: &Scope<'_>,
        resources: &Resources,
    ) -> Result<Self, Located> {
        let Some(field) = field else { return Ok(Self::default()) };
        // What CORS adds is refused with CORS itself, and `InvokeRole` says who calls the function, not the API.
        field.only(&[&[
            "DefaultAuthorizer",
            "Authorizers",
            "ApiKeyRequired",
            "AddDefaultAuthorizerToCorsPreflight",
            "AddApiKeyRequiredToCorsPreflight",
            "InvokeRole",
        ]])?;
        let mut authorizers = BTreeMap::new();
        if let Some(section) = field.get("Authorizers")? {
            for (name, field) in section.entries()? {
                authorizers.insert(name.to_owned(), authorizer(&field, scope, resources)?);
            }
        }
        let api_key_required = field.get("ApiKeyRequired")?.map_or(Ok(false), |field| field.flag())?;
        let mut auth = Self { default: None, api_key_required, authorizers };
        if let Some(default) = field.get("DefaultAuthorizer")? {
            auth.default = auth.named(&default)?;
        }
        Ok(auth)
    }

    /// The authorizer of a method and whether it asks for an API key, given the method's own `Auth`.
    pub(super) fn of_method(&self, field: Option<&Field<'_>>) -> Result<(Option<String>, bool), Located> {
        let Some(field) = field else { return Ok((self.default.clone(), self.api_key_required)) };
        field.only(&[&["Authorizer", "ApiKeyRequired", "InvokeRole"]])?;
        let authorizer = match field.get("Authorizer")? {
            Some(name) if name.text()? == "NONE" => None,
            Some(name) => self.named(&name)?,
            None => self.default.clone(),
        };
        let required =
            field.get("ApiKeyRequired")?.map_or(Ok(self.api_key_required), |field| field.flag())?;
        Ok((authorizer, required))
    }

    fn named(&self, field: &Field<'_>) -> Result<Option<String>, Located> {
        match field.text()? {
            "AWS_IAM" => Err(field.failure(Problem::NotHonoured("AWS_IAM cannot be checked locally"))),
            name if self.authorizers.contains_key(name) => Ok(Some(name.to_owned())),
            name => Err(field.failure(Problem::Unknown("authorizer", name.to_owned()))),
        }
    }
}

fn authorizer(
    field: &Field<'_>,
    scope: &Scope<'_>,
    resources: &Resources,
) -> Result<TokenAuthorizer, Located> {
    if let Some(pool) = field.get("UserPoolArn")? {
        return Err(
            pool.failure(Problem::NotHonoured("Cognito authorizers are not supported, only TOKEN ones"))
        );
    }
    field.only(&[&[
        "FunctionArn",
        "FunctionPayloadType",
        "FunctionInvokeRole",
        "DisableFunctionDefaultPermissions",
        "Identity",
    ]])?;
    if let Some(kind) = field.get("FunctionPayloadType")?
        && kind.text()? != "TOKEN"
    {
        return Err(kind.failure(Problem::NotHonoured("only TOKEN authorizers are supported")));
    }
    let mut authorizer = TokenAuthorizer {
        function: function(&field.need("FunctionArn")?, scope, resources)?,
        identity_header: "Authorization".to_owned(),
        validation: None,
        cache_time: Duration::from_secs(DEFAULT_CACHE_SECONDS),
    };
    let Some(identity) = field.get("Identity")? else { return Ok(authorizer) };
    identity.only(&[&["Header", "ValidationExpression", "ReauthorizeEvery"]])?;
    if let Some(header) = identity.get("Header")? {
        let name = header.text()?;
        if name.parse::<http::HeaderName>().is_err() {
            return Err(header.failure(Problem::Shape("the name of a header")));
        }
        name.clone_into(&mut authorizer.identity_header);
    }
    if let Some(expression) = identity.get("ValidationExpression")? {
        let compiled = pattern::whole_text(expression.text()?);
        authorizer.validation = Some(compiled.map_err(|problem| expression.failure(problem))?);
    }
    if let Some(seconds) = identity.get("ReauthorizeEvery")? {
        authorizer.cache_time = Duration::from_secs(seconds.whole(0, MOST_CACHE_SECONDS)?);
    }
    Ok(authorizer)
}

/// The logical id of the function whose ARN, with or without an alias, this is.
fn function(field: &Field<'_>, scope: &Scope<'_>, resources: &Resources) -> Result<String, Located> {
    let wanted = field.text()?;
    for resource in resources.of(FUNCTION) {
        let arn = scope.attribute(&resource.logical_id, "Arn", &Trail::START);
        let arn = arn.map_err(|problem| resource.properties().failure(problem))?;
        if wanted.strip_prefix(&arn).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')) {
            return Ok(resource.logical_id.clone());
        }
    }
    Err(field.failure(Problem::NotHonoured("names no function of this template")))
}
