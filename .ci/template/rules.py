"""What must hold of the template once it is transformed: one function a rule, which raises where it does not.

Linters know the shape of each property; these know what the properties are for. `mutations.py` proves each of them.
"""

import json
import re
from collections.abc import Iterable

import contract
from deployed import Deployed, strings

# Amazon API Gateway, "Gateway response types".
GATEWAY_RESPONSES = set(
    "ACCESS_DENIED API_CONFIGURATION_ERROR AUTHORIZER_CONFIGURATION_ERROR AUTHORIZER_FAILURE BAD_REQUEST_PARAMETERS "
    "BAD_REQUEST_BODY DEFAULT_4XX DEFAULT_5XX EXPIRED_TOKEN INTEGRATION_FAILURE INTEGRATION_TIMEOUT INVALID_API_KEY "
    "INVALID_SIGNATURE MISSING_AUTHENTICATION_TOKEN QUOTA_EXCEEDED REQUEST_TOO_LARGE RESOURCE_NOT_FOUND THROTTLED "
    "UNAUTHORIZED UNSUPPORTED_MEDIA_TYPE WAF_FILTERED".split()
)

# AWS Lambda, "Giving Lambda functions access to resources in an Amazon VPC".
NETWORK = [
    f"ec2:{action}"
    for action in (
        "AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces",
        "DescribeSubnets", "UnassignPrivateIpAddresses",
    )
]  # fmt: skip


def the_loops_reach_everything(it: Deployed) -> None:
    """Whoever adds a client, a function or a table and forgets a list is told which."""
    source = it.source["Resources"]
    functions = it.functions()
    names = {name: name.removesuffix("Function") for name in functions}
    variables = {name: function["Environment"]["Variables"] for name, function in functions.items()}
    tables = {name.removesuffix("Table"): one["Properties"] for name, one in source.items() if one["Type"] == "AWS::DynamoDB::Table"}
    expected = {
        ("Clients", "All"): set(it.source["Mappings"]["Clients"]),
        ("Functions", "All"): set(names.values()),
        ("Functions", "WithStore"): {name for name, table in tables.items() if "GlobalSecondaryIndexes" in table},
        ("Functions", "Calling"): {names[name] for name, own in variables.items() if "CREDENTIALS_SECRET" in own},
        ("Functions", "Sweeping"): {names[name] for name, function in functions.items() if "Sweep" in function.get("Events", {})},
        ("Tables", "All"): set(tables),
    }
    lists = it.source["Mappings"]["Names"]
    assert {(kind, one) for kind, named in lists.items() for one in named} == set(expected)
    same("Mappings.Names.Functions.WithStore", lists["Functions"]["WithStore"], it.source["Mappings"]["Stores"])
    for (kind, one), wanted in expected.items():
        same(f"Mappings.Names.{kind}.{one}", lists[kind][one], wanted)


def same(place: str, found: Iterable[str], wanted: Iterable[str]) -> None:
    missing, unknown = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    assert not missing and not unknown, f"template.yaml, {place}: missing {missing}, unknown {unknown}"


def every_method_has_the_token_authorizer(it: Deployed) -> None:
    scheme = it.body()["components"]["securitySchemes"]["ScopeAuthorizer"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "token"
    assert (scheme["name"], scheme["in"]) == ("Authorization", "header")
    assert int(authorizer["authorizerResultTtlInSeconds"]) == int(it.parameters["AuthorizerCacheSeconds"])
    assert "AuthorizerFunction" in json.dumps(authorizer["authorizerUri"])
    for verb, path, operation in it.methods():
        is_open = {"ScopeAuthorizer": []} not in operation["security"]
        assert is_open == ((verb, path) in contract.OPEN), f"{verb} {path} is open"


def the_validation_expression_takes_any_casing_of_bearer(it: Deployed) -> None:
    scheme = it.body()["components"]["securitySchemes"]["ScopeAuthorizer"]
    expression = scheme["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    for value in ("Bearer a.b.c", "bearer aA0-_.b.c", "BEARER a.b.c", "bEARER a.b.c"):
        assert re.fullmatch(expression, value), value
    for value in ("Basic a.b.c", "Bearer a.b", "Bearer a.b.c.d", "Bearer  a.b.c", "Bearer a.b.c d", "a.b.c", "Bearer a.b.c="):
        assert not re.fullmatch(expression, value), value


def every_method_asks_for_an_api_key(it: Deployed) -> None:
    for verb, path, operation in it.methods():
        asks = {"api_key": []} in operation["security"]
        assert asks or (verb, path) in contract.OPEN, f"{verb} {path} asks for no key"


def the_authorizer_names_the_api_key(it: Deployed) -> None:
    assert it.resources["Api"]["Properties"]["ApiKeySourceType"] == "AUTHORIZER"


def the_routes_are_the_route_table(it: Deployed) -> None:
    binaries = {name: function["Metadata"]["BuildProperties"]["Binary"] for name, function in it.functions().items()}
    found = {}
    for verb, path, operation in it.methods():
        uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        named = re.search(r"\$\{(\w+?)Alias\w+\}", uri)
        assert named, f"{verb} {path} does not call a function's alias: {uri}"
        found[verb, path] = binaries[named[1]]
    assert found == {route: function for route, (_, function) in contract.routes().items()} | contract.OPEN


def the_scopes_are_the_route_tables(it: Deployed) -> None:
    offered = {
        f"{server['Identifier']}/{scope['ScopeName']}"
        for server in it.of_type("AWS::Cognito::UserPoolResourceServer").values()
        for scope in server["Scopes"]
    }
    assert offered == contract.scopes()


def the_clients_have_exactly_their_scopes(it: Deployed) -> None:
    clients = {client["ClientName"]: client for client in it.of_type("AWS::Cognito::UserPoolClient").values()}
    assert {name: " ".join(client["AllowedOAuthScopes"]) for name, client in clients.items()} == contract.CLIENTS
    for name, client in clients.items():
        assert client["AllowedOAuthFlows"] == ["client_credentials"], name
        assert client["AllowedOAuthFlowsUserPoolClient"] is True and client["GenerateSecret"] is True, name
        assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"], name
        assert client["AccessTokenValidity"] == {"Ref": "TokenMinutes"}, name
        assert client["TokenValidityUnits"] == {"AccessToken": "minutes"}, name


def clients_wait_for_the_resource_servers_of_their_scopes(it: Deployed) -> None:
    servers = {s["Identifier"]: name for name, s in it.of_type("AWS::Cognito::UserPoolResourceServer").items()}
    for name, client in it.of_type("AWS::Cognito::UserPoolClient").items():
        needed = {servers[scope.split("/")[0]] for scope in client["AllowedOAuthScopes"]}
        same("DependsOn of ${Client}Client", needed & it.needs()[name], needed)


def each_client_has_a_key_and_a_plan(it: Deployed) -> None:
    keys = it.of_type("AWS::ApiGateway::ApiKey")
    plans = it.of_type("AWS::ApiGateway::UsagePlan")
    pairs = {(k["KeyId"]["Ref"], k["UsagePlanId"]["Ref"]) for k in it.of_type("AWS::ApiGateway::UsagePlanKey").values()}
    counted = {it.text(keys[key]["Value"]): plans[plan] for key, plan in pairs if keys[key]["Enabled"] is True}
    assert set(counted) == set(it.of_type("AWS::Cognito::UserPoolClient"))
    assert len({plan for _, plan in pairs}) == len(plans) == len(keys), "a plan of its own for each client"
    for client, plan in counted.items():
        assert plan["ApiStages"] == [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiStage"}}], client
        assert plan["Throttle"]["RateLimit"] > 0 and plan["Throttle"]["BurstLimit"] > 0, client
        assert plan["Quota"]["Limit"] > 0, client


def the_authorizer_knows_every_client(it: Deployed) -> None:
    listed = it.of_type("AWS::Lambda::Function")["AuthorizerFunction"]["Environment"]["Variables"]["CLIENT_IDS"]
    assert isinstance(listed, dict), "a list of clients, not any client"
    separator, ids = listed["Fn::Join"]
    assert separator == ","
    same("CLIENT_IDS of AuthorizerFunction", {one["Ref"] for one in ids}, it.of_type("AWS::Cognito::UserPoolClient"))


def every_setting_is_one_the_code_reads(it: Deployed) -> None:
    for name, function in it.functions().items():
        binary = function["Metadata"]["BuildProperties"]["Binary"]
        variables = set(function["Environment"]["Variables"])
        assert contract.required_settings(binary) <= variables, name
        unknown = variables - contract.literals(function["CodeUri"])
        assert not unknown, f"{name}: nothing reads {unknown}"


def gateway_responses_speak_our_json(it: Deployed) -> None:
    responses = it.body()["x-amazon-apigateway-gateway-responses"]
    assert set(responses) <= GATEWAY_RESPONSES, set(responses) - GATEWAY_RESPONSES
    statuses = {kind: int(response["statusCode"]) for kind, response in responses.items() if "statusCode" in response}
    expected = {"UNAUTHORIZED": 401, "ACCESS_DENIED": 403, "INVALID_API_KEY": 403, "THROTTLED": 429}
    expected |= {"MISSING_AUTHENTICATION_TOKEN": 404}
    expected |= {"QUOTA_EXCEEDED": 429, "REQUEST_TOO_LARGE": 413, "INTEGRATION_TIMEOUT": 504}
    assert statuses == expected
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(responses)
    for kind, response in responses.items():
        template = response["responseTemplates"]["application/json"]
        body = json.loads(template.replace("$context.error.messageString", '"text"'))
        assert {"error", "message", "request_id"} <= set(body) <= {"error", "message", "request_id", "granted_scope"}, kind
        assert body["request_id"] == "$context.requestId", kind


def refusals_name_the_bearer_scheme(it: Deployed) -> None:
    responses = it.body()["x-amazon-apigateway-gateway-responses"]
    for kind, error in (("UNAUTHORIZED", "invalid_token"), ("ACCESS_DENIED", "insufficient_scope")):
        header = responses[kind]["responseParameters"]["gatewayresponse.header.WWW-Authenticate"]
        assert header == f"'Bearer realm=\"scopegate\", error=\"{error}\"'", kind
    denied = json.loads(responses["ACCESS_DENIED"]["responseTemplates"]["application/json"].replace(
        "$context.error.messageString", '""'
    ))
    assert denied["granted_scope"] == "$context.authorizer.scope"


def functions_run_as_built(it: Deployed) -> None:
    binaries = {f["Metadata"]["BuildProperties"]["Binary"] for f in it.functions().values()}
    assert binaries == {"authorizer", "token", "rotate"} | {function for _, function in contract.routes().values()}
    for name, function in it.functions().items():
        assert function["Metadata"]["BuildMethod"] == "rust-cargolambda", name
    for name, function in it.lambdas().items():
        assert function["Runtime"] == "provided.al2023", name
        assert function["Handler"] == "bootstrap", name
        assert function["Architectures"] == [{"Ref": "Architecture"}], name
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        # What no request waits for may take longer: the report's scheduled run, and a step of a rotation.
        longest = 900 if name in ("ReportFunction", "RotateFunction") else 29
        assert 1 <= function["Timeout"] <= longest, f"{name}: API Gateway waits no longer than 29 s"


def logs_are_json_in_groups_that_expire(it: Deployed) -> None:
    groups = it.of_type("AWS::Logs::LogGroup")
    for name, group in groups.items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
    used = []
    for name, function in it.of_type("AWS::Lambda::Function").items():
        assert function["LoggingConfig"]["LogFormat"] == "JSON", name
        used.append(function["LoggingConfig"]["LogGroup"]["Ref"])
    assert len(set(used)) == len(used) and set(used) <= set(groups)


def secrets_stay_in_secrets_manager(it: Deployed) -> None:
    secrets = it.of_type("AWS::SecretsManager::Secret")
    for name, resource in {**it.resources, "Outputs": it.result["Outputs"], "Parameters": it.result["Parameters"]}.items():
        for text in strings(resource):
            gives_away = text == "ClientSecret" or ".ClientSecret" in text
            assert not gives_away, f"{name} gives away a client secret"
            assert "{{resolve:" not in text, f"{name} resolves a secret"
    for name, secret in secrets.items():
        # Whatever else stood here, an update of the stack could put it in place of a value in use.
        assert secret["SecretString"] == "{}", name
        value = {tag["Key"]: tag["Value"] for tag in secret["Tags"]}
        assert set(value) == {"client_id", "token_url", "api_url"}, name
        assert it.text(value["client_id"]) == f"{name.removesuffix('Secret')}Client", name
        domain = it.text(it.resources["UserPoolDomain"]["Properties"]["Domain"])
        chosen, given, own = value["token_url"]["Fn::If"]
        assert (chosen, given) == ("HasTokenUrl", {"Ref": "TokenUrl"}), name
        assert it.text(own) == f"https://{domain}.auth.eu-central-1.amazoncognito.com/oauth2/token", name
        assert it.text(value["api_url"]) == it.text(it.result["Outputs"]["ApiUrl"]["Value"]), name
    assert {it.text(s["Name"]).split("/")[1] for s in secrets.values()} == set(contract.CLIENTS)


def functions_may_do_what_they_need_and_no_more(it: Deployed) -> None:
    functions = it.lambdas()
    roles = {function["Role"]["Fn::GetAtt"][0]: name for name, function in functions.items()}
    assert len(roles) == len(functions), "a role of its own for each function"
    rotated = set()
    for role in roles:
        assert "ManagedPolicyArns" not in it.resources[role]["Properties"], role
    for role, statement in it.statements():
        if role not in roles:
            continue
        function = functions[roles[role]]
        variables = function["Environment"]["Variables"]
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        services = {action.split(":")[0] for action in actions}
        assert len(services) == 1 and not any("*" in action for action in actions), (role, actions)
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        resource, *more = map(it.text, resources)
        match services.pop():
            case "logs":
                assert resource == f"{function['LoggingConfig']['LogGroup']['Ref']}.Arn", role
            case "xray":
                assert resource == "*", role
            case "dynamodb":
                table = variables.get("TABLE_NAME") or variables["TOKENS_TABLE"]
                assert resource == f"{table['Ref']}.Arn", role
                assert more in ([], [f"{resource}/index/lists"]), role
                assert "dynamodb:DeleteTable" not in actions, role
                # A page of the inventory is a scan of its index.
                assert "dynamodb:Scan" not in actions or role == "InventoryRole", role
                # A report that another one replaces is taken away, and so is a token that is refused; nothing else is.
                assert "dynamodb:DeleteItem" not in actions or role in ("ReportRole", "TokenRole"), role
            case "secretsmanager" if role == "RotateRole":
                assert not more, role
                rotated.add(resource)
                assert set(actions) == {
                    f"secretsmanager:{action}"
                    for action in ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
                }, role
            case "cognito-idp":
                assert resource == "UserPool.Arn" and role == "RotateRole", role
                assert not {"cognito-idp:UpdateUserPoolClient", "cognito-idp:CreateUserPoolClient"} & set(actions), role
            case "secretsmanager":
                secret = it.resources[resource]["Properties"]
                assert it.text(secret["Name"]) == it.text(variables["CREDENTIALS_SECRET"]) and not more, role
                assert actions == ["secretsmanager:GetSecretValue"], role
            case "sqs":
                assert resource == "DeadLetters.Arn" and role == "ReportRole", role
            case "ec2":
                # A function in a VPC makes its network interfaces in its role's name.
                assert "VpcConfig" in function and actions == NETWORK, role
            case other:
                raise AssertionError(f"{role} may use {other}")
    assert rotated == set(it.of_type("AWS::SecretsManager::Secret")), "RotateRole"


def wildcards_stand_only_where_aws_needs_them(it: Deployed) -> None:
    for role, statement in it.statements():
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in map(it.text, resources):
            if resource == "*":
                assert all(action.startswith(("xray:", "ec2:")) for action in statement["Action"]), role
            else:
                assert "*" not in resource and "?" not in resource, (role, resource)
    for name, role in it.of_type("AWS::IAM::Role").items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            assert set(statement["Principal"]) == {"Service"} and "*" not in str(statement["Principal"]), name


def there_is_no_dependency_circle(it: Deployed) -> None:
    left = it.needs()
    while ready := [name for name, needed in left.items() if not needed & set(left)]:
        for name in ready:
            del left[name]
    assert not left, f"these wait for each other: {sorted(left)}"


def data_outlives_the_stack(it: Deployed) -> None:
    tables = it.of_type("AWS::DynamoDB::Table")
    tokens = tables.pop("TokensTable")
    assert tokens["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert [key["AttributeName"] for key in tokens["KeySchema"]] == ["pk", "sk"]
    owners = [f for f in it.functions().values() if "TABLE_NAME" in f["Environment"]["Variables"]]
    assert len(tables) == len(owners), "a table for each service"
    for name, table in tables.items():
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"], name
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["Protects", True, False]}, name
    for name in [*tables, *it.of_type("AWS::SecretsManager::Secret"), "UserPool"]:
        resource = it.resources[name]
        # What a failed creation leaves behind stands in the way of the next.
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name


def nobody_signs_up(it: Deployed) -> None:
    pool = it.resources["UserPool"]["Properties"]
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["DeletionProtection"] == {"Fn::If": ["Protects", "ACTIVE", "INACTIVE"]}


def old_tls_is_refused(it: Deployed) -> None:
    api = it.resources["Api"]["Properties"]
    assert api["SecurityPolicy"].startswith(("SecurityPolicy_TLS13_", "TLS_1_2")) and api["EndpointAccessMode"] == "STRICT"


def a_private_api_is_reached_through_its_endpoints_alone(it: Deployed) -> None:
    api = it.resources["Api"]["Properties"]
    own = {"Fn::Split": [",", {"Ref": "VpcEndpointIds"}]}
    assert api["EndpointConfiguration"] == {
        "Types": [{"Fn::If": ["IsPrivate", "PRIVATE", "REGIONAL"]}],
        "VpcEndpointIds": {"Fn::If": ["IsPrivate", own, {"Ref": "AWS::NoValue"}]},
    }
    when, policy, public = api["Policy"]["Fn::If"]
    assert (when, public) == ("IsPrivate", {"Ref": "AWS::NoValue"})
    allow, deny = policy["Statement"]
    assert allow["Effect"] == "Allow" and "Condition" not in allow
    # What the authorizer allows needs no Allow here: only a Deny keeps others out.
    assert deny["Effect"] == "Deny" and deny["Condition"] == {"StringNotEquals": {"aws:SourceVpce": own}}
    for statement in (allow, deny):
        assert (statement["Principal"], statement["Action"], statement["Resource"]) == ("*", "execute-api:Invoke", "execute-api:/*")


def callers_of_a_private_api_are_in_its_vpc(it: Deployed) -> None:
    inside = {name for name, function in it.of_type("AWS::Lambda::Function").items() if "VpcConfig" in function}
    callers = {name for name, function in it.lambdas().items() if "CREDENTIALS_SECRET" in function["Environment"]["Variables"]}
    assert inside == {*callers, "CanaryFunction"}
    for name in inside:
        when, network, public = it.of_type("AWS::Lambda::Function")[name]["VpcConfig"]["Fn::If"]
        assert (when, public) == ("IsPrivate", {"Ref": "AWS::NoValue"}), name
        assert network == {key: {"Fn::Split": [",", {"Ref": key}]} for key in ("SubnetIds", "SecurityGroupIds")}, name
    for name in callers:
        policy = f"{name.removesuffix('Function')}NetworkPolicy"
        assert it.resources[policy]["Condition"] == "IsPrivate" and policy in it.needs()[name], name


def names_are_the_stacks_own(it: Deployed) -> None:
    """Two stacks of one account must not meet."""
    host = it.resources["UserPoolDomain"]["Properties"]["Domain"]
    assert host == {"Fn::Sub": "${AWS::StackName}-${AWS::AccountId}"}
    for kind, key in {
        "AWS::Logs::LogGroup": "LogGroupName", "AWS::SecretsManager::Secret": "Name", "AWS::ApiGateway::UsagePlan": "UsagePlanName",
        "AWS::Cognito::UserPool": "UserPoolName", "AWS::CloudWatch::Dashboard": "DashboardName",
    }.items():  # fmt: skip
        for name, properties in it.of_type(kind).items():
            assert key not in properties or "${AWS::StackName}" in str(properties[key]), name


def the_web_acl_covers_the_token_endpoint(it: Deployed) -> None:
    covered = [str(one["ResourceArn"]) for one in it.of_type("AWS::WAFv2::WebACLAssociation").values()]
    assert any("UserPool" in one for one in covered) and any("/stages/" in one for one in covered), covered


def the_access_log_tells_the_caller_and_never_the_token(it: Deployed) -> None:
    stage = it.resources["ApiStage"]["Properties"]
    text = stage["AccessLogSetting"]["Format"]
    assert "\n" not in text
    line = json.loads(text)
    assert all(value.startswith("$context.") for value in line.values()), line
    for key, value in {"clientId": "client_id", "scope": "scope", "jti": "jti"}.items():
        assert line[key] == f"$context.authorizer.{value}"
    assert "oken" not in text and "input" not in text and "header" not in text
    assert stage["TracingEnabled"] is True
    settings = stage["MethodSettings"]
    assert [(s["ResourcePath"], s["HttpMethod"]) for s in settings] == [("/*", "*"), ("/~1token", "POST")]
    assert settings[1]["ThrottlingRateLimit"] == settings[1]["ThrottlingBurstLimit"] == {"Ref": "TokenRequestsPerSecond"}
    assert settings[1]["DataTraceEnabled"] is False
    assert settings[0]["DataTraceEnabled"] is False
    assert settings[0]["ThrottlingRateLimit"] > 0 and settings[0]["ThrottlingBurstLimit"] > 0


def metric_filters_count_what_the_code_logs(it: Deployed) -> None:
    filters = it.of_type("AWS::Logs::MetricFilter")
    counted: dict[str, set[str]] = {}
    for name, one in filters.items():
        for field, value in re.findall(r'\$\.([\w.]+) = "([^"]+)"', it.text(one["FilterPattern"])):
            counted.setdefault(field, set()).add(value)
        for transformation in one["MetricTransformations"]:
            for dimension in transformation.get("Dimensions", []):
                counted.setdefault(dimension["Value"].removeprefix("$."), set())
    assert counted["outcome"] <= contract.outcomes() and "fault" in counted["outcome"]
    authorizer = contract.literals("authorizer")
    assert counted["event"] <= authorizer, counted["event"]
    assert {"reason", "jwks"} <= set(counted)


def faults_are_alarms_that_roll_back(it: Deployed) -> None:
    filters, alarms = it.of_type("AWS::Logs::MetricFilter"), it.of_type("AWS::CloudWatch::Alarm")
    for name, function in it.lambdas().items():
        prefix = name.removesuffix("Function")
        pattern = filters[f"{prefix}Faults"]["FilterPattern"]
        assert filters[f"{prefix}Faults"]["LogGroupName"] == function["LoggingConfig"]["LogGroup"], name
        assert '$.outcome = "fault"' in pattern and '$.record.status = "timeout"' in pattern, name
        # A refused token is an error of the function, too; only a crash's type begins with the platform's word.
        assert '$.record.errorType = "Runtime.*"' in pattern and '$.record.status = "error"' not in pattern, name
        metrics = {one["Id"]: one for one in alarms[f"{prefix}FaultAlarm"]["Metrics"]}
        least = 1 if prefix in ("Report", "Rotate") else 2
        assert it.text(metrics["share"]["Expression"]) == f"IF(faults >= {least}, 100 * faults / invocations, 0)", name
        assert it.text(metrics["faults"]["MetricStat"]["Metric"]["MetricName"]) == f"{prefix}Faults", name
        assert metrics["invocations"]["MetricStat"]["Metric"]["Dimensions"][0]["Value"] == {"Ref": name}, name
        group = it.resources[f"{name}DeploymentGroup"]["Properties"]
        # An alarm that rings stops a deployment, the one that would mend it too: only a gradual one looks at alarms.
        when, watched, otherwise = group["AlarmConfiguration"]["Fn::If"]
        assert (when, watched["Alarms"]) == ("IsGradual", [{"Name": {"Ref": f"{prefix}FaultAlarm"}}]), name
        assert otherwise == {}, name
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"], name
    for name, alarm in alarms.items():
        # A refused token is a failed invocation of the authorizer.
        assert name == "CanaryAlarm" or (alarm.get("Namespace"), alarm.get("MetricName")) != ("AWS/Lambda", "Errors"), name


def every_alarm_is_heard(it: Deployed) -> None:
    alarms = it.of_type("AWS::CloudWatch::Alarm")
    composites = it.of_type("AWS::CloudWatch::CompositeAlarm")
    heard = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    halves = {half["Ref"] for one in composites.values() for half in one["AlarmRule"]["Fn::Sub"][1].values()}
    assert halves <= set(alarms)
    for name, alarm in {**alarms, **composites}.items():
        told = alarm.get("AlarmActions"), alarm.get("OKActions")
        assert told == ((None, None) if name in halves else (heard, heard)), name
    for name, alarm in alarms.items():
        # What does not run is as bad as what does not succeed.
        missing = "breaching" if name.endswith("UnfinishedAlarm") or name == "ReportMissingAlarm" else "notBreaching"
        assert alarm["TreatMissingData"] == missing, name


def errors_are_alarms_by_the_rate_that_they_burn(it: Deployed) -> None:
    """Google's Site Reliability Workbook, chapter 5: two windows for each rate."""
    alarms = it.of_type("AWS::CloudWatch::Alarm")
    for what in ("Decisions", "Answers"):
        for speed, factor, long, short in (("Fast", 14.4, 3600, 300), ("Slow", 6, 21600, 1800)):
            for window, seconds in (("Long", long), ("Short", short)):
                alarm = alarms[f"{what}{speed}{window}"]
                assert alarm["Threshold"] == round(factor * 0.1, 2), (what, speed)
                periods = {one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one}
                assert periods == {seconds}, (what, speed, window)
                (share,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
                assert re.fullmatch(r"IF\((\w+) > 4, 100 \* \1 / \w+, 0\)", share), share
            composite = it.resources[f"{what.removesuffix('s')}Burn{speed}Alarm"]["Properties"]["AlarmRule"]["Fn::Sub"]
            assert composite[0] == 'ALARM("${Long}") AND ALARM("${Short}")'
            assert composite[1] == {at: {"Ref": f"{what}{speed}{at}"} for at in ("Long", "Short")}


def basic_monitoring_is_small(it: Deployed) -> None:
    watched = ("AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Dashboard")
    conditions: dict[str, set[str]] = {}
    for name, resource in it.resources.items():
        if resource["Type"] in watched:
            conditions.setdefault(resource.get("Condition", "always"), set()).add(name)
    assert conditions["always"] == {"ClientChanges", "ClientChangeAlarm", "DeadLetterAlarm"}
    assert conditions["IsBasic"] == {"ServerErrorAlarm"} and conditions["HasCanary"] == {"CanaryAlarm"}
    assert conditions["HasFaultAlarms"] == {
        f"{name.removesuffix('Function')}{what}" for name in it.lambdas() for what in ("Faults", "FaultAlarm")
    }
    assert set(conditions) == {"always", "IsBasic", "IsFull", "HasCanary", "HasFaultAlarms"}
    for settings in it.resources["ApiStage"]["Properties"]["MethodSettings"]:
        assert settings["MetricsEnabled"] == {"Fn::If": ["IsFull", True, False]}


def own_metrics_of_alarms_exist(it: Deployed) -> None:
    made = {
        (it.text(t["MetricNamespace"]), it.text(t["MetricName"]))
        for one in it.of_type("AWS::Logs::MetricFilter").values()
        for t in one["MetricTransformations"]
        if "Dimensions" not in t
    }
    api = [("ApiName", it.text(it.resources["Api"]["Properties"]["Name"])), ("Stage", it.parameters["Stage"])]
    for name, alarm in it.of_type("AWS::CloudWatch::Alarm").items():
        several = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        for metric in several or [alarm]:
            namespace = it.text(metric["Namespace"])
            assert namespace.startswith("AWS/") or (namespace, it.text(metric["MetricName"])) in made, name
            if namespace == "AWS/ApiGateway":
                assert [(d["Name"], it.text(d["Value"])) for d in metric["Dimensions"]] == api, name


def a_lost_schedule_is_kept_and_told(it: Deployed) -> None:
    rules = [r for name, r in it.of_type("AWS::Events::Rule").items() if "ScheduleExpression" in r and name != "CanaryRule"]
    targets = {target["Arn"]["Ref"]: (rule, target) for rule in rules for target in rule["Targets"]}
    sweeps = {"OrderFunctionAliaslive", "PaymentFunctionAliaslive"}
    assert set(targets) == {"ReportFunctionAliaslive", *sweeps}
    for sweep in sweeps:
        rule, target = targets[sweep]
        assert rule["ScheduleExpression"] == "rate(1 minute)", sweep
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0, f"{sweep}: the next one makes up for it"
    _, target = targets["ReportFunctionAliaslive"]
    assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    configs = it.of_type("AWS::Lambda::EventInvokeConfig").values()
    (config,) = [config for config in configs if config["FunctionName"] == {"Ref": "ReportFunction"}]
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert it.resources["DeadLetters"]["Properties"]["SqsManagedSseEnabled"] is True
    assert "DeadLetters" in json.dumps(it.resources["DeadLetterAlarm"]["Properties"]["Dimensions"])


def changes_of_clients_are_told(it: Deployed) -> None:
    cognito, functions = (one["detail"] for one in it.resources["ClientChangeRule"]["Properties"]["EventPattern"]["$or"])
    told = {"AddUserPoolClientSecret", "DeleteUserPoolClientSecret", "UpdateUserPool", "CreateUserPoolDomain"}
    assert told | {"UpdateIdentityProvider"} <= set(cognito["eventName"])
    assert cognito["requestParameters"]["userPoolId"] == [{"Ref": "UserPool"}]
    told = {one["prefix"] for one in functions["eventName"]}
    assert told == {"UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateAlias", "AddPermission"}
    assert functions["requestParameters"]["functionName"][0] == {"Ref": "AuthorizerFunction"}
    # The rotation's own calls are no alarm; those of anybody else, whoever they are, are one.
    pattern = it.text(it.resources["ClientChanges"]["Properties"]["FilterPattern"])
    issuer = "$.detail.userIdentity.sessionContext.sessionIssuer.arn"
    assert f"({issuer} NOT EXISTS) || ({issuer} != \"RotateRole.Arn\")" in " ".join(pattern.split())
    assert it.resources["ClientChangeAlarm"]["Properties"]["MetricName"] == "ClientChanges"


def token_requests_are_counted_by_client(it: Deployed) -> None:
    pattern = it.resources["TokenRequestRule"]["Properties"]["EventPattern"]
    # What Cognito writes of its token endpoint is no call of an AWS API.
    assert pattern["detail-type"] == ["AWS Service Event via CloudTrail"]
    assert pattern["detail"]["eventName"] == ["Token_POST"]
    assert pattern["detail"]["additionalEventData"]["userPoolId"] == [{"Ref": "UserPool"}]
    for rule in ("ClientChangeRule", "TokenRequestRule"):
        (target,) = it.resources[rule]["Properties"]["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}, rule
    assert "${TokenRequestLogGroup.Arn}" in json.dumps(it.resources["ClientChangeLogPolicy"])
    (metric,) = it.resources["TokenRequestsShare"]["Properties"]["MetricTransformations"]
    # The form names the client only where its secret is in the form, too.
    client = "$.detail.additionalEventData.clientId"
    assert metric["Dimensions"] == [{"Key": "Client", "Value": client}]
    filtered = it.resources["TokenRequestsShare"]["Properties"]["FilterPattern"]
    assert filtered == f'{{ {client} = "*" }}'
    query = it.resources["TokenQuery"]["Properties"]
    assert query["LogGroupNames"] == [{"Ref": "TokenRequestLogGroup"}, {"Ref": "TokenLogGroup"}]
    # A hit never reaches Cognito: only our own log has it.
    assert "by client" in query["QueryString"] and 'cache = "hit"' in query["QueryString"]


def the_authorizer_finds_its_routes(it: Deployed) -> None:
    (layer,) = it.functions()["AuthorizerFunction"]["Layers"]
    content = it.source["Resources"][layer["Ref"]]["Properties"]["ContentUri"]
    found = contract.ROOT / content / "routes.json"
    assert found.is_file() and found.read_text() == (contract.ROOT / "routes.json").read_text()


def a_change_of_settings_makes_a_new_version(it: Deployed) -> None:
    for name, function in it.functions().items():
        assert function["AutoPublishAliasAllProperties"] is True, name
        told = strings(function["VersionDescription"])
        told = {value for text in told for value in re.findall(r"\$\{(\w+)\}", text)}
        changeable = {
            value["Ref"]
            for key, value in function["Environment"]["Variables"].items()
            if set(value) == {"Ref"} and key != "CREDENTIALS_SECRET"
        }
        # A layer's new version alone makes none of the function.
        changeable |= {layer["Ref"] for layer in function.get("Layers", [])}
        assert changeable <= told, name


def optional_parts_are_off(it: Deployed) -> None:
    for name, resource in it.resources.items():
        condition = resource.get("Condition")
        assert (condition == "Rotates") == name.endswith("SecretRotation"), name
        assert (condition == "HasWaf") == name.startswith("WebAcl"), name
        assert (condition == "IsPrivate") == name.endswith("NetworkPolicy"), name
        assert (condition == "HasCanary") == name.startswith("Canary"), name
    for name, off in {"Waf": "false", "ReserveConcurrency": "false", "CanaryMinutes": 0, "VpcEndpointIds": ""}.items():
        assert it.source["Parameters"][name]["Default"] == off, name


def the_canary_may_do_what_a_client_may(it: Deployed) -> None:
    found = {action: it.text(s["Resource"]) for role, s in it.statements() if role == "CanaryRole" for action in [str(s["Action"])]}
    assert found == {
        "['logs:CreateLogStream', 'logs:PutLogEvents']": "CanaryLogGroup.Arn",
        "secretsmanager:GetSecretValue": "StorefrontSecret",
        str(NETWORK): "*",
    }
    # It is Python, and never runs here: this much can be seen.
    compile(it.resources["CanaryFunction"]["Properties"]["Code"]["ZipFile"], "canary", "exec")


def every_secret_gets_a_first_value(it: Deployed) -> None:
    values = it.of_type("Custom::FirstValue")
    assert {one["Secret"]["Ref"] for one in values.values()} == set(it.of_type("AWS::SecretsManager::Secret"))
    for name, value in values.items():
        assert "Condition" not in it.resources[name], name
        assert value["ServiceToken"] == {"Fn::GetAtt": ["RotateFunction", "Arn"]}, name
        # An hour by default. The function has to be the first to give up: it tells the reason.
        assert it.functions()["RotateFunction"]["Timeout"] < value["ServiceTimeout"] <= 300, name
        assert {"RotatePolicy", name.replace("FirstValue", "RotatePolicy")} <= it.needs()[name], name
        secret = it.resources[value["Secret"]["Ref"]]["Properties"]
        assert value["Client"] == {"Ref": name.replace("FirstValue", "Client")}, name
        assert {"Key": "client_id", "Value": value["Client"]} in secret["Tags"], name
        # Whatever stands here is written over a good value by the update that changes it.
        assert secret["SecretString"] == "{}" and "GenerateSecretString" not in secret, name


def every_secret_is_rotated(it: Deployed) -> None:
    schedules = it.of_type("AWS::SecretsManager::RotationSchedule")
    # A first value is known by its secret's ARN, and is there before the first rotation.
    assert {one["SecretId"]["Ref"] for one in schedules.values()} == set(it.of_type("Custom::FirstValue"))
    for name, schedule in schedules.items():
        assert schedule["RotationLambdaARN"] == {"Fn::GetAtt": ["RotateFunction", "Arn"]}, name
        assert schedule["RotationRules"] == {"AutomaticallyAfterDays": {"Ref": "RotationDays"}}, name
        # What the function may do is there since the first value.
        assert "RotatePermission" in it.needs()[name], name
    permission = it.resources["RotatePermission"]["Properties"]
    assert permission["Principal"] == "secretsmanager.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


def every_parameter_explains_and_limits_itself(it: Deployed) -> None:
    for name, parameter in it.source["Parameters"].items():
        assert "Default" in parameter and parameter["Description"], name
        limited = {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter)
        assert limited, f"{name} takes anything"
        if "MinValue" in parameter:
            assert parameter["MinValue"] <= parameter["Default"] <= parameter["MaxValue"], name
        if "AllowedPattern" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], str(parameter["Default"])), name
        if "AllowedValues" in parameter:
            assert parameter["Default"] in parameter["AllowedValues"], name


RULES = [
    rule
    for rule in list(globals().values())
    if callable(rule) and getattr(rule, "__module__", "") == __name__ and rule.__annotations__.get("it") is Deployed
]
