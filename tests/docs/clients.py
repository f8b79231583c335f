"""The programs of docs/clients.md do what the page says, against `local` and against a stand-in that misbehaves."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from blocks import ROOT, blocks
from stack import environment, local
from stub import CLIENT_ID, CLIENT_SECRET, Script, stub

PAGE = "docs/clients.md"

PYTHON = ROOT / "target/oauth/bin/python"
# How each program is run: those on the page, then those that it links to.
ON_PAGE = {
    "call_authlib.py": [str(PYTHON), "call_authlib.py"],
    "call_openid.mjs": ["node", "call_openid.mjs"],
    "call.sh": ["bash", "call.sh"],
}
LINKED = {
    "call.py": ["python3", "call.py"],
    "call.mjs": ["node", "call.mjs"],
}
RUST = "client/examples/call.rs"

SOON = {"Retry-After": "1"}
# The script of the stand-in; what the program prints; how many token requests; how many calls.
CASES = [
    ("a token serves two calls", Script(), "200 200", 1, 2),
    ("a 401 gets a fresh token and one more try", Script(api=[(401, {})]), "200 200", 2, 3),
    ("a second 401 is reported", Script(api=[(401, {}), (401, {})]), "401 200", 2, 3),
    ("a 403 is final", Script(api=[(403, {})]), "403 200", 1, 2),
    ("a 429 waits as long as Retry-After says", Script(api=[(429, SOON)]), "200 200", 1, 3),
    ("a 429 is tried three times", Script(api=[(429, {"Retry-After": "0"})] * 3), "429 200", 1, 4),
    ("a 429 without a time is final", Script(api=[(429, {})]), "429 200", 1, 2),
    ("a 429 for a token waits", Script(tokens=[(429, SOON)]), "200 200", 2, 2),
    ("a token past three quarters of its life is renewed", Script(life=0), "200 200", 2, 2),
    ("a redirect is not followed", Script(api=[(302, {"Location": "/elsewhere"})]), "302 200", 1, 2),
    ("no token is a failure", Script(tokens=[(400, {})]), None, 1, 0),
]


# Authlib gets its first token before the first call, and takes a life of 0 for an endless one.
AUTHLIB_CASES = [
    (title, Script(life=-8), "200 200", 3, 2) if script == Script(life=0) else (title, script, *rest)
    for title, script, *rest in CASES
]


def install() -> None:
    """Installs the libraries, at the versions that tests/oauth pins, unless its section of the gate has."""
    oauth = ROOT / "tests/oauth"
    quiet = {"check": True, "cwd": ROOT, "stdout": subprocess.DEVNULL}
    if not (oauth / "node_modules/openid-client").exists():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(oauth)], **quiet)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PYTHON.parents[1])], **quiet)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", str(oauth / "requirements.txt")], **quiet)


def run(name: str, folder: Path, url: str, client_id: str, client_secret: str) -> tuple[int, str]:
    """The exit code of a program, and what it printed on one line."""
    # A file of its own for each run's token.
    cache = tempfile.mkdtemp(dir=folder)
    env = environment(
        TOKEN_URL=f"{url}/oauth2/token", API_URL=url, CLIENT_ID=client_id, CLIENT_SECRET=client_secret,
        XDG_CACHE_HOME=cache, AUTHLIB_INSECURE_TRANSPORT="1",
    )
    ended = subprocess.run((ON_PAGE | LINKED)[name], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    if ended.stderr and ended.returncode == 0:
        raise AssertionError(f"{name}: {ended.stderr}")
    for file in Path(cache).rglob("*"):
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, f"{name} leaves a token that others can read"
    return ended.returncode, " ".join(ended.stdout.split())


def check_case(name: str, folder: Path, case: tuple) -> None:
    title, script, printed, token_requests, calls = case
    script = Script(list(script.api), list(script.tokens), script.life)
    waits = sum(SOON in answer for answer in script.api + script.tokens)
    with stub(script) as seen:
        began = time.monotonic()
        code, out = run(name, folder, seen.url, CLIENT_ID, CLIENT_SECRET)
        took = time.monotonic() - began
    what = f"{name}: {title}: exit {code}, `{out}`, {seen}"
    assert (code, out) == (0, printed) if printed else code != 0, what
    assert (seen.token_requests, len(seen.calls), seen.wrong) == (token_requests, calls, []), what
    assert {path for path, _ in seen.calls} <= {"/inventory"}, what
    assert took >= waits, what
    if printed:
        assert seen.calls[-1][1] == f"a.b.{token_requests}", what


def main(target: Path) -> None:
    """Every program of the page: against a stand-in in each case, then against `local`."""
    programs = {block.info.split("file=")[1]: block.text for block in blocks(PAGE) if "file=" in block.info}
    assert set(programs) == {*ON_PAGE, RUST}, f"the page has {sorted(programs)}"
    example = [line.strip() for line in (ROOT / RUST).read_text().splitlines()]
    missing = [line for line in programs.pop(RUST).splitlines() if line not in example]
    assert not missing, f"{RUST} does not have {missing}"
    programs |= {name: (ROOT / "docs/clients" / name).read_text() for name in LINKED}
    install()
    with tempfile.TemporaryDirectory() as place, local(target / "local") as (base, known):
        folder, storefront = Path(place), known["storefront"]
        identity = storefront["client_id"], storefront["client_secret"]
        (folder / "node_modules").symlink_to(ROOT / "tests/oauth/node_modules")
        for name, text in programs.items():
            (folder / name).write_text(text + "\n")
            cases = AUTHLIB_CASES if name == "call_authlib.py" else CASES
            for case in cases:
                check_case(name, folder, case)
            assert run(name, folder, base, *identity) == (0, "200 200"), f"{name} against local"
            print(f"  {name}: {len(cases)} cases and local")
        env = environment(
            TOKEN_URL=f"{base}/oauth2/token", API_URL=base, CLIENT_ID=identity[0], CLIENT_SECRET=identity[1]
        )
        ended = subprocess.run([target / "examples/call"], env=env, capture_output=True, text=True, timeout=60)
        assert ended.stdout.startswith("200 "), f"{RUST}: {ended.stdout} {ended.stderr}"
        print(f"  {RUST}: local")
