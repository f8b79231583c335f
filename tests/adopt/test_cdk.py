"""The CDK programs of the page: synthesized, and what comes out deployed to the emulator."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import boto3
import pytest
from conftest import ARCHITECTURE, EXPECTED, RELEASE, ROOT, SNIPPETS, Api, Pool

PROGRAMS = {
    "app.ts": ["node", "--import", "tsx", "app.ts"],
    "app.py": [str(ROOT / "target/adopt/bin/python"), "app.py"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_cdk_app_attaches_the_authorizer(program: str, tmp_path: Path, pool: Pool) -> None:
    stack = synthesize(program, tmp_path, pool)
    api = Api(f"{pool.endpoint}/restapis/{deployed(stack, f'cdk-{program[-2:]}', pool)}/prod/_user_request_", pool)
    assert api.statuses() == EXPECTED


def synthesize(program: str, folder: Path, pool: Pool) -> Path:
    """Runs a program as it is, but for the processor, and gives what it wrote."""
    app = folder / "cdk"
    app.mkdir()
    shutil.copytree(SNIPPETS / "functions", folder / "functions")
    text = (SNIPPETS / "cdk" / program).read_text()
    if ARCHITECTURE == "x86_64":
        text = text.replace("arm64", "x86_64").replace("ARM_64", "X86_64")
    (app / program).write_text(text)
    shutil.copy(SNIPPETS / "cdk/package.json", app)
    (app / "node_modules").symlink_to(ROOT / "target/adopt/node/node_modules")
    (app / "scopegate/layer").mkdir(parents=True)
    shutil.copy(RELEASE / f"authorizer-{ARCHITECTURE}.zip", app / "scopegate")
    shutil.copy(SNIPPETS / "routes.json", app / "scopegate/layer")
    clients = ",".join(client_id for client_id, _ in pool.clients.values())
    # What `cdk synth -c userPoolId=… -c clientIds=…` hands to the program.
    context = {"userPoolId": pool.id, "clientIds": clients}
    environment = {**os.environ, "CDK_OUTDIR": str(app / "out"), "CDK_CONTEXT_JSON": json.dumps(context)}
    made = subprocess.run(PROGRAMS[program], cwd=app, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return app / "out"


def deployed(out: Path, name: str, pool: Pool) -> str:
    """What `cdk deploy` does: assets into the bootstrap bucket, then the stack. Gives the API's id."""
    s3, ssm, cloudformation = (boto3.client(kind, endpoint_url=pool.endpoint) for kind in ("s3", "ssm", "cloudformation"))
    account = boto3.client("sts", endpoint_url=pool.endpoint).get_caller_identity()["Account"]
    bucket = f"cdk-hnb659fds-assets-{account}-us-east-1"
    s3.create_bucket(Bucket=bucket)
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True)
    for asset in json.loads((out / "books.assets.json").read_text())["files"].values():
        source = out / asset["source"]["path"]
        (destination,) = asset["destinations"].values()
        s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=packed(source, asset["source"]["packaging"]))
    template = (out / "books.template.json").read_text()
    cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    (api,) = [it["PhysicalResourceId"] for it in resources if it["ResourceType"] == "AWS::ApiGateway::RestApi"]
    return api


def packed(source: Path, packaging: str) -> bytes:
    if packaging == "file":
        return source.read_bytes()
    archive = source.with_suffix(".packed")
    with zipfile.ZipFile(archive, "w") as target:
        for path in sorted(source.rglob("*")):
            target.write(path, path.relative_to(source))
    return archive.read_bytes()
