"""--quiet leaves errors and warnings alone on stderr; the progress line says how long the rest takes."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli import progress

from tests.cli.conftest import CONSOLE_SCRIPT, NAME


@pytest.fixture
def folder(tmp_path, digit):
    """pictures/: a digit, and noise, of which no model makes more than a warning."""
    (tmp_path / "pictures").mkdir()
    with Image.open(digit) as image:
        image.save(tmp_path / "pictures" / "digit.png")
    noise = np.random.default_rng(1).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(noise).save(tmp_path / "pictures" / "noise.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize("name", ["--quiet", "-q"])
def test_what_goes_well_is_silent(run, digit, name):
    for arguments in (
        ("compress", digit, "a.vae", "-m", "mnist"),
        ("decompress", "a.vae", "a.jpg"),
        ("archive", "create", "a.vaea", digit, "-m", NAME),
        ("archive", "extract", "a.vaea", "out"),
        ("models", "strip", NAME, "small.vaem"),
    ):
        talks, silent = run(*arguments), run(*arguments, "--force", name)
        assert (talks.exit_code, silent.exit_code) == (0, 0), silent.stderr
        assert talks.stderr
        assert silent.stderr == ""


def test_warnings_and_errors_are_still_said(run, folder):
    done = run("compress", folder, "streams", "-q", "-m", NAME)
    assert done.exit_code == 0
    assert all(line.startswith("vaecodec: warning: ") for line in done.stderr.splitlines())
    assert "noise.png" in done.stderr
    again = run("compress", folder, "streams", "-q", "-m", NAME)
    assert again.exit_code == 1
    assert "2 of 2 files failed" in again.stderr


def test_quiet_ends_with_its_command(run, digit):
    assert run("compress", digit, "a.vae", "-q", "-m", "mnist").stderr == ""
    assert run("compress", digit, "b.vae", "-m", "mnist").stderr


def test_the_time_that_is_left_is_told_from_what_was_done(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    bar = progress.Progress(quiet=True)
    assert bar.left(0, 10) == ""
    now[0] += 50
    assert bar.left(2, 10) == ", 3 min 20 s left"
    assert bar.left(10, 10) == ", 0 s left"
    assert bar.left(11, 10) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds, words):
    assert progress.duration(seconds) == words


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("quiet", [False, True])
def test_a_long_command_says_on_a_terminal_what_is_left(package, folder, quiet):
    import pty

    leader, terminal = pty.openpty()
    code = [sys.executable, "-P", "-c", CONSOLE_SCRIPT]
    command = [*code, "compress", str(folder), "streams", "-m", NAME, *["--quiet"] * quiet]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    try:
        subprocess.run(command, env=environment, stderr=terminal, stdout=subprocess.PIPE, timeout=60, check=True)
        said = os.read(leader, 1 << 16).decode()
    finally:
        os.close(terminal)
        os.close(leader)
    assert bool(re.search(r"1 of 2 images, \d+ bytes, \d+ s left", said)) != quiet
    assert "warning" in said
