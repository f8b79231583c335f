//! Reads SAM templates: everything in them that is served on a laptop.
//!
//! What runs locally is what deploys, so the reader refuses what it cannot honour: an authorizer of another type,
//! a property of the API that it does not know, a resource that would serve something else. It evaluates CloudFormation's
//! intrinsic functions, parameters, mappings and conditions as far as a value is needed; what does not concern serving
//! (alarms, roles, log groups, …) is not even evaluated. A template comes from outside: size, depth and the work of its
//! evaluation are bounded.
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
mod cors;
mod error;
mod expand;
mod facts;
mod function;
mod identity;
mod intrinsic;
mod node;
mod openapi;
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

use std::collections::BTreeMap;

use self::{
    auth::Auth,
    error::{Located, Notices},
    function::Functions,
    node::{Kind, Node},
    resource::Resources,
    scope::{Scope, Trail},
    value::{Field, Value},
};
pub use self::{
    error::{Problem, TemplateError},
    facts::Facts,
    stack::{Client, Function, Lambda, Schedule, Secret, Service, Stack, Table, UserPool},
};
use crate::rest::api::{Access, Api, ApiMethod, Integration};

/// The transforms that are applied here.
const SAM: &str = "AWS::Serverless-2016-10-31";
const LANGUAGE_EXTENSIONS: &str = "AWS::LanguageExtensions";

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
    /// As it was written, files included.
    source: Node,
    /// With loops written out over what parameters are by default.
    document: Node,
    /// The definitions of APIs that are in separate files, by `DefinitionUri`.
    definitions: BTreeMap<String, Node>,
}

impl Template {
    /// Parses `text`; `file` is what errors call it. Other files that it names are not read.
    ///
    /// # Errors
    /// If it is not YAML as CloudFormation reads it, or not a SAM template.
    pub fn parse(file: &str, text: &str) -> Result<Self, TemplateError> {
        Self::parse_with(file, text, &|_| None)
    }

    /// Parses `text`, and whatever `read` finds of the files that it names: definitions of APIs, and `AWS::Include`.
    ///
    /// # Errors
    /// If any of it is not YAML as CloudFormation reads it, or it is not a SAM template.
    pub fn parse_with(
        file: &str,
        text: &str,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, TemplateError> {
        let files = |location: &str| read(location).map(|text| yaml::read(&text)).transpose();
        let parsed = yaml::read(text).and_then(|document| {
            sections(&document)?;
            let source = expand::include(document, &files)?;
            let document = expand::loops(&source, &Facts::default())?;
            let mut definitions = BTreeMap::new();
            let resources = document.get("Resources").and_then(Node::as_map).into_iter().flatten();
            let uris =
                resources.filter_map(|(_, node)| node.get("Properties")?.get("DefinitionUri")?.as_text());
            for uri in uris {
                if let Some(definition) = files(uri)? {
                    definitions.insert(uri.to_owned(), expand::include(definition, &files)?);
                }
            }
            Ok(Self { file: file.to_owned(), source, document, definitions })
        });
        parsed.map_err(|error| error.in_file(file))
    }

    /// The logical ids of all resources of type `kind`, those that a condition leaves out included.
    pub fn logical_ids(&self, kind: &str) -> impl Iterator<Item = &str> {
        let resources = self.document.get("Resources").and_then(Node::as_map).into_iter().flatten();
        resources.filter(move |(_, node)| identity::kind_of(node) == kind).map(|(name, _)| name.as_str())
    }

    /// Reads the API called `choice`, or the only one, and the functions behind it. Everything else is
    /// ignored.
    ///
    /// # Errors
    /// The first thing about the API that cannot be honoured.
    pub fn service(&self, facts: &Facts, choice: Option<&str>) -> Result<Service, TemplateError> {
        let notices = Notices::new(false);
        let read = self.expanded(facts).and_then(|document| {
            let scope = Scope::new(&document, facts)?;
            let resources = Resources::read(&scope, choice, false)?;
            self.read(&scope, &resources, choice, &notices)
        });
        let (api, functions) = read.map_err(|error| error.in_file(&self.file))?;
        Ok(Service { api, functions, notices: notices.into_errors(&self.file) })
    }

    /// Reads everything that is served of a whole system, for the world that `facts` describe.
    ///
    /// # Errors
    /// The first thing in the template that cannot be honoured.
    pub fn stack(&self, facts: &Facts) -> Result<Stack, TemplateError> {
        self.read_stack(facts).map_err(|error| error.in_file(&self.file))
    }

    fn read_stack(&self, facts: &Facts) -> Result<Stack, Located> {
        let document = self.expanded(facts)?;
        let scope = Scope::new(&document, facts)?;
        let resources = Resources::read(&scope, None, true)?;
        resources.only(resource::API, "a second API cannot be served: leave it out by its condition")?;
        let (api, lambdas) = self.read(&scope, &resources, None, &Notices::new(true))?;
        Ok(Stack {
            functions: function::read(&resources, &lambdas)?,
            user_pool: cognito::read(&scope, &resources)?,
            tables: table::read(&scope, &resources)?,
            secrets: secret::read(&scope, &resources)?,
            api,
        })
    }

    /// The document as it is evaluated.
    fn expanded(&self, facts: &Facts) -> Result<Node, Located> {
        let mut document = if facts.parameters.is_empty() {
            self.document.clone()
        } else {
            expand::loops(&self.source, facts)?
        };
        expand::implicit_api(&mut document);
        Ok(document)
    }

    fn read(
        &self,
        scope: &Scope<'_>,
        resources: &Resources,
        choice: Option<&str>,
        notices: &Notices,
    ) -> Result<(Api, BTreeMap<String, Lambda>), Located> {
        if scope.document.get("Transform").is_none() {
            let line = Some(scope.document.line);
            notices.add(Located { line, path: "Transform".to_owned(), problem: Problem::Missing })?;
        }
        let resource = resources.api(scope, choice)?;
        let properties = resource.properties();
        let api_id = scope.identity(&resource.logical_id, &Trail::START);
        let api_id = api_id.map_err(|problem| properties.failure(problem))?;
        resources.refuse_raw(&api_id)?;
        let mut api = api::read(&properties, scope.facts, api_id, notices)?;
        let functions = Functions::read(scope, resources, notices.is_strict())?;
        let auth_field = properties.get("Auth")?;
        let auth = Auth::read(auth_field.as_ref(), &functions, notices)?;
        let definition = self.definition(scope, &properties)?;
        let is_defined = definition.is_some();
        api.methods = function::methods(scope, resources, &api.api_id, is_defined, &auth, notices)?;
        if let Some(definition) = &definition {
            let path = format!("Resources.{}.Properties.Definition", resource.logical_id);
            openapi::read(&Field::root(path, definition), &functions, &auth, notices, &mut api)?;
        }
        let (access, api_key_required) = auth.of_preflight();
        cors::add(properties.get("Cors")?.as_ref(), &access, api_key_required, &mut api.methods)?;
        api.authorizers.extend(auth.into_played());
        for method in &api.methods {
            tell(method, &properties, notices)?;
        }
        usage::read(scope, resources, notices, &mut api)?;
        usage::of_auth(&resource.logical_id, auth_field.as_ref(), notices, &mut api)?;
        Ok((api, functions.into_lambdas()))
    }

    /// The API's own definition, if it has one.
    fn definition(&self, scope: &Scope<'_>, api: &Field<'_>) -> Result<Option<Value>, Located> {
        if let Some(body) = api.get("DefinitionBody")? {
            return Ok(Some(body.value()));
        }
        let Some(uri) = api.get("DefinitionUri")? else { return Ok(None) };
        let failure = || uri.failure(Problem::NotHonoured("names no file that can be read here"));
        let definition = self.definitions.get(uri.text()?).ok_or_else(failure)?;
        Ok(Some(scope.value(definition, &Trail::START)))
    }
}

/// Reads YAML that describes anything else as JSON, in which every scalar is a string. `file` is what errors call it.
///
/// # Errors
/// If it is not YAML as CloudFormation reads it; only its size is not bounded.
pub fn yaml_as_json(file: &str, text: &str) -> Result<serde_json::Value, TemplateError> {
    yaml::read_long(text).map(Node::into_json).map_err(|error| error.in_file(file))
}

/// Reports a method that is not played.
fn tell(method: &ApiMethod, api: &Field<'_>, notices: &Notices) -> Result<(), Located> {
    let access = match &method.access {
        Access::NotPlayed(reason) => Some(*reason),
        Access::Open | Access::Authorizer(_) => None,
    };
    let integration = match &method.integration {
        Integration::NotPlayed(reason) => Some(*reason),
        Integration::Function { .. } | Integration::Mock(_) => None,
    };
    match access.or(integration) {
        None => Ok(()),
        Some(reason) => {
            let problem = Problem::Method(format!("{} {}", method.verb, method.resource), reason);
            notices.add(api.failure(problem))
        }
    }
}

/// Checks the outermost keys.
fn sections(document: &Node) -> Result<(), Located> {
    let failure = |line, path: &str, problem| Located { line: Some(line), path: path.to_owned(), problem };
    let Some(entries) = document.as_map() else {
        return Err(failure(document.line, "", Problem::Shape("a mapping")));
    };
    if let Some((key, node)) = entries.iter().find(|(key, _)| !SECTIONS.contains(&key.as_str())) {
        let reason = "not a section of a template: is this the SAM template?";
        return Err(failure(node.line, key, Problem::NotHonoured(reason)));
    }
    let Some(transform) = document.get("Transform") else { return Ok(()) };
    let names: Vec<&Node> = match &transform.kind {
        Kind::List(names) => names.iter().collect(),
        Kind::Null | Kind::Text(_) | Kind::Map(_) | Kind::Call(..) => vec![transform],
    };
    if !names.iter().any(|name| name.as_text() == Some(SAM)) {
        return Err(failure(transform.line, "Transform", Problem::OneOf(SAM)));
    }
    match names.iter().find(|name| !matches!(name.as_text(), Some(SAM | LANGUAGE_EXTENSIONS))) {
        None => Ok(()),
        Some(other) => {
            let reason = "what this transform makes of the template is not known";
            Err(failure(other.line, "Transform", Problem::NotPlayed(reason)))
        }
    }
}
