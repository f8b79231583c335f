"""The AWS CLI commands of the pages are ones that there are, with the options that they need and no others.

The CLI makes its commands from botocore's models, and so does this."""

import re

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from deployed import ROOT

PAGES = ("docs/operate.md", "docs/deploy.md")
# Options of the CLI itself.
OWN = {"query", "output", "region", "endpoint-url"}

SESSION = botocore.session.get_session()


def commands(text: str) -> list[tuple[str, str, set[str]]]:
    """Service, operation and options of each command of a block."""
    text = text.replace("\\\n", " ")
    found = re.findall(r"\baws ([a-z0-9-]+) ([a-z][a-z-]+)([^\n|]*)", text)
    return [(service, operation, options(rest)) for service, operation, rest in found]


def options(rest: str) -> set[str]:
    """The options of a command. What stands in $(…) is another command, with options of its own."""
    return set(re.findall(r"(?<=\s)--([a-z][a-z-]*)", re.sub(r"\$\([^()]*\)", "", rest)))


def fault(service: str, operation: str, given: set[str]) -> str | None:
    """What the CLI would say against it."""
    try:
        model = SESSION.get_service_model(service)
    except UnknownServiceError:
        return f"no service {service}"
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        return f"{service} has no {operation}"
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    if shape:
        members |= {f"no-{xform_name(name, '-')}" for name, of in shape.members.items() if of.type_name == "boolean"}
    required = {xform_name(name, "-") for name in shape.required_members} if shape else set()
    if unknown := given - members - OWN:
        return f"{operation} has no {sorted(unknown)}"
    if missing := required - given:
        return f"{operation} needs {sorted(missing)}"
    return None


def of_page(page: str) -> list[tuple[str, str, set[str]]]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", (ROOT / page).read_text(), re.M | re.S)
    return [command for block in blocks for command in commands(block)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_of_the_cli(page: str) -> None:
    found = of_page(page)
    assert len(found) >= 5, "the page's commands are not read"
    for service, operation, given in found:
        if operation == "wait":
            continue
        assert (said := fault(service, operation, given)) is None, f"{page}: {said}"


def test_what_is_waited_for_can_be_waited_for() -> None:
    for page in PAGES:
        for service, waiter in re.findall(r"\baws ([a-z0-9-]+) wait ([a-z-]+)", (ROOT / page).read_text()):
            known = {xform_name(name, "-") for name in SESSION.get_waiter_model(service).waiter_names}
            assert waiter in known, f"{page}: {service} wait {waiter}"


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("dynamo", "get-item", set()),
        ("dynamodb", "restore-table", set()),
        ("dynamodb", "delete-table", {"name"}),
        ("dynamodb", "delete-table", set()),
    ],
)
def test_a_command_that_there_is_not_is_found(service: str, operation: str, given: set[str]) -> None:
    assert fault(service, operation, given)
