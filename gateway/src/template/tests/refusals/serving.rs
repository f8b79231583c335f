//! What of functions, clients, plans and tables stops the start.

use super::{Row, assert_refused};

#[test]
fn functions_that_cannot_be_run_as_deployed_are_refused() {
    assert_refused(FUNCTIONS);
}

#[test]
fn clients_that_would_get_no_token_or_another_one_are_refused() {
    assert_refused(CLIENTS);
}

#[test]
fn limits_that_would_not_count_are_refused() {
    assert_refused(USAGE);
}

#[test]
fn tables_that_would_be_others_are_refused() {
    assert_refused(TABLES);
}

const FUNCTIONS: &[Row] = &[
    (
        "      Timeout: 60",
        "      Timeout: 901",
        "Resources.ItemFunction.Properties.Timeout: must be a whole number from 1 to 900",
    ),
    (
        "      Timeout: 60",
        "      FunctionUrlConfig: { AuthType: NONE }",
        "Resources.ItemFunction.Properties.FunctionUrlConfig: valid on AWS, not played here",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: [true]",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: must be a string",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: !GetAtt ShopClient.ClientSecret",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: a client's secret is given out in the SecretString of a secret only",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: '{{resolve:secretsmanager:shop}}'",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: dynamic references cannot be resolved without an AWS account",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: !Ref AlarmTopic",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: the parameter `AlarmTopic` has no default and was given no value",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: !Ref Alarm",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: the template has no condition called `NoSuchCondition`",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: !GetAtt ItemRole.Arn",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: the value of `ItemRole.Arn` is known only after a deployment",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: !Ref SecondServerlessApi",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: `SecondServerlessApi` does not exist: its condition is false",
    ),
    (
        "VERBOSE: true",
        "VERBOSE: !ImportValue shop",
        "Resources.ItemFunction.Properties.Environment.Variables.VERBOSE: valid on AWS, not played here: an intrinsic function that is not evaluated",
    ),
    (
        "          Type: Schedule\n",
        "          Type: SQS\n",
        "Resources.ItemFunction.Properties.Events.Daily.Type: must be one of Api, Schedule, ScheduleV2",
    ),
    (
        "          Type: Schedule\n",
        "          Type: HttpApi\n",
        "Resources.ItemFunction.Properties.Events.Daily.Type: must be one of Api, Schedule, ScheduleV2",
    ),
    (
        "cron(15 0 * * ? *)",
        "daily",
        "Resources.ItemFunction.Properties.Events.Daily.Properties.Schedule: must be rate(…), cron(…) or at(…)",
    ),
    (
        "State: DISABLED",
        "State: MAYBE",
        "Resources.ItemFunction.Properties.Events.Hourly.Properties.State: must be one of ENABLED, DISABLED",
    ),
    (
        "State: DISABLED",
        "EndDate: 2030-01-01",
        "Resources.ItemFunction.Properties.Events.Hourly.Properties.EndDate: unknown property",
    ),
    (
        "RestApiId: !Ref Api, Method: get",
        "Method: get",
        "Resources.ServerlessRestApi.Properties: a second API cannot be served: leave it out by its condition",
    ),
    (
        "RestApiId: !Ref Api, Method: get",
        "RestApiId: other, Method: get",
        "Resources.ItemFunction.Properties.Events.ReadItem.Properties.RestApiId: names no API of this template",
    ),
    (
        "Method: get",
        "Method: fetch",
        "Resources.ItemFunction.Properties.Events.ReadItem.Properties.Method: must be one of GET, PUT, POST, DELETE, PATCH, HEAD, OPTIONS, ANY",
    ),
    (
        "/items/{id}",
        "items/{id}",
        "Resources.ItemFunction.Properties.Events.ReadItem.Properties.Path: must be a path that begins with a slash and does not end with one",
    ),
    (
        "            Method: ANY\n            Path: /open",
        "            Method: GET\n            Path: /items/{id}",
        "Resources.ItemFunction.Properties.Events.Welcome: the same method and path as ItemFunction",
    ),
    (
        "TimeoutInMillis: 5000",
        "TimeoutInMillis: 29001",
        "Resources.ItemFunction.Properties.Events.Welcome.Properties.TimeoutInMillis: must be a whole number from 50 to 29000",
    ),
    (
        "TimeoutInMillis: 5000",
        "RequestModel: { Model: Item }",
        "Resources.ItemFunction.Properties.Events.Welcome.Properties.RequestModel: valid on AWS, not played here",
    ),
    (
        "TimeoutInMillis: 5000",
        "RequestParameters: [method.request.header.X]",
        "Resources.ItemFunction.Properties.Events.Welcome.Properties.RequestParameters: valid on AWS, not played here",
    ),
];

const CLIENTS: &[Row] = &[
    (
        "    Type: AWS::Cognito::UserPool\n",
        "    Type: AWS::Cognito::UserPool\n    Properties: { LambdaConfig: { PreTokenGeneration: x } }\n",
        "Resources.UserPool.Properties.LambdaConfig: triggers could change tokens: none are run locally",
    ),
    (
        "AllowedOAuthScopes: [items/read]",
        "AllowedOAuthScopes: [items/delete]",
        "Resources.ShopClient.Properties.AllowedOAuthScopes.0: the template has no resource server with a scope called `items/delete`",
    ),
    (
        "AllowedOAuthScopes: [items/read]",
        "AllowedOAuthScopes: [openid]",
        "Resources.ShopClient.Properties.AllowedOAuthScopes.0: the template has no resource server with a scope called `openid`",
    ),
    (
        "AllowedOAuthFlows: [client_credentials]",
        "AllowedOAuthFlows: [code]",
        "Resources.ShopClient.Properties.AllowedOAuthFlows: only the client_credentials flow is served",
    ),
    (
        "GenerateSecret: true",
        "GenerateSecret: false",
        "Resources.ShopClient.Properties.GenerateSecret: must be true: the client-credentials grant needs it",
    ),
    (
        "AccessTokenValidity: 60",
        "AccessTokenValidity: 4",
        "Resources.ShopClient.Properties.AccessTokenValidity: must be from 5 minutes to 1 day",
    ),
    (
        "{ AccessToken: minutes }",
        "{ AccessToken: years }",
        "Resources.ShopClient.Properties.TokenValidityUnits.AccessToken: must be one of seconds, minutes, hours, days",
    ),
    (
        "      UserPoolId: !Ref UserPool\n      ClientName",
        "      UserPoolId: us-east-1_Other\n      ClientName",
        "Resources.ShopClient.Properties.UserPoolId: names no user pool of this template",
    ),
    (
        "      SecretString: !Sub",
        "      SecretString: !Sub ${Client.ClientSecret}\n      Description: !Sub",
        "Resources.ShopSecret.Properties.SecretString: the template has no parameter or resource called `Client`",
    ),
    (
        "      SecretString: !Sub",
        "      GenerateSecretString: {}\n      Description: !Sub",
        "Resources.ShopSecret.Properties.SecretString: required, but missing",
    ),
];

const USAGE: &[Row] = &[
    (
        "Value: !Ref ShopClient",
        "Name: shop",
        "Resources.ShopKey.Properties: the API key `ShopKey` has no value in the template: send localus3xouh163lnqija11ne10tvx2q4yobk here",
    ),
    (
        "Value: !Ref ShopClient",
        "Values: [], Value: !Ref ShopClient",
        "Resources.ShopKey.Properties.Values: unknown property",
    ),
    (
        "      ApiStages: [{ ApiId: !Ref Api, Stage: !Ref Api.Stage }]\n",
        "",
        "Resources.ShopPlan.Properties.ApiStages: required, but missing",
    ),
    (
        "Stage: !Ref Api.Stage",
        "Stage: prod",
        "Resources.ShopPlan.Properties.ApiStages.0.Stage: names no API, or no stage of it, that is served",
    ),
    (
        "Stage: !Ref Api.Stage",
        "Stage: !Ref Stage, Throttle: {}",
        "Resources.ShopPlan.Properties.ApiStages.0.Throttle: valid on AWS, not played here",
    ),
    ("RateLimit: 0.5, ", "", "Resources.ShopPlan.Properties.Throttle.RateLimit: required, but missing"),
    (
        "Period: DAY",
        "Period: YEAR",
        "Resources.ShopPlan.Properties.Quota.Period: must be one of DAY, WEEK, MONTH",
    ),
    (
        "Limit: 1000000",
        "Limit: 0",
        "Resources.ShopPlan.Properties.Quota.Limit: must be a whole number from 1 to 4294967295",
    ),
    (
        "KeyId: !Ref ShopKey",
        "KeyId: other",
        "Resources.ShopPlanKey.Properties.KeyId: names no API key of this template",
    ),
    (
        "UsagePlanId: !Ref ShopPlan",
        "UsagePlanId: other",
        "Resources.ShopPlanKey.Properties.UsagePlanId: names no usage plan of this template",
    ),
    (
        "KeyType: API_KEY",
        "KeyType: OTHER",
        "Resources.ShopPlanKey.Properties.KeyType: must be one of API_KEY",
    ),
];

const TABLES: &[Row] = &[
    (
        "      BillingMode: PAY_PER_REQUEST",
        "      LocalSecondaryIndexes: []",
        "Resources.ItemTable.Properties.LocalSecondaryIndexes: unknown property",
    ),
    (
        "          KeySchema: [{ AttributeName: at, KeyType: HASH }]\n",
        "",
        "Resources.ItemTable.Properties.GlobalSecondaryIndexes.0.KeySchema: required, but missing",
    ),
    ("KeyType: RANGE", "KeyType: ~", "Resources.ItemTable.Properties.KeySchema.1.KeyType: must be a string"),
];
