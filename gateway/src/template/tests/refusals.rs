//! Each thing that stops the start, alone, with the line that says so.

mod api;
mod serving;

use super::{TEMPLATE, read};

/// What of the template is replaced, by what, and the message after the file and the line.
type Row = (&'static str, &'static str, &'static str);

fn assert_refused(rows: &[Row]) {
    for (what, instead, message) in rows {
        assert!(TEMPLATE.contains(what), "{what}");
        let refusal = read(&TEMPLATE.replacen(what, instead, 1)).map(|_| ()).unwrap_err();
        assert!(refusal.line.is_some(), "{what} -> {instead}");
        let line = refusal.to_string();
        let (_, text) = line.split_once(": ").unwrap();
        assert_eq!(text, *message, "{what} -> {instead}");
    }
}

#[test]
fn a_refusal_names_file_line_and_path() {
    let cases = [
        (
            "            FunctionPayloadType: TOKEN\n",
            "            FunctionPayloadType: COOKIE\n",
            "template.yaml:46: Resources.Api.Properties.Auth.Authorizers.Scopes.FunctionPayloadType: must be one of TOKEN, REQUEST",
        ),
        (
            "      AllowedOAuthScopes: [items/read]",
            "      AllowedOAuthScopes:\n        - items/read\n        - items/delete",
            "template.yaml:130: Resources.ShopClient.Properties.AllowedOAuthScopes.1: the template has no resource server with a scope called `items/delete`",
        ),
    ];
    for (what, instead, message) in cases {
        assert!(TEMPLATE.contains(what), "{what}");
        let refusal = read(&TEMPLATE.replacen(what, instead, 1)).map(|_| ()).unwrap_err();
        assert_eq!(refusal.to_string(), message);
    }
}

#[test]
fn what_is_no_sam_template_is_refused() {
    assert_refused(DOCUMENT);
}

#[test]
fn resources_that_would_serve_something_else_are_refused() {
    assert_refused(RESOURCES);
}

#[test]
fn parameters_with_values_that_they_forbid_are_refused() {
    assert_refused(PARAMETERS);
}

const DOCUMENT: &[Row] = &[
    ("Transform: AWS::Serverless-2016-10-31\n", "", "Transform: required, but missing"),
    (
        "Transform: AWS::Serverless-2016-10-31",
        "Transform: [AWS::Serverless-2016-10-31, Mine]",
        "Transform: valid on AWS, not played here: what this transform makes of the template is not known",
    ),
    ("Outputs:", "Output:", "Output: not a section of a template: is this the SAM template?"),
    ("\n  UserPool:\n", "\n  Api:\n", "Resources.Api: this key appears twice"),
    ("Type: AWS::IAM::Role", "<<: {}", "Resources.ItemRole.<<: not supported in YAML here: merge keys"),
    (
        "Type: AWS::IAM::Role",
        "Type: &type AWS::IAM::Role\n    Other: *type",
        "Resources.ItemRole.Other: not supported in YAML here: aliases",
    ),
    (
        "Type: AWS::IAM::Role",
        "Type: !!binary QQ==",
        "Resources.ItemRole.Type: not supported in YAML here: a tag of this type",
    ),
    (
        "Type: AWS::IAM::Role",
        "[a]: b",
        "Resources.ItemRole: not supported in YAML here: a key that is not a string",
    ),
    ("Outputs:", "---\nOutputs:", "not supported in YAML here: a second document"),
    ("Outputs:", "{", "not valid YAML: simple key expected"),
];

const RESOURCES: &[Row] = &[
    ("Type: AWS::IAM::Role", "Kind: x", "Resources.ItemRole.Type: required, but missing"),
    (
        "AWS::IAM::Role",
        "AWS::Serverless::HttpApi",
        "Resources.ItemRole: resources of type `AWS::Serverless::HttpApi` cannot be served locally",
    ),
    (
        "AWS::IAM::Role",
        "AWS::ApiGateway::RestApi",
        "Resources.ItemRole: resources of type `AWS::ApiGateway::RestApi` cannot be served locally",
    ),
    (
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "Resources.ItemRole: resources of type `AWS::Lambda::Function` cannot be served locally",
    ),
    (
        "AWS::IAM::Role",
        "AWS::CloudFormation::Stack",
        "Resources.ItemRole: resources of type `AWS::CloudFormation::Stack` cannot be served locally",
    ),
    (
        r#"Default: "no""#,
        r#"Default: "yes""#,
        "Resources.SecondServerlessApi.Properties: a second API cannot be served: leave it out by its condition",
    ),
    (
        "AWS::IAM::Role",
        "AWS::Cognito::UserPool",
        "Resources.UserPool.Properties: a second user pool cannot be served",
    ),
    (
        "    Condition: HasSecondApi",
        "    Condition: Unknown",
        "Resources.SecondServerlessApi.Condition: the template has no condition called `Unknown`",
    ),
    (
        "    Type: AWS::Cognito::UserPool\n",
        "    Type: AWS::Cognito::UserPool\n    IgnoreGlobal: \"*\"\n",
        "Resources.UserPool.IgnoreGlobal: unknown property",
    ),
    (
        "\n  Api:\n    Type: AWS::Serverless::Api",
        "\n  Api:\n    Condition: HasSecondApi\n    Type: AWS::Serverless::Api",
        "Resources: there is no AWS::Serverless::Api to serve, and no event of type Api that makes one",
    ),
];

const PARAMETERS: &[Row] = &[
    (
        "    Default: dev",
        "    Default: DEV",
        "Parameters.Stage: the value of this parameter does not match its AllowedPattern",
    ),
    (
        "    Default: dev\n",
        "",
        "Resources.Api.Properties.StageName: the parameter `Stage` has no default and was given no value",
    ),
    (
        "    Default: 300",
        "    Default: many",
        "Parameters.CacheSeconds: the value of this parameter is not a number",
    ),
    (
        "    Default: 300",
        "    Default: 3601",
        "Parameters.CacheSeconds: the value of this parameter is more than its MaxValue",
    ),
    (
        "    Default: 300",
        "    Default: -1",
        "Parameters.CacheSeconds: the value of this parameter is less than its MinValue",
    ),
    (
        r#"Default: "no""#,
        r#"Default: "perhaps""#,
        "Parameters.SecondApi: the value of this parameter is none of its AllowedValues",
    ),
    (
        "AllowedPattern: ^[a-z]+$",
        r"AllowedPattern: ^(a)\1$",
        "Parameters.Stage.AllowedPattern: cannot be honoured as a regular expression: backreferences are not supported",
    ),
    (
        "AllowedPattern: ^[a-z]+$",
        "MinLength: 4",
        "Parameters.Stage: the value of this parameter is shorter than its MinLength",
    ),
    (
        "AllowedPattern: ^[a-z]+$",
        "MaxLength: 2",
        "Parameters.Stage: the value of this parameter is longer than its MaxLength",
    ),
    ("AllowedPattern: ^[a-z]+$", "Pattern: ^[a-z]+$", "Parameters.Stage.Pattern: unknown property"),
    (
        "    Type: String\n    Default: dev",
        "    Type: AWS::SSM::Parameter::Value<String>\n    Default: dev",
        "Resources.Api.Properties.StageName: the Parameter Store cannot be read without an AWS account",
    ),
];
