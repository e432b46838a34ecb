"""Mutants of the code: which there are, which are drawn, and whether the tests of their room notice them.

a file of a room ──cosmic-ray──> every mutant ──seed──> some ──in a copy of the checkout──> noticed, or not

cosmic-ray makes the changes (comparisons, arithmetic, numbers, booleans, decorators, exceptions, loops); here is what
it is asked for, and on what. A mutant of an annotation changes nothing that runs, and is left out.
"""

import ast
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

from benchmarks.measuring.machine import ROOT

LEAST_TIMEOUT_S, TIMEOUT_FACTOR = 60.0, 3.0  # a mutant that makes its tests that much slower is noticed: it hangs
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow")
COPIED = ("vaecodec", "cli", "tests", "benchmarks", "examples", "docs", "browser", "README.md", "pyproject.toml")
LARGE = ("zoo", "results")  # of these folders the files are not copied but linked


class TestsFail(RuntimeError):
    """The tests of a room fail without a mutant: they could notice nothing."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one place. path: of the file, from the checkout. occurrence: of the operator's places in the file."""

    path: str
    operator: str
    occurrence: int
    line: int
    column: int

    @property
    def room(self) -> str:
        """The folder of vaecodec/ that the file belongs to."""
        return self.path.split("/")[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests said. diff: what was changed."""

    mutant: Mutant
    noticed: bool
    elapsed_s: float
    diff: str


def files_of(room: str) -> list[str]:
    """The files of a room, from the checkout; an `__init__` is left out, which holds names alone."""
    found = sorted((ROOT / "vaecodec" / room).rglob("*.py"))
    return [path.relative_to(ROOT).as_posix() for path in found if path.stem != "__init__"]


def mutants_of(path: str) -> list[Mutant]:
    """Every mutant of a file, in an order that a seed can draw from."""
    with tempfile.TemporaryDirectory() as folder, use_db(f"{folder}/mutants.sqlite", WorkDB.Mode.create) as found:
        init([ROOT / path], found, {})
        specs = [item.mutations[0] for item in found.work_items]
    spans = list(_annotations(ROOT / path))
    mutants = [
        Mutant(path, spec.operator_name, spec.occurrence, *spec.start_pos)
        for spec in specs
        if not any(start <= spec.start_pos < end for start, end in spans)
    ]
    return sorted(mutants, key=lambda mutant: (mutant.line, mutant.column, mutant.operator, mutant.occurrence))


def drawn(path: str, count: int, seed: int) -> list[Mutant]:
    """Mutants of some places of a file, one of each: the same for the same seed, whatever other files there are.

    By places, since an addition has a dozen mutants, which are noticed alike, and a number or a constant two.
    """
    chance = random.Random(f"{seed}:{path}")
    places: dict[tuple[int, int], list[Mutant]] = {}
    for mutant in mutants_of(path):
        places.setdefault((mutant.line, mutant.column), []).append(mutant)
    chosen = chance.sample(sorted(places), min(count, len(places)))
    return [chance.choice(places[place]) for place in sorted(chosen)]


def _annotations(path: Path) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations begin and end: (line, column), lines from 1 and columns from 0."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for field in ("annotation", "returns"):
            inner = getattr(node, field, None)
            if isinstance(inner, ast.expr):
                yield (inner.lineno, inner.col_offset), (inner.end_lineno or 0, inner.end_col_offset or 0)


@contextmanager
def copy_of_checkout() -> Iterator[Path]:
    """A folder with a copy of what tests need, in which files may be changed."""
    with tempfile.TemporaryDirectory(prefix="vaecodec-mutants-") as name:
        folder = Path(name)
        for part in COPIED:
            if (ROOT / part).is_dir():
                left_out = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(ROOT / part, folder / part, copy_function=_copied, ignore=left_out)
            elif (ROOT / part).is_file():
                shutil.copy(ROOT / part, folder / part)
        yield folder


def _copied(source: str, target: str) -> str:
    if Path(source).parent.name in LARGE and not source.endswith(".py"):
        os.symlink(source, target)
        return target
    return shutil.copy(source, target)


class Judge:
    """The tests of a room, run on mutants in a copy of the checkout.

    Raises TestsFail where they fail without a mutant, or cannot be run with one.
    """

    def __init__(self, folder: Path, room: str) -> None:
        self._folder, self._room = folder, room
        started = time.monotonic()
        done = subprocess.run(shlex.split(self._shell([])), capture_output=True, check=False)
        if done.returncode:
            raise TestsFail(f"tests/{room}: {done.stdout.decode()[-2000:]}")
        self.elapsed_s = time.monotonic() - started

    def judge(self, mutant: Mutant) -> Outcome:
        """Whether a test fails, or does not end, with the mutant; those that are named as its file come first."""
        spec = MutationSpec(
            module_path=self._folder / mutant.path,
            operator_name=mutant.operator,
            occurrence=mutant.occurrence,
            start_pos=(mutant.line, mutant.column),
            end_pos=(mutant.line, mutant.column + 1),
        )
        stem = Path(mutant.path).stem
        tests = self._folder / "tests" / self._room
        beside = sorted(path.relative_to(self._folder).as_posix() for path in tests.rglob(f"test_*{stem}*.py"))
        started = time.monotonic()
        result = mutate_and_test([spec], self._shell(beside), max(LEAST_TIMEOUT_S, TIMEOUT_FACTOR * self.elapsed_s))
        if result.test_outcome not in (TestOutcome.SURVIVED, TestOutcome.KILLED):
            raise TestsFail(f"{mutant}: {result.output}")
        noticed = result.test_outcome is TestOutcome.KILLED
        return Outcome(mutant, noticed, time.monotonic() - started, result.diff)

    def _shell(self, first: Sequence[str]) -> str:
        """The command as cosmic-ray takes it: one program and its arguments, without a folder or variables."""
        variables = [f"{name}={value}" for name, value in self._variables().items()]
        words = shlex.join(["env", *variables, *self._command(first)])
        return shlex.join(["sh", "-c", f"cd {shlex.quote(str(self._folder))} && exec {words}"])

    def _command(self, first: Sequence[str]) -> list[str]:
        return [*PYTEST, *first, f"tests/{self._room}"]

    def _variables(self) -> dict[str, str]:
        """No bytecode: two mutants of a second could be taken for one another by their file's time and size."""
        return {"PYTHONPATH": str(self._folder), "PYTHONDONTWRITEBYTECODE": "1"}
