"""What the deployment tests share: the deployed stack, and a client of it."""

import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest
import requests
from emulated import emulator as emulator  # noqa: PLC0414

ROOT = Path(__file__).resolve().parents[2]
STACK = "scopegate-dev"
CLIENTS = {
    "order-service": "OrderService",
    "payment-service": "PaymentService",
    "report-service": "ReportService",
    "storefront": "Storefront",
}


@dataclass
class Stack:
    """The deployed stack as its users see it."""

    endpoint: str
    log: Path
    outputs: dict[str, str]
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def aws(self, service: str):
        return boto3.client(service, endpoint_url=self.endpoint)

    @property
    def api_url(self) -> str:
        """Where the emulator serves what the output `ApiUrl` names."""
        api_id = self.outputs["ApiUrl"].removeprefix("https://").split(".")[0]
        return f"{self.endpoint}/restapis/{api_id}/dev/_user_request_"

    @property
    def token_url(self) -> str:
        return f"{self.endpoint}/oauth2/token"

    @property
    def jwks_url(self) -> str:
        return f"{self.endpoint}/{self.outputs['UserPoolId']}/.well-known/jwks.json"

    def credentials(self, client: str) -> dict[str, str]:
        """What the client's secret holds, found by the output that names it."""
        name = self.outputs[f"{CLIENTS[client]}SecretName"]
        return json.loads(self.aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    def ask_for_token(self, client: str, **form: str) -> requests.Response:
        own = self.credentials(client)
        form = {"grant_type": "client_credentials", **form}
        return requests.post(self.token_url, auth=(own["client_id"], own["client_secret"]), data=form, timeout=10)

    def token(self, client: str, scope: str = "") -> str:
        """An access token, asked for once."""
        if (client, scope) not in self.tokens:
            answer = self.ask_for_token(client, **({"scope": scope} if scope else {}))
            assert answer.status_code == 200, answer.text
            self.tokens[client, scope] = answer.json()["access_token"]
        return self.tokens[client, scope]

    def call(self, client: str, method: str, path: str, body=None, **headers: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token(client)}", **headers}
        return requests.request(method, self.api_url + path, json=body, headers=headers, timeout=40)

    def log_lines(self) -> list[dict]:
        """The lines that functions wrote about invocations."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if "outcome" in line]


@pytest.fixture(scope="session")
def stack(emulator: tuple[str, Path]) -> Stack:
    """The template as it is, built and deployed."""
    endpoint, log = emulator
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    # The pool's id is known beforehand: see emulator.py.
    jwks = f"{endpoint}/us-east-1_Emulator1/.well-known/jwks.json"
    sam("build", "--config-env", "dev", "--parameter-overrides", f"Architecture={architecture}")
    sam(
        "deploy", "--config-env", "dev", "--region", "us-east-1", "--no-progressbar",
        "--parameter-overrides", f"Stage=dev Architecture={architecture} JwksUri={jwks} RotationDays=0",
        AWS_ENDPOINT_URL=endpoint,
    )  # fmt: skip
    cloudformation = boto3.client("cloudformation", endpoint_url=endpoint)
    (deployed,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    assert deployed["StackStatus"] == "CREATE_COMPLETE"
    stack = Stack(endpoint, log, {output["OutputKey"]: output["OutputValue"] for output in deployed["Outputs"]})
    # The function `rotate` has put the first values in. The addresses in them are AWS's, and lead nowhere here.
    for client, prefix in CLIENTS.items():
        value = stack.credentials(client)
        assert set(value) == {"client_id", "client_secret", "token_url", "api_url"}, client
        value |= {"token_url": stack.token_url, "api_url": stack.api_url}
        stack.aws("secretsmanager").put_secret_value(
            SecretId=stack.outputs[f"{prefix}SecretName"], SecretString=json.dumps(value)
        )
    return stack


def sam(*arguments: str, **environment: str) -> None:
    """Runs the SAM CLI, showing its output only if it fails."""
    result = subprocess.run(
        ["sam", *arguments], cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3000, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
