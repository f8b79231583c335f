//! Any template, or (`#events`, a line of its own) any events of a function in a template that is otherwise good. It is
//! served, or refused with an error that says where; what is served is what it says.
#![no_main]

use std::collections::BTreeSet;

use gateway::template::{Facts, Template};
use libfuzzer_sys::fuzz_target;

const AROUND: &str = "\
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        DefaultAuthorizer: Scopes
        Authorizers:
          Scopes:
            FunctionArn: !GetAtt Authorizer.Arn
  Authorizer:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: authorizer } }
    Properties: { CodeUri: authorizer, Handler: bootstrap, Runtime: provided.al2023 }
  Orders:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: order } }
    Properties:
      CodeUri: handlers
      Handler: bootstrap
      Runtime: provided.al2023
      Events:
";

fuzz_target!(|data: &str| {
    let embedded = data.strip_prefix("#events\n").map(|events| {
        let indented: String = events.lines().map(|line| format!("        {line}\n")).collect();
        format!("{AROUND}{indented}")
    });
    let text = embedded.as_deref().unwrap_or(data);
    let template = Template::parse("template.yaml", text);
    if let Ok(template) = &template {
        _ = template.stack(&Facts::default());
    }
    match template.and_then(|template| template.service(&Facts::default(), None)) {
        Ok(service) => {
            let methods: Vec<_> =
                service.api.methods.iter().map(|method| (&method.resource, &method.verb)).collect();
            let distinct: BTreeSet<_> = methods.iter().map(|method| format!("{method:?}")).collect();
            assert_eq!(methods.len(), distinct.len(), "one route served twice");
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("template.yaml") && !said.contains('\n'), "{said}");
            assert!(said.chars().count() <= 1_000, "{said}");
        }
    }
});
