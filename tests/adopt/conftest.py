"""What the tests of docs/adopt.md share: somebody's pool and project, and a release to attach."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/deploy"))
from emulated import emulator as emulator  # noqa: E402, PLC0414

SNIPPETS = ROOT / "docs/adopt"
RELEASE = ROOT / "target/dist"
ARCHITECTURE = "x86_64" if os.uname().machine == "x86_64" else "arm64"


@dataclass
class Pool:
    """A user pool with one client for each set of scopes."""

    endpoint: str
    id: str
    clients: dict[str, tuple[str, str]]

    def token(self, client: str) -> str:
        answer = requests.post(
            f"{self.endpoint}/oauth2/token", auth=self.clients[client], data={"grant_type": "client_credentials"}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]


@pytest.fixture(scope="session")
def pool(emulator: tuple[str, Path]) -> Pool:
    endpoint, _ = emulator
    cognito = boto3.client("cognito-idp", endpoint_url=endpoint)
    pool_id = cognito.create_user_pool(PoolName="theirs")["UserPool"]["Id"]
    cognito.create_resource_server(
        UserPoolId=pool_id, Identifier="catalogue", Name="Catalogue",
        Scopes=[{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write", "other")],
    )  # fmt: skip
    clients = {}
    for name, scopes in (("reader", ["catalogue/read"]), ("editor", ["catalogue/read", "catalogue/write"]), ("other", ["catalogue/other"])):
        made = cognito.create_user_pool_client(
            UserPoolId=pool_id, ClientName=name, GenerateSecret=True, AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=scopes,
        )["UserPoolClient"]  # fmt: skip
        clients[name] = (made["ClientId"], made["ClientSecret"])
    return Pool(endpoint, pool_id, clients)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project: their template, their functions, and what they unpacked of a release, with their routes."""
    shutil.copy(SNIPPETS / "sam.yaml", tmp_path / "template.yaml")
    shutil.copytree(SNIPPETS / "functions", tmp_path / "functions")
    attach(tmp_path / "scopegate")
    return tmp_path


def attach(folder: Path) -> None:
    """The files of a release, and routes.json beside them."""
    (folder / "layer").mkdir(parents=True)
    for name in (f"authorizer-{ARCHITECTURE}.zip", "LICENSE", "README.md"):
        shutil.copy(RELEASE / name, folder)
    shutil.copy(RELEASE / f"authorizer-{ARCHITECTURE}.yaml", folder / "authorizer.yaml")
    shutil.copy(SNIPPETS / "routes.json", folder / "layer")


@dataclass
class Api:
    """Somebody's API, wherever it runs."""

    url: str
    pool: Pool

    def call(self, client: str | None, method: str, path: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.pool.token(client)}"} if client else {}
        return requests.request(method, self.url + path, headers=headers, timeout=30)

    def statuses(self) -> dict[str, int]:
        """What the calls of the page give."""
        calls = {
            "the reader lists": ("reader", "GET", "/books"),
            "the reader reads": ("reader", "GET", "/books/9780131103627"),
            "the reader asks for a book that is not there": ("reader", "GET", "/books/0"),
            "the reader writes": ("reader", "PUT", "/books/1"),
            "the editor writes": ("editor", "PUT", "/books/1"),
            "nobody lists": (None, "GET", "/books"),
            "a client without these scopes lists": ("other", "GET", "/books"),
        }
        found = {what: self.call(*call).status_code for what, call in calls.items()}
        forged = {"Authorization": f"Bearer {self.pool.token('reader')[:-4]}AAAA"}
        found["a forged token lists"] = requests.get(f"{self.url}/books", headers=forged, timeout=30).status_code
        return found


EXPECTED = {
    "the reader lists": 200,
    "the reader reads": 200,
    "the reader asks for a book that is not there": 404,
    "the reader writes": 403,
    "the editor writes": 200,
    "nobody lists": 401,
    "a client without these scopes lists": 403,
    "a forged token lists": 401,
}


def deploy(project: Path, pool: Pool, *arguments: str, template: str = "template.yaml", stack: str = "theirs", **parameters: str) -> dict[str, str]:
    """`sam deploy`, as the page has it, and the outputs of the stack."""
    clients = ",".join(client_id for client_id, _ in pool.clients.values())
    overrides = {"UserPoolId": pool.id, "ClientIds": clients, **parameters}
    command = [
        "sam", "deploy", "--template-file", template, "--stack-name", stack, "--resolve-s3", "--no-progressbar", "--region", "us-east-1",
        "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", *arguments,
        "--parameter-overrides", *(f"{name}={value}" for name, value in overrides.items()),
    ]  # fmt: skip
    result = subprocess.run(
        command, cwd=project, env={**os.environ, "AWS_ENDPOINT_URL": pool.endpoint}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    cloudformation = boto3.client("cloudformation", endpoint_url=pool.endpoint)
    (deployed,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert deployed["StackStatus"] == "CREATE_COMPLETE", json.dumps(deployed, default=str)
    return {output["OutputKey"]: output["OutputValue"] for output in deployed.get("Outputs", [])}
