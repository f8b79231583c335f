"""Reads fenced blocks out of a Markdown page."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page and line, the text after its opening fence, and its content."""

    page: str
    line: int
    info: str
    text: str

    @property
    def first(self) -> str:
        """The first line, which identifies a block of a page."""
        return self.text.split("\n", 1)[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line} `{self.first}`"


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    found, lines = [], (ROOT / page).read_text().splitlines()
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        at += 1
        if not fence:
            continue
        began, indent = at, fence["indent"]
        while lines[at] != f"{indent}```":
            at += 1
        text = "\n".join(line.removeprefix(indent) for line in lines[began:at])
        found.append(Block(page, began + 1, fence["info"].strip(), text))
        at += 1
    return found
