"""Which installed model is found, and what a forked child does with its parent's sessions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vaecodec.modelfile import installed
from vaecodec.modelfile.onnx_session import keep_for_ever
from vaecodec.modelfile.summary import read_summary

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


def test_the_photograph_model_with_an_alias_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    found = installed.photograph_model()
    assert found is not None
    assert found.aliases == ("photo",)
    monkeypatch.setattr(installed, "zoo_folder", lambda: tmp_path / "none")
    assert installed.photograph_model() is None


def test_photograph_models_are_no_models_of_a_geometry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    found = installed.photograph_model()
    assert found is not None
    assert installed.models_by_fingerprint(found.summary.fingerprint[:4]) == []
    assert installed.model_by_fingerprint(found.summary.fingerprint) is None


def test_a_model_is_found_by_its_whole_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    shutil.copy(GOLDEN / "tiny.vaem", tmp_path / "golden-tiny-1.vaem")
    fingerprint = read_summary(GOLDEN / "tiny.vaem").fingerprint
    found = installed.model_by_fingerprint(fingerprint)
    assert found is not None
    assert found.fingerprint == fingerprint
    assert installed.model_by_fingerprint(fingerprint[:-1] + bytes([fingerprint[-1] ^ 1])) is None
    assert installed.is_installed(tmp_path / "golden-tiny-1.vaem")
    assert not installed.is_installed(GOLDEN / "tiny.vaem")


def test_a_session_that_is_kept_has_one_reference_more() -> None:
    thing = object()
    before = sys.getrefcount(thing)
    keep_for_ever(thing)
    assert sys.getrefcount(thing) == before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_forgets_its_sessions_and_ends() -> None:
    """In a process of its own, since what a child forgets is told to ONNX Runtime's exit handlers."""
    code = """
import os, sys
import numpy as np
import vaecodec
from vaecodec.modelfile.onnx_session import _THERE
codec = vaecodec.load(sys.argv[1])
image = np.zeros((28, 28), np.uint8)
data = codec.compress(image)
assert len(_THERE) >= 1
child = os.fork()
if child == 0:
    os._exit(0 if codec.compress(image) == data else 3)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
child = os.fork()
if child == 0:
    sys.exit(5)  # through the exit handlers
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
"""
    command = [sys.executable, "-c", code, str(GOLDEN / "tiny.vaem")]
    environment = {**os.environ, "PYTHONPATH": str(GOLDEN.parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
