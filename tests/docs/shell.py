"""Runs a page's shell blocks as they are written: one bash for each page, in a given folder."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from blocks import Block
from stack import environment

# The command that starts the system, and stays in the foreground.
SERVER = re.compile(r"^cargo run -p local( .*)?$")
READY_SECONDS = 300
PAGE_SECONDS = 900


def script(blocks: list[Block], folder: Path) -> str:
    """The blocks as one program; what each prints goes to a file of its own."""
    parts = ["set -euo pipefail"]
    for at, block in enumerate(blocks):
        parts.append(f"exec >{folder}/{at} 2>&1")
        for line in block.text.splitlines():
            if not SERVER.match(line):
                parts.append(line)
                continue
            log = folder / f"{at}.local"
            parts += [
                f"{line} >{log} 2>&1 &",
                f"for _ in $(seq {READY_SECONDS * 5}); do grep -q ^Serving {log} && break; kill -0 $!; sleep 0.2; done",
            ]
    return "\n".join([*parts, ""])


def run(blocks: list[Block], tree: Path, target: Path) -> None:
    """Runs the blocks in `tree`. Fails where a command does, or where a status is not what the block says."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "script").write_text(script(blocks, folder))
        env = environment(CARGO_TARGET_DIR=str(target), CARGO_NET_OFFLINE="true")
        process = subprocess.Popen(
            [*apart(), "bash", str(folder / "script")], cwd=tree, env=env, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            code = process.wait(timeout=PAGE_SECONDS)
        finally:
            # The server, which the group was left with.
            try:
                os.killpg(process.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for at, block in enumerate(blocks):
            out = folder / str(at)
            assert out.exists(), f"{block}: not reached"
            is_last = not (folder / str(at + 1)).exists()
            log = folder / f"{at}.local"
            said = out.read_text(errors="replace") + (log.read_text() if log.exists() and is_last else "")
            assert code == 0 or not is_last, f"{block}: exit code {code}\n{said}"
            check_statuses(block, said)


def check_statuses(block: Block, said: str) -> None:
    """The statuses are those of the comments; without such comments nothing is refused."""
    expected = re.findall(r"^# (\d{3}):", block.text, re.M)
    came = re.findall(r"^HTTP/1\.1 (\d{3})", said, re.M)
    assert came == expected, f"{block}: {came}, not {expected}\n{said}"
    assert expected or '{"error":"' not in said, f"{block}: refused\n{said}"


@cache
def apart() -> list[str]:
    """Gives the command its own network where that is allowed: only loopback, so port 3000 is free and nothing else is
    reachable. Elsewhere the command runs as it is."""
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
        return command
    return []
