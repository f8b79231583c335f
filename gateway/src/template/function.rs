//! Owns the functions: what they are built from, their environment, and the events that invoke them.

use std::{collections::BTreeMap, time::Duration};

use super::{
    auth::Auth,
    error::{Located, Problem},
    resource::{FUNCTION, Resource, Resources},
    stack::{Function, Schedule},
    value::Field,
};
use crate::rest::api::ApiMethod;

/// What API Gateway waits for an integration, unless told to wait less.
// SPEC: Amazon API Gateway, "Quotas for configuring and running a REST API": integration timeout
const INTEGRATION_MILLISECONDS: u64 = 29_000;
/// What Lambda gives an invocation, unless told otherwise.
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

/// Reads all functions, and the methods of the API `api_id` that invoke them.
pub(super) fn read(
    resources: &Resources,
    api_id: &str,
    auth: &Auth,
) -> Result<(BTreeMap<String, Function>, Vec<ApiMethod>), Located> {
    let mut functions = BTreeMap::new();
    let mut methods: Vec<ApiMethod> = Vec::new();
    for resource in resources.of(FUNCTION) {
        let properties = resource.properties();
        if let Some(url) = properties.get("FunctionUrlConfig")? {
            return Err(url.failure(Problem::Property));
        }
        let mut schedules = Vec::new();
        if let Some(events) = properties.get("Events")? {
            for (name, event) in events.entries()? {
                event.only(&[&["Type", "Properties"]])?;
                let kind = event.need("Type")?;
                match kind.text()? {
                    "Api" => {
                        let method = method(&event.need("Properties")?, resource, api_id, auth)?;
                        let clash = methods
                            .iter()
                            .find(|other| other.resource == method.resource && other.verb == method.verb);
                        if let Some(other) = clash {
                            let problem = Problem::Clash("method and path", other.function.clone());
                            return Err(event.failure(problem));
                        }
                        methods.push(method);
                    }
                    "Schedule" => {
                        schedules.push(schedule(name, &event.need("Properties")?, "Schedule", SCHEDULE)?);
                    }
                    "ScheduleV2" => {
                        let properties = event.need("Properties")?;
                        schedules.push(schedule(name, &properties, "ScheduleExpression", SCHEDULE_V2)?);
                    }
                    _ => return Err(kind.failure(Problem::OneOf("Api, Schedule, ScheduleV2"))),
                }
            }
        }
        let function = Function {
            binary: binary(&resource.metadata())?,
            environment: environment(&properties)?,
            timeout: match properties.get("Timeout")? {
                Some(timeout) => Duration::from_secs(timeout.whole(1, 900)?),
                None => DEFAULT_TIMEOUT,
            },
            schedules,
        };
        functions.insert(resource.logical_id.clone(), function);
    }
    Ok((functions, methods))
}

/// The binary that the build makes a function of.
// SPEC: AWS SAM, "Building Rust Lambda functions with Cargo Lambda": Metadata.BuildProperties.Binary
fn binary(metadata: &Field<'_>) -> Result<String, Located> {
    let method = metadata.need("BuildMethod")?;
    if method.text()? != "rust-cargolambda" {
        return Err(method.failure(Problem::OneOf("rust-cargolambda")));
    }
    Ok(metadata.need("BuildProperties")?.need("Binary")?.text()?.to_owned())
}

fn environment(properties: &Field<'_>) -> Result<BTreeMap<String, String>, Located> {
    let variables = match properties.get("Environment")? {
        Some(environment) => {
            environment.only(&[&["Variables"]])?;
            environment.get("Variables")?
        }
        None => None,
    };
    let Some(variables) = variables else { return Ok(BTreeMap::new()) };
    variables.entries()?.map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned()))).collect()
}

fn method(event: &Field<'_>, function: &Resource, api_id: &str, auth: &Auth) -> Result<ApiMethod, Located> {
    event.only(&[&["RestApiId", "Path", "Method", "Auth", "TimeoutInMillis"]])?;
    let api = event.need("RestApiId")?;
    if api.text()? != api_id {
        return Err(api.failure(Problem::NotHonoured("names no API of this template")));
    }
    let path = event.need("Path")?;
    let resource = path.text()?.to_owned();
    if !resource.starts_with('/') || (resource.len() > 1 && resource.ends_with('/')) {
        return Err(path.failure(Problem::Shape("a path that begins with a slash and does not end with one")));
    }
    let verb = event.need("Method")?;
    let name = verb.text()?.to_ascii_uppercase();
    if !VERBS.contains(&name.as_str()) {
        return Err(verb.failure(Problem::OneOf("GET, PUT, POST, DELETE, PATCH, HEAD, OPTIONS, ANY")));
    }
    let (authorizer, api_key_required) = auth.of_method(event.get("Auth")?.as_ref())?;
    let timeout = match event.get("TimeoutInMillis")? {
        Some(timeout) => timeout.whole(50, INTEGRATION_MILLISECONDS)?,
        None => INTEGRATION_MILLISECONDS,
    };
    Ok(ApiMethod {
        verb: name,
        resource,
        authorizer,
        api_key_required,
        function: function.logical_id.clone(),
        timeout: Duration::from_millis(timeout),
    })
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
