"""The emulator as a fixture, for all tests that deploy to it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

EMULATOR = Path(__file__).resolve().parent / "emulator.py"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The emulator's address, on a free port of loopback, and its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    log = tmp_path_factory.mktemp("emulator") / "log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, str(EMULATOR), str(port)], stdout=sink, stderr=sink, cwd=log.parent
        )
        try:
            for _ in range(240):
                assert process.poll() is None, log.read_text()
                try:
                    requests.get(endpoint, timeout=1)
                    break
                except requests.ConnectionError:
                    time.sleep(0.25)
            else:
                pytest.fail(f"the emulator does not answer: {log.read_text()}")
            yield endpoint, log
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
            print(log.read_text()[-20000:])
