"""Somebody's API from nothing to its answers on a laptop: their template with a pool of its own, their Python functions, and the
authorizer of a release, in the process of `local`, or as the zip's program beside `gateway`."""

import json
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ARCHITECTURE, EXPECTED, RELEASE, ROOT, Api, Pool

sys.path.insert(0, str(ROOT / "tests/docs"))
from stack import environment, started  # noqa: E402

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CLIENTS = {"reader": ["catalogue/read"], "editor": ["catalogue/read", "catalogue/write"], "other": ["catalogue/other"]}


@dataclass
class Laptop:
    """`local` with the project's template, and where its functions are invoked."""

    pool: Pool
    project: Path
    functions: str


@pytest.fixture(scope="session", autouse=True)
def binaries() -> None:
    """`local` and `gateway`, which other sections of the gate have built already."""
    if not all((TARGET / "debug" / name).exists() for name in ("local", "gateway")):
        subprocess.run(["cargo", "build", "--quiet", "--locked", "-p", "local", "-p", "gateway", "--bins"], cwd=ROOT, check=True)


@pytest.fixture
def laptop(project: Path) -> Iterator[Laptop]:
    with_a_pool(project / "template.yaml")
    with zipfile.ZipFile(RELEASE / f"authorizer-{ARCHITECTURE}.zip") as release:
        release.extract("bootstrap", project / "scopegate")
    (project / "scopegate/bootstrap").chmod(0o755)
    functions, local = free_port(), free_port()
    settings = {
        "USER_POOL_ID": "us-east-1_Local0001", "CLIENT_IDS": "*", "JWKS_URI": f"http://127.0.0.1:{local}/.well-known/jwks.json",
        "ROUTES_FILE": "scopegate/layer/routes.json", "AWS_LAMBDA_LOG_FORMAT": "JSON",
    }  # fmt: skip
    invoke = [
        sys.executable, str(ROOT / "tests/adopt/invoke.py"), str(functions), "Books=functions.books.handler", "Scopegate=./scopegate/bootstrap",
    ]  # fmt: skip
    endpoint = f"http://127.0.0.1:{functions}"
    with ExitStack() as running:
        command = [str(TARGET / "debug/local"), "--port", str(local), "--functions", endpoint, "--json"]
        running.enter_context(started(command, r"^Serving", project))
        running.enter_context(started(invoke, "^Serving", project, environment(**settings)))
        known = json.loads((project / ".local/clients.json").read_text())
        clients = {name: (client["client_id"], client["client_secret"]) for name, client in known.items()}
        yield Laptop(Pool(f"http://127.0.0.1:{local}", settings["USER_POOL_ID"], clients), project, endpoint)


def test_local_decides_in_its_process_and_calls_their_functions(laptop: Laptop) -> None:
    check(Api(laptop.pool.endpoint, laptop.pool))


def test_gateway_calls_the_program_of_the_zip_and_their_functions(laptop: Laptop) -> None:
    command = [str(TARGET / "debug/gateway"), "--template", "template.yaml", "--functions", laptop.functions, "--port", "0"]
    with started(command, r"^Serving .* on (http://[^,\s]+)", laptop.project) as (found, log):
        check(Api(found[1], laptop.pool))
        assert laptop.pool.token("reader").split(".")[2] not in log.read_text()


def check(api: Api) -> None:
    """The answers of the page, who calls, and what is not there."""
    assert api.statuses() == EXPECTED
    told = api.call("editor", "PUT", "/books/1").json()
    assert told == {"isbn": "1", "changed_by": api.pool.clients["editor"][0]}
    for client in ("reader", None):
        assert api.call(client, "GET", "/authors").status_code == 404, "a route that is not there"


def with_a_pool(template: Path) -> None:
    """Puts a pool and its clients into the page's template, in place of its parameters."""
    server = {"UserPoolId": {"Ref": "Pool"}, "Identifier": "catalogue", "Name": "Catalogue"}
    server["Scopes"] = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write", "other")]
    resources = {"Pool": {"Type": "AWS::Cognito::UserPool"}, "Server": {"Type": "AWS::Cognito::UserPoolResourceServer", "Properties": server}}
    for name, scopes in CLIENTS.items():
        client = {
            "UserPoolId": {"Ref": "Pool"}, "ClientName": name, "GenerateSecret": True, "AllowedOAuthFlowsUserPoolClient": True,
            "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": scopes,
        }  # fmt: skip
        resources[name.title()] = {"Type": "AWS::Cognito::UserPoolClient", "Properties": client}
    text = template.read_text()
    head, rest = text.split("Parameters:\n", 1)
    rest = rest.split("Resources:\n", 1)[1].replace("!Ref UserPoolId", "!Ref Pool").replace("!Ref ClientIds", '!Sub "${Reader},${Editor},${Other}"')
    own = "".join(f"  {name}: {json.dumps(resource)}\n" for name, resource in resources.items())
    template.write_text(f"{head}Resources:\n{own}{rest}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
