"""Starts `local` on a free port and stops it."""

import json
import os
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from blocks import ROOT

# A first start is awaited this long, the build left out: it is done before.
START_SECONDS = 60


def environment(**more: str) -> dict[str, str]:
    """This process's environment for a program under test: no proxy stands between it and loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | more


def await_line(log: Path, process: subprocess.Popen, wanted: str, seconds: int = START_SECONDS) -> re.Match:
    """The match of `wanted` in what the process wrote, once it is there."""
    for _ in range(seconds * 10):
        found = re.search(wanted, log.read_text(), re.M)
        if found:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"`{wanted}` was not written:\n{log.read_text()}")


@contextmanager
def started(command: list[str], wanted: str, cwd: Path = ROOT, env: dict[str, str] | None = None):
    """A program that runs while the block does. Yields the match of `wanted` in its output, and the log's path."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=env or environment(), start_new_session=True,
            )
        try:
            yield await_line(log, process, wanted), log
        finally:
            # The group, for `cargo run` has a child. It is ours: it was made above.
            os.killpg(process.pid, 15)
            process.wait(timeout=30)


@contextmanager
def local(binary: Path, cwd: Path = ROOT, *options: str):
    """`local` on a free port. Yields its address and the clients by name."""
    with tempfile.TemporaryDirectory() as folder:
        clients = Path(folder) / "clients.json"
        command = [str(binary), "--port", "0", "--clients-file", str(clients), *options]
        with started(command, r"^Serving .* on (http://\S+)$", cwd) as (found, _):
            yield found[1], json.loads(clients.read_text())
