import * as cdk from "aws-cdk-lib";
import * as apigateway from "aws-cdk-lib/aws-apigateway";
import * as lambda from "aws-cdk-lib/aws-lambda";

const app = new cdk.App();
const stack = new cdk.Stack(app, "books");
const books = new lambda.Function(stack, "Books", {
  runtime: lambda.Runtime.PYTHON_3_13,
  handler: "books.handler",
  code: lambda.Code.fromAsset("../functions"),
});

// New: the zip of a release and a folder with your routes.json.
const scopegate = new lambda.Function(stack, "Scopegate", {
  runtime: lambda.Runtime.PROVIDED_AL2023,
  architecture: lambda.Architecture.ARM_64,
  handler: "bootstrap",
  code: lambda.Code.fromAsset("scopegate/authorizer-arm64.zip"),
  layers: [new lambda.LayerVersion(stack, "Routes", { code: lambda.Code.fromAsset("scopegate/layer") })],
  memorySize: 256,
  timeout: cdk.Duration.seconds(5),
  environment: {
    USER_POOL_ID: app.node.getContext("userPoolId"),
    CLIENT_IDS: app.node.getContext("clientIds"),
  },
});
const authorizer = new apigateway.TokenAuthorizer(stack, "Authorizer", {
  handler: scopegate, // CDK adds the permission
  validationRegex: "^[Bb]earer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$",
  resultsCacheTtl: cdk.Duration.minutes(5),
});

const api = new apigateway.RestApi(stack, "Api", { defaultMethodOptions: { authorizer } });
const list = api.root.addResource("books");
const one = list.addResource("{isbn}");
const integration = new apigateway.LambdaIntegration(books);
for (const [resource, verb] of [[list, "GET"], [one, "GET"], [one, "PUT"]] as const) resource.addMethod(verb, integration);
