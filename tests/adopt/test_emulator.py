"""Somebody's API from nothing to its answers, deployed with the zip of a release to the emulator."""

from pathlib import Path

import boto3
from conftest import ARCHITECTURE, EXPECTED, Api, Pool, deploy


def test_a_sam_project_attaches_the_authorizer(project: Path, pool: Pool, emulator: tuple[str, Path]) -> None:
    outputs = deploy(project, pool)
    api = Api(f"{pool.endpoint}/restapis/{outputs['ApiId']}/prod/_user_request_", pool)
    assert api.statuses() == EXPECTED
    told = api.call("editor", "PUT", "/books/1").json()
    assert told == {"isbn": "1", "changed_by": pool.clients["editor"][0]}, "the function knows who calls"
    log = emulator[1].read_text()
    assert '"PUT /books/{isbn}"' in log, "the authorizer names routes of this table"
    assert pool.token("reader") not in log


def test_the_template_stands_alone(project: Path, pool: Pool) -> None:
    outputs = deploy(project / "scopegate", pool, template="authorizer.yaml", stack="alone", ApiId="a1b2c3d4e5")
    function = boto3.client("lambda", endpoint_url=pool.endpoint)
    configuration = function.get_function(FunctionName=outputs["FunctionArn"])["Configuration"]
    assert configuration["Architectures"] == [ARCHITECTURE]
    assert len(configuration["Layers"]) == 1, "the routes"
    policy = function.get_policy(FunctionName=outputs["FunctionArn"])["Policy"]
    assert ":a1b2c3d4e5/authorizers/*" in policy


def test_a_small_table_is_a_parameter(project: Path, pool: Pool) -> None:
    outputs = deploy(
        project / "scopegate", pool, template="authorizer.yaml", stack="inline", Routes='{\\"GET\\ /books\\":[\\"catalogue/read\\"]}'
    )
    function = boto3.client("lambda", endpoint_url=pool.endpoint)
    configuration = function.get_function(FunctionName=outputs["FunctionArn"])["Configuration"]
    assert not configuration.get("Layers")
    assert configuration["Environment"]["Variables"]["ROUTES"] == '{"GET /books":["catalogue/read"]}'
