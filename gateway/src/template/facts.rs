//! What a deployment would know and a template does not say: region, account, stack, parameter values, and the secrets
//! of clients.

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
