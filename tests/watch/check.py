"""200, 401 and 403 decided by functions that `cargo lambda watch` runs, also once a source was touched."""

import base64
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import requests
from blocks import ROOT
from stack import environment, started

AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
# A function is built when it is first called.
BUILD_SECONDS = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(what: str, ask: Callable[[], bool], log: Path, seconds: int = BUILD_SECONDS) -> None:
    """Asks until the answer is yes."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if ask():
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"{what}, not within {seconds} s:\n{log.read_text()[-4000:]}")


def keys(partition: str, sort: str) -> list[dict]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def create_table(endpoint: str) -> None:
    dynamodb = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    dynamodb.create_table(
        TableName="inventory", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "list_pk", "list_sk")],
        KeySchema=keys("pk", "sk"),
        GlobalSecondaryIndexes=[{"IndexName": "lists", "KeySchema": keys("list_pk", "list_sk"), "Projection": {"ProjectionType": "ALL"}}],
    )


def pool_of(token: str) -> str:
    """The pool that issued a token."""
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"].rsplit("/", 1)[1]


def check(base: str, clients: dict, watch: str, emulator: str) -> None:
    storefront = clients["storefront"]
    answer = requests.post(
        f"{base}/oauth2/token", auth=(storefront["client_id"], storefront["client_secret"]),
        data={"grant_type": "client_credentials"}, timeout=10,
    )
    token = answer.json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    env = environment(
        **AWS, AWS_ENDPOINT_URL=emulator, TABLE_NAME="inventory", USER_POOL_ID=pool_of(token), CLIENT_IDS=storefront["client_id"],
        JWKS_URI=f"{base}/.well-known/jwks.json", AWS_LAMBDA_LOG_FORMAT="JSON", ROUTES_FILE=str(ROOT / "routes.json"),
    )
    command = ["cargo", "lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", watch]
    with started(command, "(?i)starting|listening|serving|invoke", ROOT, env) as (_, log):
        def status(method: str, path: str, **more) -> int:
            return requests.request(method, base + path, timeout=60, **more).status_code

        eventually("200", lambda: status("GET", "/inventory", headers=bearer) == 200, log)
        print("  200 by the watched authorizer and inventory function")
        forged = {"Authorization": f"Bearer {token.rsplit('.', 1)[0]}.{'A' * 342}"}
        assert status("GET", "/inventory", headers=forged) == 401, log.read_text()
        assert status("PATCH", "/orders/1", headers=bearer, json={"status": "paid"}) == 403, log.read_text()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())
        for wanted in ('"outcome":"allowed"', '"reason":"signature"'):
            assert wanted in plain, f"no {wanted} of the watched authorizer:\n{plain[-4000:]}"
        print("  401 and 403 by the watched authorizer")
        before = plain.count("Finished")
        os.utime(ROOT / "handlers/src/bin/inventory.rs")
        eventually("a new build", lambda: log.read_text().count("Finished") > before, log)
        eventually("200 after it", lambda: status("GET", "/inventory", headers=bearer) == 200, log)
        print("  200 by the function that was built anew after its source was touched")


def main() -> None:
    api, watch, emulator = (free_port() for _ in range(3))
    base, endpoint = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{emulator}"
    with tempfile.TemporaryDirectory() as place:
        clients = Path(place) / "clients.json"
        local = [
            str(ROOT / "target/debug/local"), "--port", str(api), "--clients-file", str(clients),
            "--functions", f"http://127.0.0.1:{watch}",
        ]
        python = str(ROOT / ".venv/bin/python")
        with (
            started([python, str(ROOT / "tests/deploy/emulator.py"), str(emulator)], "", Path(place), environment(**AWS)) as (_, log),
            started(local, r"^Serving", ROOT),
        ):
            eventually("an emulator", lambda: requests.get(endpoint, timeout=5).status_code < 500, log, 60)
            create_table(endpoint)
            check(base, json.loads(clients.read_text()), str(watch), endpoint)


if __name__ == "__main__":
    main()
