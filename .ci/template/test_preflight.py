"""What stands in the way of a deployment is said before it begins: an account that is fine, and one fault at a time."""

import importlib.machinery
import importlib.util
import re
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from deployed import ROOT

loader = importlib.machinery.SourceFileLoader("preflight", str(ROOT / "dist/preflight"))
preflight = importlib.util.module_from_spec(importlib.util.spec_from_loader("preflight", loader))
loader.exec_module(preflight)

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"


def fails(**_):
    raise ClientError({"Error": {"Code": "NotFound", "Message": "does not exist"}}, "x")


def account(**changes):
    """A client for each service of an account in which a first deployment works, but for the changes."""
    answers = {
        "get_caller_identity": {"Account": "123456789012"},
        "describe_stacks": fails,
        "describe_user_pool_domain": {"DomainDescription": {}},
        "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}},
        "get_topic_attributes": {"Attributes": {"SubscriptionsConfirmed": "1"}},
        "list_secrets": {"SecretList": []},
        "get_account": {},
        **changes,
    }
    calls = {name: value if callable(value) else (lambda value=value, **_: value) for name, value in answers.items()}
    return lambda service: SimpleNamespace(**calls)


def found(plan, **changes) -> list[tuple[bool, str]]:
    return list(preflight.problems(plan, account(**changes)))


def prod(**parameters: str):
    return preflight.Plan("scopegate-prod", {"Stage": "prod", "ReserveConcurrency": "true", "AlarmTopicArn": TOPIC, **parameters})


def test_nothing_stands_in_the_way_of_an_account_that_is_fine() -> None:
    assert found(prod()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"describe_stacks": {"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}}, "cannot be updated"),
        ({"describe_stacks": {"Stacks": [{"StackStatus": "UPDATE_IN_PROGRESS"}]}}, "wait for it"),
        ({"describe_user_pool_domain": {"DomainDescription": {"UserPoolId": "eu-central-1_x"}}}, "taken by another"),
        ({"get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}}, "needs 200"),
        ({"get_topic_attributes": fails}, "does not exist"),
        ({"get_topic_attributes": {"Attributes": {"SubscriptionsConfirmed": "0"}}}, "nobody has confirmed"),
        ({"list_secrets": {"SecretList": [{"Name": "scopegate-prod/storefront"}]}}, "left of an earlier stack"),
    ],
)
def test_each_fault_stops_the_deployment(changes: dict, words: str) -> None:
    ((stands, text),) = found(prod(), **changes)
    assert stands and words in text


@pytest.mark.parametrize("name", ["Scopegate", "my-aws-stack", "x" * 60])
def test_a_stack_name_has_to_be_one_of_a_host(name: str) -> None:
    ((stands, text),) = found(preflight.Plan(name, {"AlarmTopicArn": TOPIC}))
    assert stands and "Choose another stack name" in text


def test_prod_needs_someone_who_hears_of_alarms() -> None:
    assert [stands for stands, _ in found(prod(AlarmTopicArn=""))] == [True]
    assert [stands for stands, _ in found(preflight.Plan("scopegate", {}))] == [False]


def test_protection_waits_for_the_second_deployment() -> None:
    assert [stands for stands, _ in found(prod(Protection="true"))] == [False]
    assert found(prod(Protection="true"), describe_stacks={"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}) == []


@pytest.mark.parametrize(
    ("service", "dns", "words"),
    [("execute-api", True, None), ("execute-api", False, "no private DNS"), ("s3", True, "needs one of execute-api")],
)
def test_a_private_api_needs_endpoints_that_lead_to_it(service: str, dns: bool, words: str | None) -> None:
    endpoint = {"VpcEndpointId": "vpce-01234567", "ServiceName": f"com.amazonaws.eu-central-1.{service}", "PrivateDnsEnabled": dns}
    told = found(prod(VpcEndpointIds="vpce-01234567"), describe_vpc_endpoints={"VpcEndpoints": [endpoint]})
    assert [(stands, words in text) for stands, text in told] == ([(True, True)] if words else [])
    ((stands, text),) = found(prod(VpcEndpointIds="vpce-01234567"), describe_vpc_endpoints=fails)
    assert stands and "does not exist" in text


def test_the_reservations_are_the_templates() -> None:
    reserved = [int(value) for value in re.findall(r"\[ReservesConcurrency, (\d+)", (ROOT / "template.yaml").read_text())]
    assert sum(reserved) == preflight.RESERVED


@pytest.mark.parametrize("environment", ["default", "dev", "prod"])
def test_every_environment_can_be_read(environment: str) -> None:
    assert preflight.plan(environment).stack.startswith("scopegate")
