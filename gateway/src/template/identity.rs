//! What resources are called on a laptop: what `Ref` and `Fn::GetAtt` give for those that are served here. Others have
//! no value.

use aws_lc_rs::digest::{SHA256, digest};
use secrecy::ExposeSecret;

use super::{
    error::Problem,
    node::Node,
    scope::{Scope, Trail},
};

/// The id of the API that is served.
const API_ID: &str = "localapi01";
/// What follows the region in the pool's id; there is one pool.
const POOL: &str = "Local0001";

impl Scope<'_> {
    /// What `Ref` gives for the resource `name`, or for one that SAM generates: `Api.Stage`, `Function.Alias`.
    pub(super) fn identity(&self, name: &str, trail: &Trail<'_>) -> Result<String, Problem> {
        if let Some((logical_id, generated)) = name.split_once('.') {
            return self.generated(logical_id, generated, trail);
        }
        let resource = match self.resource(name, trail) {
            Err(Problem::Unknown(..)) if let Some(api) = self.stage_owner(name) => {
                return self.generated(api, "Stage", trail);
            }
            resource => resource?,
        };
        let trail = trail.enter(name)?;
        // The name that the template gives the resource, or its logical id.
        let own = |property| {
            let given = self.own_property(resource, property, &trail)?;
            Ok(given.unwrap_or_else(|| name.to_owned()))
        };
        match kind_of(resource) {
            "AWS::Serverless::Api" => Ok(match self.served_api.get() {
                Some(served) if served != name => client_id(name).chars().take(10).collect(),
                Some(_) | None => API_ID.to_owned(),
            }),
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => own("FunctionName"),
            "AWS::DynamoDB::Table" => own("TableName"),
            "AWS::Cognito::UserPool" => Ok(format!("{}_{POOL}", self.facts.region)),
            "AWS::Cognito::UserPoolClient" => Ok(client_id(name)),
            "AWS::Cognito::UserPoolDomain" => own("Domain"),
            "AWS::Cognito::UserPoolResourceServer" => own("Identifier"),
            "AWS::ApiGateway::ApiKey" | "AWS::ApiGateway::UsagePlan" => Ok(name.to_owned()),
            // Secrets Manager appends six characters to an ARN.
            "AWS::SecretsManager::Secret" => {
                Ok(self.facts.arn("secretsmanager", &format!("secret:{}-Local1", own("Name")?)))
            }
            _ => Err(Problem::DeploymentOnly(name.to_owned())),
        }
    }

    /// What `Fn::GetAtt` gives.
    pub(super) fn attribute(
        &self,
        logical_id: &str,
        attribute: &str,
        trail: &Trail<'_>,
    ) -> Result<String, Problem> {
        let resource = self.resource(logical_id, trail)?;
        let identity = || self.identity(logical_id, trail);
        let provider =
            |identity| format!("cognito-idp.{}.{}/{identity}", self.facts.region, self.facts.url_suffix());
        match (kind_of(resource), attribute) {
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
                Ok(self.facts.arn("lambda", &format!("function:{}", identity()?)))
            }
            // A nested application is a function elsewhere, whichever of its outputs has the ARN.
            ("AWS::Serverless::Application", output) if output.starts_with("Outputs.") => {
                Ok(self.facts.arn("lambda", &format!("function:{logical_id}")))
            }
            ("AWS::DynamoDB::Table", "Arn") => {
                Ok(self.facts.arn("dynamodb", &format!("table/{}", identity()?)))
            }
            ("AWS::Cognito::UserPool", "Arn") => {
                Ok(self.facts.arn("cognito-idp", &format!("userpool/{}", identity()?)))
            }
            ("AWS::Cognito::UserPool", "ProviderName") => Ok(provider(identity()?)),
            ("AWS::Cognito::UserPool", "ProviderURL") => Ok(format!("https://{}", provider(identity()?))),
            ("AWS::Cognito::UserPool", "UserPoolId")
            | ("AWS::Cognito::UserPoolClient", "ClientId")
            | ("AWS::SecretsManager::Secret" | "AWS::ApiGateway::UsagePlan", "Id")
            | ("AWS::ApiGateway::ApiKey", "APIKeyId")
            | ("AWS::Serverless::Api", "RestApiId") => identity(),
            ("AWS::Cognito::UserPoolClient", "ClientSecret") => self.client_secret(logical_id),
            _ => self.generated(logical_id, attribute, trail),
        }
    }

    /// What SAM generates from a resource and lets templates refer to.
    // SPEC: AWS SAM, "Referencing generated resources": Function.Alias, Function.Version, Api.Stage, Api.Deployment
    fn generated(&self, logical_id: &str, generated: &str, trail: &Trail<'_>) -> Result<String, Problem> {
        let resource = self.resource(logical_id, trail)?;
        let trail = trail.enter(logical_id)?;
        let unknown = || Problem::DeploymentOnly(format!("{logical_id}.{generated}"));
        let property = |name| self.own_property(resource, name, &trail)?.ok_or_else(unknown);
        match (kind_of(resource), generated) {
            ("AWS::Serverless::Api", "Stage") => property("StageName"),
            ("AWS::Serverless::Function", "Alias") => {
                let function = self.own_property(resource, "FunctionName", &trail)?;
                let function = function.unwrap_or_else(|| logical_id.to_owned());
                let alias = property("AutoPublishAlias")?;
                Ok(self.facts.arn("lambda", &format!("function:{function}:{alias}")))
            }
            _ => Err(unknown()),
        }
    }

    /// The API whose stage SAM gives this name.
    // SPEC: AWS SAM, "Generated CloudFormation resources": <api-logical-id><stage-name>Stage
    fn stage_owner(&self, name: &str) -> Option<&str> {
        let resources = self.document.get("Resources")?.as_map()?;
        let name = name.strip_suffix("Stage")?;
        let is_owner =
            |(id, node): &(&String, &Node)| kind_of(node) == "AWS::Serverless::Api" && name.starts_with(*id);
        resources.iter().find(is_owner).map(|(id, _)| id.as_str())
    }

    fn client_secret(&self, logical_id: &str) -> Result<String, Problem> {
        if !self.reveals_secrets.get() {
            return Err(Problem::ClientSecret);
        }
        let secret = self.facts.client_secrets.get(logical_id);
        let unknown = || Problem::DeploymentOnly(format!("{logical_id}.ClientSecret"));
        Ok(secret.ok_or_else(unknown)?.expose_secret().to_owned())
    }

    /// A property of the resource, or of all resources of its type (`Globals`).
    fn own_property(
        &self,
        resource: &Node,
        property: &str,
        trail: &Trail<'_>,
    ) -> Result<Option<String>, Problem> {
        let own = resource.get("Properties").and_then(|properties| properties.get(property));
        let node = own.or_else(|| self.global(resource, property));
        node.map(|node| self.text(node, trail)).transpose()
    }
}

/// The type of a resource.
pub(super) fn kind_of(resource: &Node) -> &str {
    resource.get("Type").and_then(Node::as_text).unwrap_or_default()
}

/// An id as Cognito's look, the same at every start.
fn client_id(logical_id: &str) -> String {
    let digest = digest(&SHA256, logical_id.as_bytes());
    digest.as_ref().iter().take(26).filter_map(|byte| char::from_digit(u32::from(byte % 36), 36)).collect()
}
