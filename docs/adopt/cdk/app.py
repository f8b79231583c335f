import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

app = cdk.App()
stack = cdk.Stack(app, "books")
books = lambda_.Function(
    stack, "Books", runtime=lambda_.Runtime.PYTHON_3_13, handler="books.handler", code=lambda_.Code.from_asset("../functions")
)

# New: the zip of a release and a folder with your routes.json.
routes = lambda_.LayerVersion(stack, "Routes", code=lambda_.Code.from_asset("scopegate/layer"))
scopegate = lambda_.Function(
    stack,
    "Scopegate",
    runtime=lambda_.Runtime.PROVIDED_AL2023,
    architecture=lambda_.Architecture.ARM_64,
    handler="bootstrap",
    code=lambda_.Code.from_asset("scopegate/authorizer-arm64.zip"),
    layers=[routes],
    memory_size=256,
    timeout=cdk.Duration.seconds(5),
    environment={"USER_POOL_ID": app.node.get_context("userPoolId"), "CLIENT_IDS": app.node.get_context("clientIds")},
)
authorizer = apigateway.TokenAuthorizer(
    stack,
    "Authorizer",
    handler=scopegate,  # CDK adds the permission
    validation_regex=r"^[Bb]earer [A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
    results_cache_ttl=cdk.Duration.minutes(5),
)

api = apigateway.RestApi(stack, "Api", default_method_options=apigateway.MethodOptions(authorizer=authorizer))
catalogue = api.root.add_resource("books")
one = catalogue.add_resource("{isbn}")
for resource, verb in ((catalogue, "GET"), (one, "GET"), (one, "PUT")):
    resource.add_method(verb, apigateway.LambdaIntegration(books))
app.synth()
