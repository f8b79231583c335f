"""The page's function in Node, called as Lambda calls it. The emulator and the laptop try the one in Python."""

import json
import subprocess

import pytest
from conftest import ROOT

PROGRAM = """
import { handler } from "./books.mjs";
let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(JSON.stringify(await handler(JSON.parse(text))));
"""


@pytest.mark.parametrize(
    ("verb", "scope", "expected"),
    [
        ("GET", "catalogue/read", (200, {"isbn": "1", "caller": "editor"})),
        ("PUT", "catalogue/read catalogue/writer", (403, {"error": "insufficient_scope"})),
        ("PUT", "catalogue/read catalogue/write", (200, {"isbn": "1", "caller": "editor"})),
    ],
)
def test_the_function_in_node_reads_the_caller(verb: str, scope: str, expected: tuple[int, dict]) -> None:
    caller = {"principalId": "editor", "client_id": "editor", "scope": scope, "exp": "1795291554"}
    event = {"httpMethod": verb, "resource": "/books/{isbn}", "pathParameters": {"isbn": "1"}, "requestContext": {"authorizer": caller}}
    command = ["node", "--input-type=module", "--eval", PROGRAM]
    ended = subprocess.run(
        command, cwd=ROOT / "docs/adopt/functions", input=json.dumps(event), capture_output=True, text=True, timeout=60, check=True
    )
    answer = json.loads(ended.stdout)
    assert (answer["statusCode"], json.loads(answer["body"])) == expected
