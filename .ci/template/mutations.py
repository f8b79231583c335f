"""The proof of the rules: what to break in the template, so that a rule has to notice. One rule may have many."""

import copy
from collections.abc import Callable
from typing import Any

import rules

Mutation = tuple[Callable[..., None], str, Callable[[dict], None]]

MUTATIONS: list[Mutation] = []


def sets(rule: Callable[..., None], what: str, path: str, value: Any) -> None:
    """A mutation that puts a value at a path such as `Api/Auth/ApiKeyRequired`, below `Resources` and `Properties`.

    A path that begins with a slash begins at the template itself. `None` takes the member away.
    """

    def mutate(template: dict) -> None:
        if path.startswith("/"):
            keys, at = path[1:].split("/"), template
        else:
            first, *keys = path.split("/")
            at = template["Resources"][first]["Properties"]
        # A member may have a slash in its name.
        keys = [key.replace("~", "/") for key in keys]
        for key in keys[:-1]:
            at = at[int(key) if isinstance(at, list) else key]
        last: Any = int(keys[-1]) if isinstance(at, list) else keys[-1]
        if value is None:
            del at[last]
        else:
            at[last] = copy.deepcopy(value)

    MUTATIONS.append((rule, what, mutate))


r = rules
AUTH = "Api/Auth/Authorizers/ScopeAuthorizer"
RESPONSES = "Api/GatewayResponses"

sets(r.every_method_has_the_token_authorizer, "one route is open", "OrderFunction/Events/PlaceOrder/Properties/Auth", {"Authorizer": "NONE"})
sets(r.every_method_has_the_token_authorizer, "a REQUEST authorizer", AUTH, {"FunctionPayloadType": "REQUEST", "FunctionArn": {"Ref": "AuthorizerFunction.Alias"}, "Identity": {"Headers": ["Authorization"]}})
sets(r.every_method_has_the_token_authorizer, "another cache time", f"{AUTH}/Identity/ReauthorizeEvery", 3600)
sets(r.every_method_has_the_token_authorizer, "another header", f"{AUTH}/Identity/Header", "X-Token")
sets(r.every_method_has_the_token_authorizer, "another function decides", f"{AUTH}/FunctionArn", {"Fn::GetAtt": ["OrderFunction", "Arn"]})
for expression in ("^Bearer [^ ]+$", "^(?:[Bb]earer) [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$", ".*", "^[Bb][Ee][Aa][Rr][Ee][Rr] .*$"):
    sets(r.the_validation_expression_takes_any_casing_of_bearer, f"the expression is {expression}", f"{AUTH}/Identity/ValidationExpression", expression)
sets(r.every_method_asks_for_an_api_key, "one method does not ask", "OrderFunction/Events/ListOrders/Properties/Auth", {"ApiKeyRequired": False})
sets(r.the_authorizer_names_the_api_key, "the header names the key", "Api/ApiKeySourceType", "HEADER")
sets(r.the_authorizer_names_the_api_key, "nothing is said", "Api/ApiKeySourceType", None)
sets(r.the_routes_are_the_route_table, "a route is missing", "OrderFunction/Events/ReadOrder", None)
sets(r.the_routes_are_the_route_table, "a route too many", "OrderFunction/Events/Delete", {"Type": "Api", "Properties": {"RestApiId": {"Ref": "Api"}, "Method": "DELETE", "Path": "/orders/{id}"}})
sets(r.the_routes_are_the_route_table, "another parameter name", "OrderFunction/Events/ReadOrder/Properties/Path", "/orders/{order}")
sets(r.the_routes_are_the_route_table, "the functions' binaries are swapped", "/Resources/OrderFunction/Metadata/BuildProperties/Binary", "payment")
sets(r.the_scopes_are_the_route_tables, "a scope is missing", "OrdersResourceServer/Scopes/2", None)
sets(r.the_scopes_are_the_route_tables, "a scope is misspelt", "OrdersResourceServer/Scopes/2/ScopeName", "state")
sets(r.the_scopes_are_the_route_tables, "another identifier", "OrdersResourceServer/Identifier", "order")
sets(r.the_clients_have_exactly_their_scopes, "a scope too many", "OrderServiceClient/AllowedOAuthScopes", ["inventory/read", "inventory/write", "orders/status"])
sets(r.the_clients_have_exactly_their_scopes, "a scope too few", "PaymentServiceClient/AllowedOAuthScopes", ["orders/read"])
sets(r.the_clients_have_exactly_their_scopes, "another flow", "ReportServiceClient/AllowedOAuthFlows", ["client_credentials", "code"])
sets(r.the_clients_have_exactly_their_scopes, "no secret", "StorefrontClient/GenerateSecret", False)
sets(r.the_clients_have_exactly_their_scopes, "password sign-in", "StorefrontClient/ExplicitAuthFlows", ["ALLOW_USER_PASSWORD_AUTH"])
sets(r.the_clients_have_exactly_their_scopes, "no units: hours", "StorefrontClient/TokenValidityUnits", None)
sets(r.clients_wait_for_the_resource_servers_of_their_scopes, "it does not wait", "/Resources/OrderServiceClient/DependsOn", None)
sets(r.clients_wait_for_the_resource_servers_of_their_scopes, "it waits for one of two", "/Resources/ReportServiceClient/DependsOn", ["OrdersResourceServer"])
sets(r.each_client_has_a_key_and_a_plan, "a key of another value", "StorefrontApiKey/Value", "storefront")
sets(r.each_client_has_a_key_and_a_plan, "a key switched off", "StorefrontApiKey/Enabled", False)
sets(r.each_client_has_a_key_and_a_plan, "a shared plan", "StorefrontUsagePlanKey/UsagePlanId", {"Ref": "OrderServiceUsagePlan"})
sets(r.each_client_has_a_key_and_a_plan, "a client without a key", "/Resources/StorefrontUsagePlanKey", None)
sets(r.each_client_has_a_key_and_a_plan, "no quota", "StorefrontUsagePlan/Quota", None)
sets(r.each_client_has_a_key_and_a_plan, "a plan of no stage", "StorefrontUsagePlan/ApiStages", [])
sets(r.the_authorizer_knows_every_client, "one is forgotten", "AuthorizerFunction/Environment/Variables/CLIENT_IDS/Fn::Join/1/3", None)
sets(r.the_authorizer_knows_every_client, "any client", "AuthorizerFunction/Environment/Variables/CLIENT_IDS", "*")
sets(r.every_setting_is_one_the_code_reads, "a setting misspelt", "AuthorizerFunction/Environment/Variables/JWKS_URL", "x")
sets(r.every_setting_is_one_the_code_reads, "no pool", "AuthorizerFunction/Environment/Variables/USER_POOL_ID", None)
sets(r.every_setting_is_one_the_code_reads, "no credentials", "OrderFunction/Environment/Variables/CREDENTIALS_SECRET", None)
sets(r.gateway_responses_speak_our_json, "a type that does not exist", f"{RESPONSES}/UNAUTHORISED", {"StatusCode": 401, "ResponseTemplates": {"application/json": "{}"}})
sets(r.gateway_responses_speak_our_json, "another status", f"{RESPONSES}/ACCESS_DENIED/StatusCode", 404)
sets(r.gateway_responses_speak_our_json, "no JSON", f"{RESPONSES}/THROTTLED/ResponseTemplates/application~json", '{"error":"throttled","message":"$context.error.messageString"')
sets(r.gateway_responses_speak_our_json, "no request id", f"{RESPONSES}/DEFAULT_5XX/ResponseTemplates/application~json", '{"error":"internal_error","message":"x"}')
sets(r.gateway_responses_speak_our_json, "no answer to 413", f"{RESPONSES}/REQUEST_TOO_LARGE", None)
sets(r.refusals_name_the_bearer_scheme, "401 without the header", f"{RESPONSES}/UNAUTHORIZED/ResponseParameters/Headers/WWW-Authenticate", None)
sets(r.refusals_name_the_bearer_scheme, "403 with another error", f"{RESPONSES}/ACCESS_DENIED/ResponseParameters/Headers/WWW-Authenticate", "'Bearer realm=\"scopegate\"'")
sets(r.refusals_name_the_bearer_scheme, "403 without the scopes held", f"{RESPONSES}/ACCESS_DENIED/ResponseTemplates/application~json", '{"error":"insufficient_scope","message":"x","request_id":"$context.requestId"}')
sets(r.functions_run_as_built, "an older runtime", "/Globals/Function/Runtime", "provided.al2")
sets(r.functions_run_as_built, "no traces", "/Globals/Function/Tracing", "PassThrough")
sets(r.functions_run_as_built, "a fixed architecture", "ReportFunction/Architectures", ["x86_64"])
sets(r.functions_run_as_built, "another build", "/Resources/ReportFunction/Metadata/BuildMethod", "makefile")
sets(r.functions_run_as_built, "longer than API Gateway waits", "ReportFunction/Timeout", 901)
sets(r.logs_are_json_in_groups_that_expire, "text", "/Globals/Function/LoggingConfig/LogFormat", "Text")
sets(r.logs_are_json_in_groups_that_expire, "a shared group", "OrderFunction/LoggingConfig/LogGroup", {"Ref": "PaymentLogGroup"})
sets(r.logs_are_json_in_groups_that_expire, "kept for ever", "OrderLogGroup/RetentionInDays", None)
sets(r.secrets_stay_in_secrets_manager, "in an output", "/Outputs/Secret", {"Value": {"Fn::GetAtt": ["StorefrontClient", "ClientSecret"]}})
sets(r.secrets_stay_in_secrets_manager, "in a variable", "OrderFunction/Environment/Variables/SECRET", {"Fn::GetAtt": ["StorefrontClient", "ClientSecret"]})
sets(r.secrets_stay_in_secrets_manager, "resolved into a variable", "OrderFunction/Environment/Variables/SECRET", "{{resolve:secretsmanager:scopegate/storefront}}")
sets(r.secrets_stay_in_secrets_manager, "read from the client at every update", "OrderServiceSecret/SecretString", {"Fn::Sub": '{"client_secret":"${OrderServiceClient.ClientSecret}"}'})
sets(r.secrets_stay_in_secrets_manager, "an address in the value", "OrderServiceSecret/SecretString", {"Fn::Sub": '{"api_url":"https://${Api}"}'})
sets(r.secrets_stay_in_secrets_manager, "another client's id", "OrderServiceSecret/Tags/0/Value", {"Ref": "StorefrontClient"})
sets(r.secrets_stay_in_secrets_manager, "another domain", "UserPoolDomain/Domain", {"Ref": "Stage"})
sets(r.functions_may_do_what_they_need_and_no_more, "another table", "OrderTablePolicy/PolicyDocument/Statement/0/Resource", {"Fn::GetAtt": ["PaymentTable", "Arn"]})
sets(r.functions_may_do_what_they_need_and_no_more, "any action", "OrderTablePolicy/PolicyDocument/Statement/0/Action", "dynamodb:*")
sets(r.functions_may_do_what_they_need_and_no_more, "deletion", "OrderTablePolicy/PolicyDocument/Statement/0/Action", ["dynamodb:DeleteItem"])
sets(r.functions_may_do_what_they_need_and_no_more, "a scan of all orders", "OrderTablePolicy/PolicyDocument/Statement/0/Action", ["dynamodb:Scan"])
sets(r.functions_may_do_what_they_need_and_no_more, "any secret of the stack", "OrderSecretPolicy/PolicyDocument/Statement/0/Resource", {"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"})
sets(r.functions_may_do_what_they_need_and_no_more, "any client of any pool", "RotatePolicy/PolicyDocument/Statement/1/Resource", {"Fn::Sub": "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/any"})
sets(r.functions_may_do_what_they_need_and_no_more, "one secret more", "RotatePolicy/PolicyDocument/Statement/0/Resource/3", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:other-??????")
sets(r.functions_may_do_what_they_need_and_no_more, "a managed policy", "AuthorizerRole/ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"])
sets(r.functions_may_do_what_they_need_and_no_more, "another service", "AuthorizerRole/Policies/0/PolicyDocument/Statement/1/Action", "s3:GetObject")
sets(r.functions_may_do_what_they_need_and_no_more, "more of a network", "OrderNetworkPolicy/PolicyDocument/Statement/0/Action", ["ec2:CreateVpc"])
sets(r.functions_may_do_what_they_need_and_no_more, "a shared role", "OrderFunction/Role", {"Fn::GetAtt": ["PaymentRole", "Arn"]})
sets(r.wildcards_stand_only_where_aws_needs_them, "any table", "OrderTablePolicy/PolicyDocument/Statement/0/Resource", "*")
sets(r.wildcards_stand_only_where_aws_needs_them, "any log group", "OrderRole/Policies/0/PolicyDocument/Statement/0/Resource", {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*"})
sets(r.wildcards_stand_only_where_aws_needs_them, "anyone may assume", "OrderRole/AssumeRolePolicyDocument/Statement/0/Principal", {"AWS": "*"})
sets(r.there_is_no_dependency_circle, "a function refers to its secret", "OrderFunction/Environment/Variables/CREDENTIALS_SECRET", {"Ref": "OrderServiceSecret"})
sets(r.there_is_no_dependency_circle, "a role-back alarm refers to the API", "OrderFaultAlarm/Dimensions", [{"Name": "ApiName", "Value": {"Ref": "Api"}}])
sets(r.data_outlives_the_stack, "a table goes with it", "/Resources/OrderTable/DeletionPolicy", "Delete")
sets(r.data_outlives_the_stack, "a replaced table goes", "/Resources/OrderTable/UpdateReplacePolicy", None)
sets(r.data_outlives_the_stack, "the pool goes with it", "/Resources/UserPool/DeletionPolicy", None)
sets(r.data_outlives_the_stack, "tokens stay for ever", "TokensTable/TimeToLiveSpecification", None)
sets(r.data_outlives_the_stack, "no recovery", "OrderTable/PointInTimeRecoverySpecification", None)
sets(r.data_outlives_the_stack, "provisioned capacity", "OrderTable/BillingMode", "PROVISIONED")
sets(r.data_outlives_the_stack, "a secret goes with it", "/Resources/StorefrontSecret/DeletionPolicy", None)
sets(r.data_outlives_the_stack, "a failed creation leaves a table", "/Resources/OrderTable/DeletionPolicy", "Retain")
sets(r.data_outlives_the_stack, "no protection", "OrderTable/DeletionProtectionEnabled", None)
sets(r.old_tls_is_refused, "the default", "Api/SecurityPolicy", "TLS_1_0")
sets(r.a_private_api_is_reached_through_its_endpoints_alone, "by anybody", "Api/Policy/Fn::If/1/Statement/1", None)
sets(r.a_private_api_is_reached_through_its_endpoints_alone, "a public policy for all", "Api/Policy/Fn::If/2", {"Version": "2012-10-17", "Statement": []})
sets(r.a_private_api_is_reached_through_its_endpoints_alone, "always private", "Api/EndpointConfiguration/Type", "PRIVATE")
sets(r.callers_of_a_private_api_are_in_its_vpc, "one cannot reach it", "PaymentFunction/VpcConfig", None)
sets(r.callers_of_a_private_api_are_in_its_vpc, "made before it may be", "/Resources/OrderFunction/DependsOn", None)
sets(r.names_are_the_stacks_own, "by stage", "UserPoolDomain/Domain", {"Fn::Sub": "scopegate-${Stage}-${AWS::AccountId}"})
sets(r.names_are_the_stacks_own, "a log for all stacks", "OrderLogGroup/LogGroupName", "/scopegate/order")
sets(r.the_web_acl_covers_the_token_endpoint, "only the API", "/Resources/WebAclOfUserPool", None)
sets(r.faults_are_alarms_that_roll_back, "refusals are faults", "OrderFaults/FilterPattern", '{ ($.outcome = "fault") || ($.record.status = "timeout") || ($.record.status = "error") || ($.record.errorType = "Runtime.*") }')
sets(r.faults_are_alarms_that_roll_back, "alarms stop every deployment", "OrderFunction/DeploymentPreference/Alarms", [{"Ref": "OrderFaultAlarm"}])
sets(r.nobody_signs_up, "anyone may", "UserPool/AdminCreateUserConfig", None)
sets(r.nobody_signs_up, "the pool can be deleted", "UserPool/DeletionProtection", "INACTIVE")
sets(r.the_access_log_tells_the_caller_and_never_the_token, "a header", "Api/AccessLogSetting/Format", '{"auth":"$context.requestOverride.header.Authorization"}')
sets(r.the_access_log_tells_the_caller_and_never_the_token, "two lines", "Api/AccessLogSetting/Format", '{"clientId":\n"$context.authorizer.client_id"}')
sets(r.the_access_log_tells_the_caller_and_never_the_token, "whole requests in the log", "Api/MethodSettings/0/DataTraceEnabled", True)
sets(r.the_access_log_tells_the_caller_and_never_the_token, "guesses at /token are not limited", "Api/MethodSettings/1", None)
sets(r.the_access_log_tells_the_caller_and_never_the_token, "no stage limit", "Api/MethodSettings/0/ThrottlingRateLimit", None)
sets(r.metric_filters_count_what_the_code_logs, "an outcome misspelt", "AllowedCount/FilterPattern", '{ $.outcome = "allow" }')
sets(r.metric_filters_count_what_the_code_logs, "an event misspelt", "JwksFailuresCount/FilterPattern", '{ $.event = "jwks_failed" }')
sets(r.metric_filters_count_what_the_code_logs, "no reasons", "RefusedShare/MetricTransformations/0/Dimensions", None)
sets(r.faults_are_alarms_that_roll_back, "no roll-back", "OrderFunction/DeploymentPreference/Alarms", None)
sets(r.faults_are_alarms_that_roll_back, "another function's faults", "OrderFunction/DeploymentPreference/Alarms", [{"Ref": "PaymentFaultAlarm"}])
sets(r.faults_are_alarms_that_roll_back, "another function's log", "OrderFaults/LogGroupName", {"Ref": "PaymentLogGroup"})
sets(r.faults_are_alarms_that_roll_back, "time-outs are not counted", "OrderFaults/FilterPattern", '{ $.outcome = "fault" }')
sets(r.faults_are_alarms_that_roll_back, "an alarm on Lambda's errors", "/Resources/Errors", {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Namespace": "AWS/Lambda", "MetricName": "Errors"}})
sets(r.faults_are_alarms_that_roll_back, "one fault is an alarm", "OrderFaultAlarm/Metrics/0/Expression", "faults")
sets(r.every_alarm_is_heard, "an alarm that nobody hears", "LatencyAlarm/AlarmActions", [])
sets(r.every_alarm_is_heard, "a half rings by itself", "AnswersFastLong/AlarmActions", {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]})
sets(r.every_alarm_is_heard, "a report that does not run is none", "ReportMissingAlarm/TreatMissingData", "notBreaching")
sets(r.errors_are_alarms_by_the_rate_that_they_burn, "another rate", "AnswersFastLong/Threshold", 14.4)
sets(r.errors_are_alarms_by_the_rate_that_they_burn, "a shorter window", "DecisionsSlowLong/Metrics/1/MetricStat/Period", 300)
sets(r.errors_are_alarms_by_the_rate_that_they_burn, "one of two suffices", "AnswerBurnFastAlarm/AlarmRule/Fn::Sub/0", 'ALARM("${Long}") OR ALARM("${Short}")')
sets(r.errors_are_alarms_by_the_rate_that_they_burn, "no least count", "AnswersSlowShort/Metrics/0/Expression", "100 * errors / answers")
sets(r.basic_monitoring_is_small, "a dashboard for all", "/Resources/Dashboard/Condition", None)
sets(r.basic_monitoring_is_small, "detailed metrics for all", "Api/MethodSettings/0/MetricsEnabled", True)
sets(r.the_canary_may_do_what_a_client_may, "any secret", "CanaryRole/Policies/0/PolicyDocument/Statement/1/Resource", "*")
sets(r.every_alarm_is_heard, "silence is an alarm", "LatencyAlarm/TreatMissingData", "breaching")
sets(r.own_metrics_of_alarms_exist, "a metric misspelt", "TurnedAwayAlarm/MetricName", "TurnAway")
sets(r.own_metrics_of_alarms_exist, "another API name", "Api/Name", "scopegate-prod")
sets(r.a_lost_schedule_is_kept_and_told, "no dead letters", "ReportFunction/Events/Daily/Properties/DeadLetterConfig", None)
sets(r.a_lost_schedule_is_kept_and_told, "none for the function's failures", "ReportFunction/EventInvokeConfig", None)
sets(r.a_lost_schedule_is_kept_and_told, "no retry", "ReportFunction/Events/Daily/Properties/RetryPolicy", None)
sets(r.changes_of_clients_are_told, "new secrets are not", "ClientChangeRule/EventPattern/$or/0/detail/eventName", ["CreateUserPoolClient"])
sets(r.changes_of_clients_are_told, "any pool's", "ClientChangeRule/EventPattern/$or/0/detail/requestParameters", {})
sets(r.changes_of_clients_are_told, "the authorizer's code is not", "ClientChangeRule/EventPattern/$or/1/detail/eventName/0", None)
sets(r.changes_of_clients_are_told, "any function's", "ClientChangeRule/EventPattern/$or/1/detail/requestParameters", {})
sets(r.changes_of_clients_are_told, "the rotation rings", "ClientChanges/FilterPattern", '{ $.detail.eventName = "*" }')
sets(r.token_requests_are_counted_by_client, "calls of an AWS API", "TokenRequestRule/EventPattern/detail-type", ["AWS API Call via CloudTrail"])
sets(r.token_requests_are_counted_by_client, "a lost record is not kept", "ClientChangeRule/Targets/0/DeadLetterConfig", None)
sets(r.token_requests_are_counted_by_client, "any pool's", "TokenRequestRule/EventPattern/detail/additionalEventData", None)
sets(r.token_requests_are_counted_by_client, "only those with the secret in the form", "TokenRequestsShare/FilterPattern", '{ $.detail.additionalEventData.requestParameters.client_id[0] = "*" }')
sets(r.token_requests_are_counted_by_client, "not by client", "TokenRequestsShare/MetricTransformations/0/Dimensions", [])
sets(r.the_authorizer_finds_its_routes, "no layer", "AuthorizerFunction/Layers", None)
sets(r.the_authorizer_finds_its_routes, "another folder", "RoutesLayer/ContentUri", "authorizer")
sets(r.a_change_of_settings_makes_a_new_version, "changed routes make none", "AuthorizerFunction/VersionDescription", {"Fn::Sub": "keys of ${UserPool} ${JwksUri}"})
sets(r.a_change_of_settings_makes_a_new_version, "code alone does", "OrderFunction/AutoPublishAliasAllProperties", False)
sets(r.a_change_of_settings_makes_a_new_version, "another keys address does not", "AuthorizerFunction/VersionDescription", {"Fn::Sub": "keys of ${UserPool}"})
sets(r.optional_parts_are_off, "rotation has no condition", "/Resources/StorefrontSecretRotation/Condition", None)
sets(r.optional_parts_are_off, "a canary for all", "/Resources/CanaryRule/Condition", None)
sets(r.optional_parts_are_off, "on by default", "/Parameters/Waf/Default", "true")
sets(r.every_secret_gets_a_first_value, "one gets none", "/Resources/StorefrontFirstValue", None)
sets(r.every_secret_gets_a_first_value, "another client's", "StorefrontFirstValue/Client", {"Ref": "OrderServiceClient"})
sets(r.every_secret_gets_a_first_value, "before it may", "/Resources/StorefrontFirstValue/DependsOn", None)
sets(r.every_secret_gets_a_first_value, "only where it rotates", "/Resources/StorefrontFirstValue/Condition", "Rotates")
sets(r.every_secret_gets_a_first_value, "an hour of waiting", "StorefrontFirstValue/ServiceTimeout", None)
sets(r.every_secret_gets_a_first_value, "a value in the template", "StorefrontSecret/SecretString", {"Fn::GetAtt": ["StorefrontClient", "ClientSecret"]})
sets(r.every_secret_is_rotated, "one is forgotten", "/Resources/StorefrontSecretRotation", None)
sets(r.every_secret_is_rotated, "by another function", "StorefrontSecretRotation/RotationLambdaARN", {"Fn::GetAtt": ["OrderFunction", "Arn"]})
sets(r.every_secret_is_rotated, "before it has a value", "StorefrontSecretRotation/SecretId", {"Ref": "StorefrontSecret"})
sets(r.every_secret_is_rotated, "before it may", "/Resources/StorefrontSecretRotation/DependsOn", ["RotatePermission"])
sets(r.every_secret_is_rotated, "for any account", "RotatePermission/SourceAccount", None)
sets(r.every_parameter_explains_and_limits_itself, "anything goes", "/Parameters/Stage/AllowedPattern", None)
sets(r.every_parameter_explains_and_limits_itself, "no default", "/Parameters/Currency/Default", "")
