//! What of the API stops the start.

use super::{Row, assert_refused};

#[test]
fn properties_of_the_api_that_cannot_be_honoured_are_refused() {
    assert_refused(API);
}

#[test]
fn what_leaves_open_who_gets_in_is_refused() {
    assert_refused(AUTH);
}

const API: &[Row] = &[
    (
        "      StageName: !Ref Stage\n      BinaryMediaTypes",
        "      BinaryMediaTypes",
        "Resources.Api.Properties.StageName: required, but missing",
    ),
    (
        "      StageName: !Ref Stage\n      BinaryMediaTypes",
        "      StageName: a/b\n      BinaryMediaTypes",
        "Resources.Api.Properties.StageName: must be letters, digits, hyphens and underscores",
    ),
    (
        "      BinaryMediaTypes:",
        "      DefinitionBody: {}\n      BinaryMediaTypes:",
        "Resources.Api.Properties.Definition.paths: required, but missing",
    ),
    (
        "      BinaryMediaTypes:",
        "      DefinitionUri: api.yaml\n      BinaryMediaTypes:",
        "Resources.Api.Properties.DefinitionUri: names no file that can be read here",
    ),
    (
        "      BinaryMediaTypes:",
        "      Cors: \"*\"\n      BinaryMediaTypes:",
        "Resources.Api.Properties.Cors: must be a value in single quotes of its own",
    ),
    (
        "      BinaryMediaTypes:",
        "      Models: {}\n      BinaryMediaTypes:",
        "Resources.Api.Properties.Models: valid on AWS, not played here",
    ),
    (
        "      BinaryMediaTypes:",
        "      CacheClusterEnabled: true\n      BinaryMediaTypes:",
        "Resources.Api.Properties.CacheClusterEnabled: valid on AWS, not played here",
    ),
    (
        "Type: REGIONAL",
        "Type: PRIVATE",
        "Resources.Api.Properties.EndpointConfiguration.Type: valid on AWS, not played here: served on loopback",
    ),
    (
        "ApiKeySourceType: AUTHORIZER",
        "ApiKeySourceType: COOKIE",
        "Resources.Api.Properties.ApiKeySourceType: must be one of HEADER, AUTHORIZER",
    ),
    (
        "ResourcePath: /*,",
        "ResourcePath: /items*,",
        "Resources.Api.Properties.MethodSettings.0: valid on AWS, not played here: a limit is for all methods (ResourcePath `/*`, HttpMethod `*`) or for one, each once",
    ),
    (
        ", ThrottlingBurstLimit: 400",
        "",
        "Resources.Api.Properties.MethodSettings.0.ThrottlingBurstLimit: required, but missing",
    ),
    (
        "ThrottlingBurstLimit: 400",
        "ThrottlingBurstLimit: -1",
        "Resources.Api.Properties.MethodSettings.0.ThrottlingBurstLimit: must be a whole number from 0 to 4294967295",
    ),
    (
        "ThrottlingRateLimit: 200",
        "ThrottlingRateLimit: -1",
        "Resources.Api.Properties.MethodSettings.0.ThrottlingRateLimit: must be a number that is not negative",
    ),
    (
        r#"HttpMethod: "*","#,
        r#"HttpMethod: "*", CachingEnabled: true,"#,
        "Resources.Api.Properties.MethodSettings.0.CachingEnabled: valid on AWS, not played here",
    ),
    (
        "          StatusCode: 401",
        "          StatusCode: 99",
        "Resources.Api.Properties.GatewayResponses.UNAUTHORIZED.StatusCode: must be a whole number from 200 to 599",
    ),
    (
        "            Headers:\n",
        "            Paths: {}\n            Headers:\n",
        "Resources.Api.Properties.GatewayResponses.UNAUTHORIZED.ResponseParameters.Paths: valid on AWS, not played here",
    ),
    (
        "          StatusCode: 401",
        "          Status: 401",
        "Resources.Api.Properties.GatewayResponses.UNAUTHORIZED.Status: unknown property",
    ),
];

const AUTH: &[Row] = &[
    (
        "DefaultAuthorizer: Scopes",
        "DefaultAuthorizer: Scope",
        "Resources.Api.Properties.Auth.DefaultAuthorizer: the template has no authorizer called `Scope`",
    ),
    (
        "DefaultAuthorizer: Scopes",
        "DefaultAuthorizer: NONE",
        "Resources.Api.Properties.Auth.DefaultAuthorizer: the template has no authorizer called `NONE`",
    ),
    (
        "DefaultAuthorizer: Scopes",
        "DefaultAuthorizer: AWS_IAM",
        "Resources.Api.Properties: `GET /items/{id}`: AWS_IAM needs an AWS account: valid on AWS, not played here; it is answered 500",
    ),
    (
        "        ApiKeyRequired: true",
        "        ApiKeyRequired: sometimes",
        "Resources.Api.Properties.Auth.ApiKeyRequired: must be true or false",
    ),
    (
        "FunctionPayloadType: TOKEN",
        "AuthorizationScopes: [items/read]",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.AuthorizationScopes: valid on AWS, not played here",
    ),
    (
        "            FunctionArn: !GetAtt AuthorizerFunction.Arn\n",
        "",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.FunctionArn: required, but missing",
    ),
    (
        "FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "FunctionArn: !GetAtt Authorizer.Arn",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.FunctionArn: the template has no parameter or resource called `Authorizer`",
    ),
    (
        "FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "FunctionArn: !GetAtt ItemTable.Arn",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.FunctionArn: names no function of this template",
    ),
    (
        "FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "FunctionArn: !Sub ${AuthorizerFunction.Arn}Other",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.FunctionArn: names no function of this template",
    ),
    (
        "FunctionArn: !GetAtt AuthorizerFunction.Arn",
        "FunctionArn: !Ref AuthorizerFunction.Alias",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.FunctionArn: the value of `AuthorizerFunction.Alias` is known only after a deployment",
    ),
    (
        "Header: Authorization",
        "Header: no header",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.Identity.Header: must be the name of a header",
    ),
    (
        "Header: Authorization",
        "Headers: [Authorization]",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.Identity.Headers: unknown property",
    ),
    (
        r"^(?i:bearer) [\w.-]+$",
        "^(?=Bearer ).*$",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.Identity.ValidationExpression: cannot be honoured as a regular expression: look-around, including look-ahead and look-behind, is not supported",
    ),
    (
        r"^(?i:bearer) [\w.-]+$",
        "^Bearer .*+$",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.Identity.ValidationExpression: cannot be honoured as a regular expression: possessive quantifiers are not supported",
    ),
    (
        "ReauthorizeEvery: !Ref CacheSeconds",
        "ReauthorizeEvery: 3601",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.Identity.ReauthorizeEvery: must be a whole number from 0 to 3600",
    ),
    (
        "ReauthorizeEvery: !Ref CacheSeconds",
        "ReauthorizeEvery: 1.5",
        "Resources.Api.Properties.Auth.Authorizers.Scopes.Identity.ReauthorizeEvery: must be a whole number from 0 to 3600",
    ),
    (
        "Auth: { Authorizer: NONE,",
        "Auth: { Authorizer: Nobody,",
        "Resources.ItemFunction.Properties.Events.Welcome.Properties.Auth.Authorizer: the template has no authorizer called `Nobody`",
    ),
    (
        "Auth: { Authorizer: NONE,",
        "Auth: { Authorizer: AWS_IAM,",
        "Resources.Api.Properties: `ANY /open`: AWS_IAM needs an AWS account: valid on AWS, not played here; it is answered 500",
    ),
    (
        "Auth: { Authorizer: NONE,",
        "Auth: { Authorizer: !If [HasSecondApi, NONE, !GetAtt Item.Name],",
        "Resources.ItemFunction.Properties.Events.Welcome.Properties.Auth.Authorizer: the template has no parameter or resource called `Item`",
    ),
    (
        "Auth: { Authorizer: NONE,",
        "Auth: { AuthorizationScopes: [items/read],",
        "Resources.ItemFunction.Properties.Events.Welcome.Properties.Auth.AuthorizationScopes: valid on AWS, not played here",
    ),
];
