"""docs/extend.md, followed to the letter in a copy of the tree: its edits, then its commands."""

import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import edits
import shell
from blocks import ROOT, blocks

PAGE = "docs/extend.md"


def copy(tree: Path) -> None:
    """The files of the repository as they are now, committed or not."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            # With the time of the copy, so that Cargo takes nothing for built that an earlier copy had edited.
            shutil.copyfile(ROOT / name, tree / name)
            shutil.copymode(ROOT / name, tree / name)


def main(target: Path) -> None:
    """Every block of the page is an edit or a command, and is done in its turn; nothing is left out."""
    tree = target.parent / "docs"
    copy(tree)
    for is_edit, group in groupby(blocks(PAGE), edits.is_edit):
        if is_edit:
            for block in group:
                edits.apply(block, tree)
                print(f"  {block}", flush=True)
            continue
        commands = list(group)
        for block in commands:
            assert block.info == "sh", f"{block}: neither an edit nor a command"
        shell.run(commands, tree, target.parent)
        for block in commands:
            print(f"  {block}", flush=True)
