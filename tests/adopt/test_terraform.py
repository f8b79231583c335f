"""Terraform's snippet is read by a parser, and says what the page says of it; it was not run."""

import hcl2
from conftest import SNIPPETS


def test_the_snippet_parses() -> None:
    with (SNIPPETS / "main.tf").open() as file:
        read = hcl2.load(file)
    resources = {name.strip('"') for block in read["resource"] for name in block}
    assert resources == {"aws_lambda_layer_version", "aws_lambda_permission", "aws_api_gateway_authorizer"}
    assert {name.strip('"') for block in read["variable"] for name in block} == {"rest_api_id", "user_pool_id", "client_ids"}


def test_every_snippet_is_short() -> None:
    for path in SNIPPETS.rglob("*"):
        if path.is_file() and path.suffix in (".yaml", ".ts", ".py", ".tf", ".mjs"):
            assert len(path.read_text().splitlines()) <= 40, path
