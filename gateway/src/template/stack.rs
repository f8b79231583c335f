//! What is read of a template beside the API: functions, user pool, tables and secrets.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;
use serde_json::Value;

use super::error::TemplateError;
use crate::rest::api::Api;

/// Everything of a template that is served on a laptop. Resources are named by their logical ids.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The REST API. Its methods and authorizers name functions by logical id.
    pub api: Api,
    /// The functions.
    pub functions: BTreeMap<String, Function>,
    /// The user pool, if there is one.
    pub user_pool: Option<UserPool>,
    /// The DynamoDB tables.
    pub tables: BTreeMap<String, Table>,
    /// The secrets of Secrets Manager.
    pub secrets: BTreeMap<String, Secret>,
}

/// The API of a template, and the functions that it may invoke.
#[derive(Clone, Debug)]
pub struct Service {
    /// The REST API. Its methods and authorizers name functions by logical id.
    pub api: Api,
    /// The functions by logical id.
    pub functions: BTreeMap<String, Lambda>,
    /// What of the template is not played.
    pub notices: Vec<TemplateError>,
}

/// How a function is invoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lambda {
    /// The binary that cargo-lambda builds it from, where the template names one.
    pub binary: Option<String>,
    /// How long an invocation may take.
    pub timeout: Duration,
}

/// One Lambda function, or a nested application that stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The binary that it is built from.
    pub binary: String,
    /// Where its code is, beside the template: `CodeUri`, or the `Location` of an application.
    pub code: Option<String>,
    /// Its environment variables, or the parameters of an application.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// What else invokes it.
    pub schedules: Vec<Schedule>,
}

/// A schedule that invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The event's name in the template.
    pub name: String,
    /// `rate(…)`, `cron(…)` or `at(…)`.
    pub expression: String,
    /// The time zone that the expression is read in; UTC unless the template says otherwise.
    pub time_zone: Option<String>,
    /// The event that the function gets, as JSON; EventBridge's own event if there is none.
    pub input: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
}

/// The Cognito user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPool {
    /// The pool's id, `us-east-1_…`.
    pub id: String,
    /// The scope names of each resource server, by the server's identifier.
    pub resource_servers: BTreeMap<String, Vec<String>>,
    /// The app clients.
    pub clients: BTreeMap<String, Client>,
}

/// An app client that gets tokens by the client-credentials grant. Its secret is the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's id: what `Ref` gives.
    pub id: String,
    /// Its `ClientName`.
    pub name: String,
    /// The scopes that it may ask for, `server/name`, each of them a resource server's.
    pub scopes: Vec<String>,
    /// How long its access tokens live.
    pub token_life: Duration,
}

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The table's name.
    pub name: String,
    /// The `CreateTable` request, as far as it decides what the table answers.
    pub request: Value,
}

/// A secret. Functions name it by its name or by its ARN.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The secret's name.
    pub name: String,
    /// The secret's ARN.
    pub arn: String,
    /// What is in it, with ids and secrets of clients filled in. Addresses in it are those of a deployment.
    pub value: SecretString,
    /// The tag `client_id`: whose credentials a rotation will put into it.
    pub client_id: Option<String>,
}
