"""tests/aws/ask, which asks an account of AWS, is known to work: it asks the emulator, `gateway` and `local`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ask(*arguments: str) -> None:
    command = [sys.executable, str(ROOT / "tests/aws/ask"), *arguments, "--region", "us-east-1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_emulator_answers_as_it_is_known_to(emulator: tuple[str, Path]) -> None:
    ask("emulator", emulator[0])


@pytest.mark.parametrize("name", ["gateway", "local"])
def test_a_laptop_answers_as_expected(name: str) -> None:
    command = ROOT / "target/debug" / name
    if not command.exists():
        subprocess.run(["cargo", "build", "--locked", "--quiet", "-p", name], cwd=ROOT, check=True, timeout=1500)
    ask(name, str(command))


def test_another_answer_is_found(tmp_path: Path) -> None:
    for name in ("ask", "template.yaml"):
        (tmp_path / name).write_text((ROOT / "tests/aws" / name).read_text())
    expected = (ROOT / "tests/aws/expected.json").read_text()
    assert "coffee%2D1kg\\\"" in expected
    (tmp_path / "expected.json").write_text(expected.replace("coffee%2D1kg\\\"", "coffee-1kg\\\""))
    command = [sys.executable, str(tmp_path / "ask"), "gateway", str(ROOT / "target/debug/gateway")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.count("**differs**")) == (1, 1), done.stdout + done.stderr
