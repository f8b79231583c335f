//! The functions: how each is invoked, which methods of the API its events make, and what else a laptop needs of it.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use super::{
    auth::Auth,
    error::{Located, Notices, Problem},
    resource::{APPLICATION, FUNCTION, RAW_FUNCTION, Resource, Resources},
    scope::{IMPLICIT_API, Scope, Trail},
    stack::{Function, Lambda, Schedule},
    value::Field,
};
use crate::rest::api::{ApiMethod, Integration};

/// How long API Gateway waits for an integration by default.
// SPEC: Amazon API Gateway, "Quotas for configuring and running a REST API": integration timeout
const INTEGRATION_MILLISECONDS: u64 = 29_000;
/// How long an invocation may take by default.
// SPEC: AWS Lambda, "Configure Lambda function timeout"
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

const VERBS: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "ANY"];
const SCHEDULE: &[&str] =
    &["Schedule", "Name", "Description", "Enabled", "State", "Input", "DeadLetterConfig", "RetryPolicy"];
const SCHEDULE_V2: &[&str] = &[
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "Name",
    "Description",
    "State",
    "Input",
    "DeadLetterConfig",
    "FlexibleTimeWindow",
    "GroupName",
    "OmitName",
    "PermissionsBoundary",
    "RetryPolicy",
    "RoleArn",
];

/// A function that is not in the template; its time limit is unknown.
const ELSEWHERE: Lambda = Lambda { binary: None, timeout: Duration::from_millis(INTEGRATION_MILLISECONDS) };

/// Every function of a template, and how it is called there.
pub(super) struct Functions {
    /// By logical id, with the ARN.
    all: BTreeMap<String, (String, Lambda)>,
    /// Those that the template names by an ARN and does not have, by name; `None` where none may be.
    elsewhere: Option<RefCell<BTreeMap<String, Lambda>>>,
}

impl Functions {
    pub(super) fn read(scope: &Scope<'_>, resources: &Resources, is_strict: bool) -> Result<Self, Located> {
        let mut all = BTreeMap::new();
        for resource in resources.of(FUNCTION).chain(resources.of(RAW_FUNCTION)) {
            let properties = resource.properties();
            let arn = scope.attribute(&resource.logical_id, "Arn", &Trail::START);
            let arn = arn.map_err(|problem| properties.failure(problem))?;
            let timeout = match properties.get("Timeout")? {
                Some(timeout) => Duration::from_secs(timeout.whole(1, 900)?),
                None => DEFAULT_TIMEOUT,
            };
            let lambda = Lambda { binary: binary(&resource.metadata())?, timeout };
            all.insert(resource.logical_id.clone(), (arn, lambda));
        }
        for Resource { logical_id, .. } in resources.of(APPLICATION) {
            let arn = scope.facts.arn("lambda", &format!("function:{logical_id}"));
            all.insert(logical_id.clone(), (arn, ELSEWHERE));
        }
        Ok(Self { all, elsewhere: (!is_strict).then(RefCell::default) })
    }

    /// The logical id of the function whose ARN, with or without an alias, this is.
    pub(super) fn by_arn(&self, field: &Field<'_>) -> Result<String, Located> {
        let wanted = field.text()?;
        let is_it =
            |arn: &str| wanted.strip_prefix(arn).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
        if let Some((id, _)) = self.all.iter().find(|(_, (arn, _))| is_it(arn)) {
            return Ok(id.clone());
        }
        let (Some(elsewhere), Some(name)) = (&self.elsewhere, name_of(wanted)) else {
            return Err(field.failure(Problem::NotHonoured("names no function of this template")));
        };
        elsewhere.borrow_mut().insert(name.to_owned(), ELSEWHERE);
        Ok(name.to_owned())
    }

    /// The logical id of the function that an integration's or an authorizer's URI invokes.
    // SPEC: Amazon API Gateway, API reference, Integration: arn:aws:apigateway:…:lambda:path/2015-03-31/functions/…/invocations
    pub(super) fn by_uri(&self, field: &Field<'_>) -> Result<String, Located> {
        let arn =
            field.text()?.split_once("/functions/").and_then(|(_, rest)| rest.strip_suffix("/invocations"));
        let arn = arn.ok_or_else(|| field.failure(Problem::Shape("the URI of a function's invocations")))?;
        let value = field.value_of(super::value::Content::Text(arn.to_owned()));
        self.by_arn(&field.with(&value))
    }

    pub(super) fn into_lambdas(self) -> BTreeMap<String, Lambda> {
        let elsewhere = self.elsewhere.map(RefCell::into_inner).unwrap_or_default();
        elsewhere.into_iter().chain(self.all.into_iter().map(|(id, (_, lambda))| (id, lambda))).collect()
    }
}

/// The name in the ARN of a function: `arn:aws:lambda:region:account:function:name`, with or without an alias.
fn name_of(arn: &str) -> Option<&str> {
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(1);
    let is_function = parts.next() == Some("lambda") && parts.nth(2) == Some("function");
    parts.next().filter(|name| is_function && !name.is_empty())
}

/// Reads the methods of the API `api_id` that events of functions make. Where the API has a definition of its own
/// (`is_defined`), an event only lets it invoke the function.
pub(super) fn methods(
    scope: &Scope<'_>,
    resources: &Resources,
    api_id: &str,
    is_defined: bool,
    auth: &Auth,
    notices: &Notices,
) -> Result<Vec<ApiMethod>, Located> {
    let mut methods: Vec<ApiMethod> = Vec::new();
    for resource in resources.of(FUNCTION) {
        let Some(events) = resource.properties().get("Events")? else { continue };
        for (_, event) in events.entries()? {
            event.only(&[&["Type", "Properties"]])?;
            if event.need("Type")?.text()? != "Api" {
                continue;
            }
            let properties = event.need("Properties")?;
            if !is_of(scope, &properties, api_id, notices)? || is_defined {
                continue;
            }
            let method = method(&properties, resource, auth, notices)?;
            if let Some(other) =
                methods.iter().find(|other| other.resource == method.resource && other.verb == method.verb)
            {
                let other = other.function().unwrap_or_default().to_owned();
                return Err(event.failure(Problem::Clash("method and path", other)));
            }
            methods.push(method);
        }
    }
    Ok(methods)
}

/// Whether an event is for the API that is served.
fn is_of(scope: &Scope<'_>, event: &Field<'_>, api_id: &str, notices: &Notices) -> Result<bool, Located> {
    let Some(api) = event.get("RestApiId")? else {
        return Ok(scope.identity(IMPLICIT_API, &Trail::START).is_ok_and(|id| id == api_id));
    };
    let is_it = api.text()? == api_id;
    if !is_it && notices.is_strict() {
        return Err(api.failure(Problem::NotHonoured("names no API of this template")));
    }
    Ok(is_it)
}

/// Reads what a laptop needs of all functions, beside the API.
pub(super) fn read(
    resources: &Resources,
    lambdas: &BTreeMap<String, Lambda>,
) -> Result<BTreeMap<String, Function>, Located> {
    let mut functions = BTreeMap::new();
    for resource in resources.of(FUNCTION) {
        let properties = resource.properties();
        if let Some(url) = properties.get("FunctionUrlConfig")? {
            return Err(url.failure(Problem::NotPlayed("")));
        }
        let mut schedules = Vec::new();
        if let Some(events) = properties.get("Events")? {
            for (name, event) in events.entries()? {
                let kind = event.need("Type")?;
                let (expression, known) = match kind.text()? {
                    "Api" => continue,
                    "Schedule" => ("Schedule", SCHEDULE),
                    "ScheduleV2" => ("ScheduleExpression", SCHEDULE_V2),
                    _ => return Err(kind.failure(Problem::OneOf("Api, Schedule, ScheduleV2"))),
                };
                schedules.push(schedule(name, &event.need("Properties")?, expression, known)?);
            }
        }
        let id = &resource.logical_id;
        let lambda = lambdas.get(id).ok_or_else(|| properties.failure(Problem::Missing))?;
        let function = Function {
            binary: lambda.binary.clone().unwrap_or_else(|| id.clone()),
            code: path(&properties, "CodeUri")?,
            environment: environment(&properties)?,
            timeout: lambda.timeout,
            schedules,
        };
        functions.insert(id.clone(), function);
    }
    for resource in resources.of(APPLICATION) {
        let (id, properties) = (&resource.logical_id, resource.properties());
        let function = Function {
            binary: id.clone(),
            code: path(&properties, "Location")?,
            environment: variables(properties.get("Parameters")?)?,
            timeout: ELSEWHERE.timeout,
            schedules: Vec::new(),
        };
        functions.insert(id.clone(), function);
    }
    Ok(functions)
}

/// The binary that cargo-lambda makes a function of, where the template names one.
// SPEC: AWS SAM, "Building Rust Lambda functions with Cargo Lambda": Metadata.BuildProperties.Binary
fn binary(metadata: &Field<'_>) -> Result<Option<String>, Located> {
    match metadata.get("BuildMethod")? {
        Some(method) if method.text()? == "rust-cargolambda" => {}
        Some(_) | None => return Ok(None),
    }
    let Some(properties) = metadata.get("BuildProperties")? else { return Ok(None) };
    properties.get("Binary")?.map(|binary| binary.text().map(str::to_owned)).transpose()
}

fn environment(properties: &Field<'_>) -> Result<BTreeMap<String, String>, Located> {
    let Some(environment) = properties.get("Environment")? else { return Ok(BTreeMap::new()) };
    environment.only(&[&["Variables"]])?;
    variables(environment.get("Variables")?)
}

fn variables(field: Option<Field<'_>>) -> Result<BTreeMap<String, String>, Located> {
    let Some(variables) = field else { return Ok(BTreeMap::new()) };
    variables.entries()?.map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned()))).collect()
}

/// The path of a file or folder, unless the property names something else, such as an object of S3.
fn path(properties: &Field<'_>, name: &str) -> Result<Option<String>, Located> {
    Ok(properties.get(name)?.and_then(|field| field.text().ok().map(str::to_owned)))
}

fn method(
    event: &Field<'_>,
    function: &Resource,
    auth: &Auth,
    notices: &Notices,
) -> Result<ApiMethod, Located> {
    const TOLD: &[&str] = &["RequestModel", "RequestParameters", "ResponseTransferMode"];
    event.only(&[&["RestApiId", "Path", "Method", "Auth", "TimeoutInMillis"], TOLD])?;
    event.tell(TOLD, notices)?;
    let path = event.need("Path")?;
    let resource = path.text()?.to_owned();
    if !resource.starts_with('/') || (resource.len() > 1 && resource.ends_with('/')) {
        return Err(path.failure(Problem::Shape("a path that begins with a slash and does not end with one")));
    }
    let method = event.need("Method")?;
    let verb = match method.text()? {
        "*" => "ANY".to_owned(),
        verb => verb.to_ascii_uppercase(),
    };
    if !VERBS.contains(&verb.as_str()) {
        return Err(method.failure(Problem::OneOf("GET, PUT, POST, DELETE, PATCH, HEAD, OPTIONS, ANY")));
    }
    let (access, api_key_required) = auth.of_method(event.get("Auth")?.as_ref(), notices)?;
    let name = function.logical_id.clone();
    let integration = integration_of(name, event.get("TimeoutInMillis")?.as_ref())?;
    Ok(ApiMethod { verb, resource, access, api_key_required, integration })
}

/// The integration of the function `name`.
pub(super) fn integration_of(name: String, timeout: Option<&Field<'_>>) -> Result<Integration, Located> {
    let timeout = timeout.map(|timeout| timeout.whole(50, INTEGRATION_MILLISECONDS)).transpose()?;
    let timeout = Duration::from_millis(timeout.unwrap_or(INTEGRATION_MILLISECONDS));
    Ok(Integration::Function { name, timeout })
}

fn schedule(name: &str, event: &Field<'_>, expression: &str, known: &[&str]) -> Result<Schedule, Located> {
    event.only(&[known])?;
    let expression = event.need(expression)?;
    let text = expression.text()?;
    if !(["rate(", "cron(", "at("].iter().any(|kind| text.starts_with(kind)) && text.ends_with(')')) {
        return Err(expression.failure(Problem::Shape("rate(…), cron(…) or at(…)")));
    }
    let optional = |key| event.get(key)?.map(|field| field.text().map(str::to_owned)).transpose();
    let enabled = match (event.get("Enabled")?, event.get("State")?) {
        (Some(enabled), None) => enabled.flag()?,
        (_, Some(state)) => match state.text()? {
            "ENABLED" => true,
            "DISABLED" => false,
            _ => return Err(state.failure(Problem::OneOf("ENABLED, DISABLED"))),
        },
        (None, None) => true,
    };
    Ok(Schedule {
        name: name.to_owned(),
        expression: text.to_owned(),
        time_zone: optional("ScheduleExpressionTimezone")?,
        input: optional("Input")?,
        enabled,
    })
}
