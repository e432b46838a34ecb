"""On damaged and made-up archives, the second decoder and the program give the same images, names and labels."""

from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.independent.archives_by_the_page import plans, written
from tests.independent.model_file import Model
from tests.independent.mutants_of_archives import mutants
from tests.independent.program import (
    GOLDEN,
    GOLDEN_WINDOWS,
    Contents,
    archives_differ,
    decide_archive,
    golden_file,
    program_on_archive,
)

pytestmark = pytest.mark.usefixtures("installed")
SMALL = ("mini", "groups", "bits")


def _with_files(models: dict[str, Model], names: tuple[str, ...]) -> dict[str, tuple[Model, bytes]]:
    return {name: (models[name], golden_file(name)) for name in names}


def _difference(data: bytes, models: dict[str, Model], folder: Path) -> str:
    path = folder / "mutant.vaea"
    path.write_bytes(data)
    ours = decide_archive(data, models)
    return archives_differ(ours, program_on_archive(path, ours))


def _disagreements(seed: int, number: int, models: dict[str, Model], names: tuple[str, ...], folder: Path) -> list[str]:
    found = []
    goldens = [(GOLDEN / "archives" / f"{name}.vaea").read_bytes() for name in ("discs", "exact")]
    goldens.append((GOLDEN_WINDOWS / "archives" / "windowed.vaea").read_bytes())
    made = mutants(_with_files(models, names), Random(seed), goldens)
    for place, data in enumerate(islice(made, number)):
        difference = _difference(data, models, folder)
        if difference:
            found.append(f"mutant {place} of seed {seed}: {difference}")
    return found


def test_the_program_reads_archives_that_are_written_by_the_page(models: dict[str, Model], tmp_path: Path) -> None:
    for seed in range(12):
        data = b"".join(written(plans(_with_files(models, SMALL), Random(seed))))
        contents = decide_archive(data, models)
        assert isinstance(contents, Contents)
        assert (len(contents.images), contents.has_problems) == (contents.length, False)
        assert _difference(data, models, tmp_path) == ""


def test_the_program_decides_as_the_page_on_mutants_of_archives(models: dict[str, Model], tmp_path: Path) -> None:
    assert _disagreements(1, 60, models, SMALL, tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 15))
def test_the_program_decides_as_the_page_on_hundreds_of_mutants_of_archives(
    seed: int, models: dict[str, Model], tmp_path: Path
) -> None:
    assert _disagreements(seed, 200, models, (*SMALL, "exact", "tiny"), tmp_path) == []
