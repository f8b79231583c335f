"""Links and names of files in the pages lead somewhere in the repository."""

import re
import subprocess
from pathlib import Path

from blocks import ROOT

# Not those with `::`, which rustdoc checks, nor `../../actions/`, which are pages of the repository's host.
LINK = re.compile(r"\]\((?!https?:|mailto:|\.\./\.\./actions/)((?:(?!::)[^)#\s])*)(?:#([^)\s]+))?\)")
# A path from the repository's root, as the pages write it: with a folder, in backticks.
NAMED = re.compile(r"`((?:access|authorizer|bench|client|docs|events|handlers|local|tests)/[\w./-]+\.\w+)`")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.M | re.S)
    headings = (re.sub(r"[`*]", "", heading).strip() for heading in re.findall(r"^#+ (.+)$", text, re.M))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main(_: Path) -> None:
    """Every relative link of every page, with its anchor, and every file that a page names."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    # Files that a patch of docs/extend.md creates.
    made = {name for patch in (ROOT / "docs/extend").iterdir() for name in re.findall(r"^\+\+\+ b/(\S+)$", patch.read_text(), re.M)}
    links = names = 0
    wrong = []
    for page in map(Path, listed.stdout.split()):
        text = (ROOT / page).read_text()
        for target, anchor in LINK.findall(re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)):
            links += 1
            path = (ROOT / page.parent / target).resolve() if target else ROOT / page
            if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
                wrong.append(f"{page}: {target}#{anchor}")
        for name in set(NAMED.findall(text)) - made:
            names += 1
            if not (ROOT / name).exists() and not (ROOT / page.parent / name).exists():
                wrong.append(f"{page}: {name}")
    assert not wrong, "\n".join(wrong)
    print(f"  {links} links, {names} names of files")
