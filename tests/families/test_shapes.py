"""The shapes that annotations promise hold for every family, from the first step to the model file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaecodec.families import PLACES

from .small import SMALL

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
NAMES = list(SMALL)
HALVES = (NAMES[: len(NAMES) // 2], NAMES[len(NAMES) // 2 :])


def test_every_family_is_among_them() -> None:
    assert {values["family"] for values in SMALL.values()} == set(PLACES)


@pytest.mark.timeout(600)
def test_shapes_are_what_the_annotations_say_while_any_family_is_trained() -> None:
    check(NAMES)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("names", HALVES, ids=("first half", "second half"))
def test_shapes_are_what_the_annotations_say_to_the_model_file(names: list[str]) -> None:
    check(names, "--finish")


def check(names: list[str], *more: str) -> None:
    """Run check_shapes.py on some of the small configs."""
    script, data, package = Path(__file__).with_name("check_shapes.py"), TESTS / "fixtures" / "data", ROOT / "vaecodec"
    command = [sys.executable, *map(str, (script, data, package)), *more]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    values = json.dumps({name: SMALL[name] for name in names})
    done = subprocess.run(command, input=values, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines() == [*names, "a wrong shape is refused"]
