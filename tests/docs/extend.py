"""docs/extend.md, followed step by step in a copy of the tree: its commands, and what it shows of its patches."""

import os
import shutil
import subprocess
from pathlib import Path

import shell
from blocks import ROOT, blocks

PAGE = "docs/extend.md"
PATCHES = "docs/extend"


def copy(tree: Path) -> None:
    """Copies the files of the repository as they are now, committed or not. They keep their times, so Cargo builds only what
    the patches change."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def main(target: Path) -> None:
    """Every block of the page is a command, or part of a patch."""
    tree = target.parent / "docs"
    copy(tree)
    added = [line[1:] for patch in sorted((ROOT / PATCHES).iterdir()) for line in patch.read_text().splitlines() if line.startswith("+")]
    commands = []
    for block in blocks(PAGE):
        if block.info == "sh":
            commands.append(block)
        else:
            missing = [line for line in block.text.splitlines() if line not in added]
            assert not missing, f"{block}: in no patch: {missing}"
    # The copy is inside the repository's folder, but is not a repository.
    os.environ["GIT_CEILING_DIRECTORIES"] = str(target.parent)
    shell.run(commands, tree, target.parent)
    for block in commands:
        print(f"  {block}", flush=True)
