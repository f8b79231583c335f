//! The resources of a template: which of them exist, which concern serving, and which cannot be honoured.

use super::{
    error::{Located, Problem},
    identity::kind_of,
    node::{Kind, Node},
    scope::{Scope, Trail},
    value::{Field, Value},
};

pub(super) const API: &str = "AWS::Serverless::Api";
pub(super) const FUNCTION: &str = "AWS::Serverless::Function";
pub(super) const RAW_FUNCTION: &str = "AWS::Lambda::Function";
pub(super) const APPLICATION: &str = "AWS::Serverless::Application";
pub(super) const API_KEY: &str = "AWS::ApiGateway::ApiKey";
pub(super) const USAGE_PLAN: &str = "AWS::ApiGateway::UsagePlan";
pub(super) const USAGE_PLAN_KEY: &str = "AWS::ApiGateway::UsagePlanKey";
pub(super) const USER_POOL: &str = "AWS::Cognito::UserPool";
pub(super) const CLIENT: &str = "AWS::Cognito::UserPoolClient";
pub(super) const RESOURCE_SERVER: &str = "AWS::Cognito::UserPoolResourceServer";
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";
pub(super) const SECRET: &str = "AWS::SecretsManager::Secret";

/// What is read for the API; of other types nothing is evaluated.
const SERVED: &[&str] = &[API, FUNCTION, RAW_FUNCTION, APPLICATION, API_KEY, USAGE_PLAN, USAGE_PLAN_KEY];

/// What is read besides, for a whole system on a laptop.
const BESIDES: &[&str] = &[
    API,
    FUNCTION,
    APPLICATION,
    API_KEY,
    USAGE_PLAN,
    USAGE_PLAN_KEY,
    USER_POOL,
    CLIENT,
    RESOURCE_SERVER,
    TABLE,
    SECRET,
];

/// Types that would change what a whole system serves, or that could: not to be ignored there. A name that ends with `:`
/// stands for all that begin with it.
const REFUSED: &[&str] = &[
    "AWS::ApiGateway::",
    "AWS::ApiGatewayV2::",
    "AWS::CloudFormation::",
    "AWS::DynamoDB::",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Url",
    "AWS::Serverless::",
];

/// Exceptions from [`REFUSED`]: they serve no one.
const IGNORED: &[&str] = &[
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::DocumentationPart",
    "AWS::ApiGateway::DocumentationVersion",
    "AWS::CloudFormation::CustomResource",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::Serverless::Connector",
    "AWS::Serverless::LayerVersion",
];

/// What an API consists of that is written out resource by resource.
const RAW: &[&str] = &[
    "AWS::ApiGateway::Authorizer",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
];
const RAW_REASON: &str = "APIs made of raw AWS::ApiGateway::Method, Resource, Authorizer or GatewayResponse; \
    an AWS::Serverless::Api with events or a DefinitionBody is";

/// What a served resource may have beside its properties.
const ATTRIBUTES: &[&str] = &[
    "Type",
    "Properties",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "IgnoreGlobals",
    "Metadata",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// One resource that exists and is served.
pub(super) struct Resource {
    pub(super) logical_id: String,
    kind: String,
    properties: Value,
    metadata: Value,
}

impl Resource {
    /// Its properties, `Globals` included.
    pub(super) fn properties(&self) -> Field<'_> {
        Field::root(format!("Resources.{}.Properties", self.logical_id), &self.properties)
    }

    /// Its metadata, for the build tools.
    pub(super) fn metadata(&self) -> Field<'_> {
        Field::root(format!("Resources.{}.Metadata", self.logical_id), &self.metadata)
    }
}

/// All resources that exist and are served, by logical id.
pub(super) struct Resources(Vec<Resource>);

impl Resources {
    /// Takes stock of the section `Resources`.
    pub(super) fn read(scope: &Scope<'_>, choice: Option<&str>, is_strict: bool) -> Result<Self, Located> {
        let section = scope.document.get("Resources");
        let Some(entries) = section.and_then(Node::as_map) else {
            let line = section.map_or(scope.document.line, |node| node.line);
            let problem = section.map_or(Problem::Missing, |_| Problem::Shape("a mapping"));
            return Err(Located { line: Some(line), path: "Resources".to_owned(), problem });
        };
        // Known before anything is evaluated: other APIs have other ids.
        let is_served = |(id, node): &(&String, &Node)| {
            kind_of(node) == API
                && choice.is_none_or(|choice| *id == choice)
                && scope.exists(node, &Trail::START).unwrap_or(false)
        };
        if let Some((served, _)) = entries.iter().find(is_served) {
            // It is set only here.
            _ = scope.served_api.set(served.clone());
        }
        let mut resources = Vec::new();
        for (logical_id, node) in entries {
            let failure = |key: &str, line, problem| {
                let path = format!("Resources.{logical_id}{key}");
                Located { line: Some(line), path, problem }
            };
            let kind = kind_of(node);
            if kind.is_empty() {
                return Err(failure(".Type", node.line, Problem::Missing));
            }
            let refused =
                REFUSED.iter().any(|name| kind == *name || (name.ends_with(':') && kind.starts_with(name)));
            let refused = refused && is_strict;
            let is_raw = !is_strict && RAW.contains(&kind);
            let served = is_raw || if is_strict { BESIDES } else { SERVED }.contains(&kind);
            // The condition of a resource that does not matter need not be evaluated.
            if !served && (!refused || IGNORED.contains(&kind)) {
                continue;
            }
            let exists = match scope.exists(node, &Trail::START) {
                Err(_) if is_raw => Ok(true),
                exists => exists,
            };
            if !exists.map_err(|problem| failure(".Condition", node.line, problem))? {
                continue;
            }
            if !served {
                return Err(failure("", node.line, Problem::ResourceType(kind.to_owned())));
            }
            if is_strict
                && let Some((key, node)) = node.as_map().and_then(|attributes| {
                    attributes.iter().find(|(key, _)| !ATTRIBUTES.contains(&key.as_str()))
                })
            {
                return Err(failure(&format!(".{key}"), node.line, Problem::Property));
            }
            let properties = scope.properties(node).map_err(|problem| {
                let line = node.get("IgnoreGlobals").map_or(node.line, |node| node.line);
                failure(".IgnoreGlobals", line, problem)
            })?;
            resources.push(Resource {
                logical_id: logical_id.clone(),
                kind: kind.to_owned(),
                properties: scope.value(&properties, &Trail::START),
                metadata: scope.value(node.get("Metadata").unwrap_or(&Node::empty(node.line)), &Trail::START),
            });
        }
        Ok(Self(resources))
    }

    /// The resources of one type.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.0.iter().filter(move |resource| resource.kind == kind)
    }

    /// The API to serve: the one called `choice`, or the only one.
    pub(super) fn api(&self, scope: &Scope<'_>, choice: Option<&str>) -> Result<&Resource, Located> {
        let section = scope.document.get("Resources");
        let failure = |problem| Located {
            line: section.map(|section| section.line),
            path: "Resources".to_owned(),
            problem,
        };
        let mut apis = self.of(API);
        if let Some(chosen) = self.of(API).find(|api| Some(api.logical_id.as_str()) == choice) {
            return Ok(chosen);
        }
        match (apis.next(), apis.next()) {
            (Some(only), None) if choice.is_none() => Ok(only),
            (Some(_), _) => {
                let names: Vec<_> = self.of(API).map(|api| api.logical_id.as_str()).collect();
                Err(failure(Problem::ChooseApi(names.join(", "))))
            }
            (None, _) => {
                let is_raw = |resource: &Resource| RAW.contains(&resource.kind.as_str());
                let none =
                    "there is no AWS::Serverless::Api to serve, and no event of type Api that makes one";
                Err(match self.0.iter().find(|resource| is_raw(resource)) {
                    Some(raw) => raw.properties().failure(Problem::NotPlayed(RAW_REASON)),
                    None => failure(Problem::NotHonoured(none)),
                })
            }
        }
    }

    /// Refuses what is added to the API `api_id` outside of it: who gets in would not be known.
    pub(super) fn refuse_raw(&self, api_id: &str) -> Result<(), Located> {
        for resource in self.0.iter().filter(|resource| RAW.contains(&resource.kind.as_str())) {
            let properties = resource.properties();
            if properties.get("RestApiId")?.is_some_and(|id| id.text().is_ok_and(|id| id == api_id)) {
                return Err(properties.failure(Problem::NotPlayed(RAW_REASON)));
            }
        }
        Ok(())
    }

    /// The only resource of a type.
    pub(super) fn only(&self, kind: &str, reason: &'static str) -> Result<Option<&Resource>, Located> {
        let mut all = self.of(kind);
        let first = all.next();
        match all.next() {
            None => Ok(first),
            Some(second) => Err(second.properties().failure(Problem::NotHonoured(reason))),
        }
    }
}

impl<'t> Scope<'t> {
    /// What `Globals` says of a property of resources of this one's type, unless the resource ignores it.
    pub(super) fn global(&self, resource: &Node, property: &str) -> Option<&'t Node> {
        self.globals(resource)?.get(property).filter(|_| !ignores(resource, property))
    }

    fn globals(&self, resource: &Node) -> Option<&'t Node> {
        let section = match kind_of(resource) {
            API => "Api",
            FUNCTION => "Function",
            _ => return None,
        };
        self.document.get("Globals")?.get(section)
    }

    /// The properties of a resource as written, over those of `Globals`.
    // SPEC: AWS SAM, resource attribute IgnoreGlobals: `*`, or a list of properties that `Globals` has
    fn properties(&self, resource: &Node) -> Result<Node, Problem> {
        let own = resource.get("Properties").cloned().unwrap_or_else(|| Node::empty(resource.line));
        let Some(globals) = self.globals(resource) else { return Ok(own) };
        if let Some(ignored) = resource.get("IgnoreGlobals") {
            let is_global = |name: &Node| name.as_text().is_some_and(|name| globals.get(name).is_some());
            let is_list = ignored.as_list().is_some_and(|names| names.iter().all(is_global));
            if ignored.as_text() != Some("*") && !is_list {
                return Err(Problem::Shape("`*`, or a list of properties that Globals has"));
            }
        }
        let mut globals = globals.clone();
        if let Kind::Map(entries) = &mut globals.kind {
            entries.retain(|property, _| !ignores(resource, property));
        }
        Ok(own.over(&globals))
    }
}

/// Whether a resource does without what `Globals` says of a property.
fn ignores(resource: &Node, property: &str) -> bool {
    let is_it = |node: &Node| matches!(node.as_text(), Some(name) if name == property);
    resource.get("IgnoreGlobals").is_some_and(|ignored| {
        ignored.as_text() == Some("*") || ignored.as_list().is_some_and(|names| names.iter().any(is_it))
    })
}
