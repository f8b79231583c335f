//! Owns the template reader: the text of a SAM template in, everything of it that is served on a laptop out.
//!
//! What runs locally shall be what deploys, so the reader refuses what it cannot honour: an authorizer of another type,
//! a property of the API that it does not know, a resource that would serve something else. It evaluates CloudFormation's
//! intrinsic functions, parameters, mappings and conditions as far as a value is needed; what does not concern serving
//! (alarms, roles, log groups, …) is not even evaluated. A template comes from outside: size, depth and the work of its
//! evaluation are bounded. The gateway, the issuer and the functions themselves are left to others.
//!
//! ```
//! use gateway::template::{Facts, Template};
//!
//! # fn main() -> Result<(), gateway::template::TemplateError> {
//! let text = r#"
//! Transform: AWS::Serverless-2016-10-31
//! Resources:
//!   Api:
//!     Type: AWS::Serverless::Api
//!     Properties: { StageName: dev }
//!   UserPool:
//!     Type: AWS::Cognito::UserPool
//!   Shop:
//!     Type: AWS::Cognito::UserPoolClient
//!     Properties:
//!       UserPoolId: !Ref UserPool
//!       ClientName: shop
//!       GenerateSecret: true
//!       AllowedOAuthFlowsUserPoolClient: true
//!       AllowedOAuthFlows: [client_credentials]
//!       AllowedOAuthScopes: []
//!   ShopSecret:
//!     Type: AWS::SecretsManager::Secret
//!     Properties:
//!       SecretString: !Sub '{"client_id":"${Shop}","client_secret":"${Shop.ClientSecret}"}'
//! "#;
//! let template = Template::parse("template.yaml", text)?;
//!
//! // The secrets of clients are the caller's to draw; without them a secret that holds one has no value.
//! let mut facts = Facts::default();
//! for logical_id in template.logical_ids("AWS::Cognito::UserPoolClient") {
//!     facts.client_secrets.insert(logical_id.to_owned(), "drawn just now".to_owned().into());
//! }
//! let stack = template.stack(&facts)?;
//! assert_eq!(stack.api.stage, "dev");
//! assert!(stack.secrets.contains_key("ShopSecret"));
//! # Ok(())
//! # }
//! ```

mod api;
mod auth;
mod cognito;
mod condition;
mod error;
mod facts;
mod function;
mod identity;
mod intrinsic;
mod node;
mod parameter;
mod pattern;
mod resource;
mod scope;
mod secret;
mod stack;
mod table;
#[cfg(test)]
mod tests;
mod usage;
mod value;
mod yaml;

use self::{
    auth::Auth,
    error::Located,
    node::{Kind, Node},
    resource::Resources,
    scope::{Scope, Trail},
};
pub use self::{
    error::{Problem, TemplateError},
    facts::Facts,
    stack::{
        AttributeType, Client, Function, Index, Key, Projection, Schedule, Secret, Stack, Table, UserPool,
    },
};
use crate::rest::api::Api;

/// The one transform that is applied here.
const SAM: &str = "AWS::Serverless-2016-10-31";

/// The sections that a template can have. `Outputs` and `Rules` decide nothing of what is served.
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

/// A template that has been parsed, and waits for the facts of the world that it is to run in.
#[derive(Debug)]
pub struct Template {
    file: String,
    document: Node,
}

impl Template {
    /// Parses `text`; `file` is what errors call it.
    ///
    /// # Errors
    /// If it is no YAML as CloudFormation reads it, or no SAM template.
    pub fn parse(file: &str, text: &str) -> Result<Self, TemplateError> {
        let document = yaml::read(text).and_then(|document| {
            sections(&document)?;
            Ok(document)
        });
        let document = document.map_err(|error| error.in_file(file))?;
        Ok(Self { file: file.to_owned(), document })
    }

    /// The logical ids of all resources of type `kind`, those that a condition leaves out included.
    pub fn logical_ids(&self, kind: &str) -> impl Iterator<Item = &str> {
        let resources = self.document.get("Resources").and_then(Node::as_map).into_iter().flatten();
        resources.filter(move |(_, node)| identity::kind_of(node) == kind).map(|(name, _)| name.as_str())
    }

    /// Reads everything that is served, for the world that `facts` describe.
    ///
    /// # Errors
    /// The first thing in the template that cannot be honoured.
    pub fn stack(&self, facts: &Facts) -> Result<Stack, TemplateError> {
        self.read(facts).map_err(|error| error.in_file(&self.file))
    }

    fn read(&self, facts: &Facts) -> Result<Stack, Located> {
        let scope = Scope::new(&self.document, facts)?;
        let resources = Resources::read(&scope)?;
        let api =
            resources.only(resource::API, "a second API cannot be served: leave it out by its condition")?;
        let api = api.ok_or_else(|| Located {
            line: self.document.get("Resources").map(|section| section.line),
            path: "Resources".to_owned(),
            problem: Problem::NotHonoured("there is no AWS::Serverless::Api to serve"),
        })?;
        let field = api.properties();
        let api_id = scope.identity(&api.logical_id, &Trail::START);
        let api_id = api_id.map_err(|problem| field.failure(problem))?;
        let settings = api::read(&field)?;
        let auth = Auth::read(field.get("Auth")?.as_ref(), &scope, &resources)?;
        let (functions, methods) = function::read(&resources, &api_id, &auth)?;
        let (api_keys, usage_plans) = usage::read(&scope, &resources, &api_id, &settings.stage)?;
        Ok(Stack {
            functions,
            user_pool: cognito::read(&scope, &resources)?,
            tables: table::read(&scope, &resources)?,
            secrets: secret::read(&scope, &resources)?,
            api: Api {
                partition: facts.partition.clone(),
                region: facts.region.clone(),
                account_id: facts.account_id.clone(),
                api_id,
                stage: settings.stage,
                methods,
                authorizers: auth.authorizers,
                responses: settings.responses,
                binary_media_types: settings.binary_media_types,
                api_key_source: settings.api_key_source,
                api_keys,
                usage_plans,
                throttle: settings.throttle,
            },
        })
    }
}

/// Checks the outermost keys.
fn sections(document: &Node) -> Result<(), Located> {
    let failure = |line, path: &str, problem| Located { line: Some(line), path: path.to_owned(), problem };
    let Some(entries) = document.as_map() else {
        return Err(failure(document.line, "", Problem::Shape("a mapping")));
    };
    if let Some((key, node)) = entries.iter().find(|(key, _)| !SECTIONS.contains(&key.as_str())) {
        return Err(failure(node.line, key, Problem::Property));
    }
    let Some(transform) = document.get("Transform") else {
        return Err(failure(document.line, "Transform", Problem::Missing));
    };
    let is_sam = match &transform.kind {
        Kind::Text(name) => name == SAM,
        Kind::List(names) => names.iter().all(|name| name.as_text() == Some(SAM)) && !names.is_empty(),
        Kind::Null | Kind::Map(_) | Kind::Call(..) => false,
    };
    if !is_sam {
        return Err(failure(transform.line, "Transform", Problem::OneOf(SAM)));
    }
    Ok(())
}
