//! Owns what a deployment would know and a template does not say: region, account, stack, parameter values, and the
//! names and secrets that only come to be when resources are created.

use std::collections::BTreeMap;

use secrecy::SecretString;

/// The world that a template is read for. Its default is a laptop's: nothing has to be given but the clients' secrets.
#[derive(Clone, Debug)]
pub struct Facts {
    /// `AWS::Partition`.
    pub partition: String,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`, twelve digits.
    pub account_id: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Values of parameters; each is checked as its declaration says. The others keep their defaults.
    pub parameters: BTreeMap<String, String>,
    /// What `Ref` gives for a resource, by logical id, where it shall not be the reader's own choice.
    pub refs: BTreeMap<String, String>,
    /// What `Fn::GetAtt` gives, by logical id and attribute, where it shall not be the reader's own choice.
    pub attributes: BTreeMap<(String, String), String>,
    /// The secrets of user pool clients, by logical id.
    pub client_secrets: BTreeMap<String, SecretString>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            stack_name: "local".to_owned(),
            parameters: BTreeMap::new(),
            refs: BTreeMap::new(),
            attributes: BTreeMap::new(),
            client_secrets: BTreeMap::new(),
        }
    }
}

impl Facts {
    /// `AWS::URLSuffix`.
    pub(super) fn url_suffix(&self) -> &'static str {
        if self.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    /// An ARN of this account and region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account_id)
    }
}
