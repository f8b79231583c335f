//! Owns the resources of a template: which of them exist, which concern serving, and which cannot be honoured.

use super::{
    error::{Located, Problem},
    identity::kind_of,
    node::Node,
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
    "Custom::",
];

/// Exceptions from [`REFUSED`]: they serve no one.
const IGNORED: &[&str] = &[
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::DocumentationPart",
    "AWS::ApiGateway::DocumentationVersion",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::Serverless::Connector",
    "AWS::Serverless::LayerVersion",
];

/// An API that is written out resource by resource.
const RAW_METHOD: &str = "AWS::ApiGateway::Method";

/// What a served resource may have beside its properties.
const ATTRIBUTES: &[&str] = &[
    "Type",
    "Properties",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
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

    /// What it tells the build tools.
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
            // Nobody else sets it.
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
            let served = if is_strict { BESIDES } else { SERVED }.contains(&kind);
            // The condition of a resource that does not matter need not be evaluated.
            if !served && (!refused || IGNORED.contains(&kind)) {
                continue;
            }
            let exists = scope.exists(node, &Trail::START);
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
            resources.push(Resource {
                logical_id: logical_id.clone(),
                kind: kind.to_owned(),
                properties: scope.value(&scope.properties(node), &Trail::START),
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
        if let Some(choice) = choice {
            let chosen = apis.find(|api| api.logical_id == choice);
            return chosen.ok_or_else(|| failure(Problem::Unknown("API", choice.to_owned())));
        }
        match (apis.next(), apis.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => {
                let names: Vec<_> = self.of(API).map(|api| api.logical_id.as_str()).collect();
                Err(failure(Problem::ChooseApi(names.join(", "))))
            }
            (None, _) => {
                let is_raw = |node: &Node| kind_of(node) == RAW_METHOD;
                let has_raw = section.and_then(Node::as_map).is_some_and(|all| all.values().any(is_raw));
                let raw = "an API made of AWS::ApiGateway::Method resources is valid on AWS, not played here";
                let none =
                    "there is no AWS::Serverless::Api to serve, and no event of type Api that makes one";
                Err(failure(Problem::NotHonoured(if has_raw { raw } else { none })))
            }
        }
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
    /// What `Globals` says of resources of this one's type.
    pub(super) fn globals(&self, resource: &Node) -> Option<&'t Node> {
        let section = match kind_of(resource) {
            API => "Api",
            FUNCTION => "Function",
            _ => return None,
        };
        self.document.get("Globals")?.get(section)
    }

    /// The properties of a resource as written, over those of `Globals`.
    fn properties(&self, resource: &Node) -> Node {
        let own = resource.get("Properties").cloned().unwrap_or_else(|| Node::empty(resource.line));
        match self.globals(resource) {
            Some(global) => own.over(global),
            None => own,
        }
    }
}
