"""A small share of what docs/reliability.md tells; each script can find a fault, and the page is up to date."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

import vaecodec
from benchmarks.kills import Scene, Tally, note
from benchmarks.measuring import golden_worker
from benchmarks.measuring.commands import Ended
from benchmarks.measuring.machine import RESULTS, ROOT
from benchmarks.pages.page import out_of_date
from benchmarks.pages.reliability_page import PAGE, PARTS, render

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
SHARES = {
    "kills": ["--kills", "3", "--only", "archive append", "compress"],
    "endings": ["--each", "1", "--imports", "1"],
    "faults": ["--each", "1", "--only", "files limited in size", "input that changes", "closed pipes"],
    "sharing": ["--workers", "2", "--methods", "fork", "threads"],
}


@pytest.mark.parametrize("name", SHARES)
def test_a_small_share_holds(name, tmp_path):
    out = tmp_path if name == "kills" else tmp_path / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", *SHARES[name], "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in tmp_path.glob("*.json"):
        assert json.loads(path.read_text())["holds"]


def test_the_page_is_what_the_results_say():
    assert out_of_date({PAGE: render(RESULTS)}) == []


def test_a_result_that_is_missing_is_said_to_be(tmp_path):
    assert render(tmp_path).count("not measured yet") == len(PARTS)


def test_a_state_that_is_neither_old_nor_new_is_wrong(tmp_path):
    def torn():
        raise ValueError("torn")

    for state, name in ((torn, "out"), (lambda: "old", "out"), (lambda: "new", "strange")):
        tally = Tally()
        (tmp_path / name).touch()
        scene = Scene(tmp_path, [], lambda: None, state, frozenset({"out"}))
        assert note(scene, tally, expected="new") == "wrong"
        assert len(tally.wrong) == 1


@pytest.mark.parametrize(
    "errors",
    [
        "",
        "Traceback (most recent call last):\nvaecodec: error: x\n",
        "vaecodec: error: x\nvaecodec: error: y\n",
        "vaecodec: error: this is a bug of vaecodec\n",
        "vaecodec: error: x\nand more\n",
    ],
)
def test_an_error_that_is_not_one_line_of_ours_is_not_clean(errors):
    assert not Ended(1, errors, 0.0).clean_error
    assert Ended(1, "a.png -> a.vae\nvaecodec: error: x\n", 0.0).clean_error


def test_a_command_is_killed_at_its_moment():
    code = (
        "import sys; from benchmarks.measuring.commands import run_command; "
        "print(run_command(['models'], after_s=0.05, prepare=lambda: __import__('time').sleep(60)).code)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == -signal.SIGKILL
    assert time.monotonic() - began < 60


def test_another_engines_pixels_are_found_to_differ(tmp_path):
    with Image.open(ROOT / "examples" / "digit-7.png") as image:
        stream = vaecodec.load("mnist").compress(image)
    (tmp_path / "mnist+0.vae").write_bytes(stream)
    np.save(tmp_path / "mnist+0.npy", np.zeros((28, 28), np.uint8))
    wrong = [name for name, same, _ in golden_worker.found(tmp_path) if not same]
    assert wrong == ["stream mnist+0"]
