"""A minute of coverage-guided fuzzing of all that reads a stranger's bytes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_minute_of_fuzzing_finds_nothing() -> None:
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "tests.fuzz.run", "--seconds", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout.count("number_of_executed_units") == 10
