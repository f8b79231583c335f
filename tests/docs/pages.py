"""Runs the shell blocks of every page as they are written, except those below, each with its reason."""

import subprocess
from itertools import groupby
from pathlib import Path

import shell
from blocks import ROOT, Block, blocks

# docs/extend.md has a check of its own.
ELSEWHERE = {"docs/extend.md"}

GATE = "the gate itself, of which this is a part"
AWS = "needs an AWS account"
EMULATED = "needs an AWS account; tests/deploy does the same against an emulator"
TOOLS = "installs tools, or measures for longer than a gate may take"
WATCHED = "needs several terminals; tests/watch/run does the same on free ports"

# By page and the start of the first line.
NOT_RUN = {
    ("README.md", "cargo test --workspace"): GATE,
    ("CONTRIBUTING.md", "cargo run -p local"): GATE,
    ("CONTRIBUTING.md", "cargo install"): TOOLS,
    ("bench/README.md", "cargo run --release -p bench"): TOOLS,
    ("bench/README.md", "cargo bench -p bench"): TOOLS,
    ("fuzz/README.md", ""): TOOLS,
    ("gateway/README.md", "gateway --template"): "serves somebody's project; gateway's tests start the same command",
    ("docs/adopt.md", "sam deploy"): "needs an AWS account; tests/adopt does the same against an emulator",
    ("docs/scale.md", "docs/scale/make"): "writes into the tree; the section scale of .ci/run checks what it writes",
    ("docs/deploy.md", "python3.11 -m venv"): TOOLS,
    ("docs/deploy.md", "sam build"): EMULATED,
    ("docs/deploy.md", "sam deploy"): EMULATED,
    ("docs/deploy.md", "STACK=scopegate"): EMULATED,
    ("docs/deploy.md", "dist/preflight"): AWS,
    ("docs/deploy.md", "python tests/deploy/emulator.py"): EMULATED,
    ("docs/deploy.md", "export AWS_ENDPOINT_URL"): EMULATED,
    ("docs/deploy.md", "tests/aws/ask"): AWS,
    ("docs/deploy.md", "export AWS_DEFAULT_REGION"): AWS,
    ("docs/deploy.md", "sam delete"): AWS,
    ("docs/deploy.md", "aws dynamodb"): AWS,
    ("docs/deploy.md", "aws apigateway"): AWS,
    ("docs/operate.md", ""): AWS,
    ("docs/rotate.md", ""): AWS,
    ("local/README.md", "# Terminal"): WATCHED,
    ("local/README.md", "cargo run -q -p local -- explain --user-pool-id"): "fetches the keys of a pool on AWS",
}


def reason(block: Block) -> tuple[str, str] | None:
    """The entry of `NOT_RUN` for this block."""
    return next((key for key in NOT_RUN if key[0] == block.page and block.first.startswith(key[1])), None)


def main(target: Path) -> None:
    """Runs each page in its own bash, in order, so a block finds what those before it left."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [
        block
        for page in listed.stdout.split()
        if page not in ELSEWHERE
        for block in blocks(page)
        if block.info == "sh"
    ]
    unused = {key for key in NOT_RUN if (ROOT / key[0]).exists()} - {reason(block) for block in found}
    assert not unused, f"no block is {sorted(unused)}"
    for page, group in groupby(found, lambda block: block.page):
        group = list(group)
        runs = [block for block in group if not reason(block)]
        if runs:
            shell.run(with_server(runs), ROOT, target.parent)
        for block in group:
            key = reason(block)
            print(f"  {'ok     ' if not key else 'not run'} {block}{f': {NOT_RUN[key]}' if key else ''}", flush=True)


def with_server(runs: list[Block]) -> list[Block]:
    """The blocks behind one that starts `local`: a page that does not start it says that it is running."""
    if any(shell.SERVER.match(line) for block in runs for line in block.text.splitlines()):
        return runs
    page = runs[0].page
    return [Block(page, 0, "sh", "cargo run -p local"), *runs]
