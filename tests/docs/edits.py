"""Owns the edits of a page: a sentence that names a file, and the block below it. Applies them to a copy of the tree."""

import re
from pathlib import Path

from blocks import Block

CREATE = re.compile(r"^Create `([^`]+)`:$")
INSERT = re.compile(r"^Insert into `([^`]+)` (before|after) `(.+)`:$")
CHANGE = re.compile(r"^Change `([^`]+)`:$")


def is_edit(block: Block) -> bool:
    """Whether the sentence above the block makes an edit of it."""
    return any(form.match(block.before) for form in (CREATE, INSERT, CHANGE))


def apply(block: Block, tree: Path) -> None:
    """Does what the sentence says. A place that is not there, or there twice, is a fault of the page."""
    if created := CREATE.match(block.before):
        path = tree / created[1]
        assert not path.exists(), f"{block}: {created[1]} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text + "\n")
    elif inserted := INSERT.match(block.before):
        name, where, anchor = inserted.groups()
        lines = (tree / name).read_text().splitlines()
        found = [at for at, line in enumerate(lines) if line.strip() == anchor]
        assert len(found) == 1, f"{block}: {len(found)} lines of {name} are `{anchor}`"
        at = found[0] + (where == "after")
        (tree / name).write_text("\n".join([*lines[:at], *block.text.splitlines(), *lines[at:]]) + "\n")
    elif changed := CHANGE.match(block.before):
        path = tree / changed[1]
        for part in re.split(r"^@@.*\n", block.text, flags=re.M):
            lines = part.splitlines()
            old = [line[1:] for line in lines if not line.startswith("+")]
            new = [line[1:] for line in lines if not line.startswith("-")]
            if not lines:
                continue
            text = "\n" + path.read_text()
            was, becomes = ("\n" + "\n".join(part) + "\n" for part in (old, new))
            assert text.count(was) == 1, f"{block}: {text.count(was)} places of {changed[1]} look like{was}"
            path.write_text(text.replace(was, becomes)[1:])
